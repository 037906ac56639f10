package measure

import (
	"cmp"
	"slices"
)

// RepeatQuestions is how many questions are told apart; those of longer scenarios
// share a number.
const RepeatQuestions = 128

// Repeats are the good answers that came again and again.
type Repeats struct {
	Asked   []int64    `json:"asked,omitempty"` // good answers, by question
	Answers []Repeated `json:"answers,omitempty"`
}

// Repeated is one of them: how often it came, and to which questions, a bit each.
type Repeated struct {
	Key       uint64   `json:"key,string"`
	Text      string   `json:"text"`
	N         int64    `json:"n"`
	Questions []uint64 `json:"questions"`
	// Exempt: it came before the first fault of the mock LLM, so it is the mock's own.
	Exempt bool `json:"exempt,omitempty"`
}

// Most keeps the n most frequent answers, in an order of their own.
func (r *Repeats) Most(n int) *Repeats {
	slices.SortFunc(r.Answers, func(a, b Repeated) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Key, b.Key)) })
	r.Answers = r.Answers[:min(n, len(r.Answers))]
	return r
}

// mergeRepeats adds up what two shards saw; the order does not matter.
func mergeRepeats(a, b *Repeats) *Repeats {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	out := &Repeats{Asked: make([]int64, max(len(a.Asked), len(b.Asked)))}
	at := map[uint64]int{}
	for _, r := range []*Repeats{a, b} {
		for q, n := range r.Asked {
			out.Asked[q] += n
		}
		for _, answer := range r.Answers {
			answer.Questions = slices.Clone(answer.Questions)
			i, known := at[answer.Key]
			if !known {
				at[answer.Key] = len(out.Answers)
				out.Answers = append(out.Answers, answer)
				continue
			}
			sum := &out.Answers[i]
			sum.N += answer.N
			sum.Exempt = sum.Exempt || answer.Exempt
			sum.Text = min(sum.Text, answer.Text)
			for w := range min(len(sum.Questions), len(answer.Questions)) {
				sum.Questions[w] |= answer.Questions[w]
			}
		}
	}
	return out.Most(len(out.Answers))
}
