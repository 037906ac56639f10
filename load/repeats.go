package load

import (
	"bytes"
	"slices"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// repeats counts which answers come again and again, and to how many different
// questions: what answers everything answers nothing. It knows an answer by what
// is left of it without numbers, ids and the question itself. Its memory does not
// grow: each place of the table holds the answer that comes most often among those
// that fall there. Safe for concurrent use.
type repeats struct {
	questions []uint8 // of each slot: turns that say the same ask the same
	calm      time.Duration

	mu     sync.Mutex
	asked  [measure.RepeatQuestions]int64
	places [repeatPlaces]repeated
}

const (
	repeatPlaces = 1 << 11
	repeatText   = 160 // bytes of an answer that are kept to show it
	repeatRead   = 1 << 10
	mostRepeated = 32  // answers told of
	tagBefore    = "⟦" // what a canary stands in
	tagAfter     = "⟧"
)

// repeated is an answer. votes rise with it and fall with others of its place.
type repeated struct {
	key       uint64
	n         int64
	votes     int32
	exempt    bool // given before anything was wrong
	length    uint8
	questions [measure.RepeatQuestions / 64]uint64
	text      [repeatText]byte
}

// newRepeats gives nil for the bundled server, which says itself who answers. A
// mock LLM repeats its own lines: those that come before its first fault are no
// stand-ins.
func newRepeats(sc *scenario.Scenario) *repeats {
	if sc.Target.Bundled != nil {
		return nil
	}
	t := &repeats{}
	ids := map[uint64]uint8{}
	for i := range sc.Conversations {
		for _, turn := range sc.Conversations[i].Turns {
			key := answerKey([]byte(turn.Say), nil)
			if _, known := ids[key]; !known {
				ids[key] = uint8(len(ids) % measure.RepeatQuestions)
			}
			t.questions = append(t.questions, ids[key])
		}
	}
	if sc.LLM != nil {
		t.calm = 1<<63 - 1
		for _, f := range sc.LLM.Faults {
			t.calm = min(t.calm, f.At.D())
		}
	}
	return t
}

// note counts a good answer to a question of the slot that was asked at an instant.
func (t *repeats) note(answer, question []byte, slot int, at time.Duration) {
	if t == nil || slot >= len(t.questions) || len(answer) == 0 {
		return
	}
	key, q := answerKey(answer, question), t.questions[slot]
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked[q]++
	p := &t.places[key%repeatPlaces]
	if p.key != key {
		if p.votes--; p.votes > 0 {
			return
		}
		*p = repeated{key: key}
		p.length = uint8(copy(p.text[:], answer))
	}
	p.votes++
	p.n++
	p.exempt = p.exempt || at < t.calm
	p.questions[q/64] |= 1 << (q % 64)
}

// told are the answers that several questions got, the most frequent first.
func (t *repeats) told() *measure.Repeats {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &measure.Repeats{Asked: slices.Clone(t.asked[:])}
	for i := range t.places {
		p := &t.places[i]
		if p.n < 2 {
			continue
		}
		out.Answers = append(out.Answers, measure.Repeated{
			Key: p.key, Text: shown(p.text[:p.length]), N: p.n, Questions: slices.Clone(p.questions[:]), Exempt: p.exempt,
		})
	}
	return out.Most(mostRepeated)
}

// shown is the begin of an answer as a text, cut where a rune ends, without what may
// be a customer's number: the text is of whoever got it first.
func shown(b []byte) string {
	cut := len(b) == repeatText
	if cut {
		for i := 0; i < utf8.UTFMax && !utf8.Valid(b); i++ {
			b = b[:len(b)-1]
		}
	}
	text := wholeWords(withoutNumbers(string(bytes.ToValidUTF8(b, []byte("?"))), cut))
	if cut {
		text += "…"
	}
	return text
}

// wholeWords masks all of a word of which digits are masked: what is left of a
// secret would not be known for one any more, and be written.
func wholeWords(text string) string {
	b := []byte(text)
	for from := 0; from < len(b); {
		to := from
		for to < len(b) && b[to] > ' ' && b[to] < utf8.RuneSelf {
			to++
		}
		if word := b[from:to]; bytes.IndexByte(word, '#') >= 0 {
			copy(word, bytes.Repeat([]byte("#"), len(word)))
		}
		from = to + 1
	}
	return string(b)
}

// numberLeast is how many digits may tell of a person: prices, hours and counts
// have fewer.
const numberLeast = 4

// withoutNumbers masks the digits of whatever holds numberLeast of them, be they in
// groups or among letters: phones, orders, cards. What a text that was cut ends in
// may be the begin of one.
func withoutNumbers(text string, cut bool) string {
	runes := []rune(text)
	for i := 0; i < len(runes); {
		end, digits := i, 0
		for end < len(runes) && partOfNumber(runes, end) {
			if unicode.IsDigit(runes[end]) {
				digits++
			}
			end++
		}
		if digits >= numberLeast || digits > 0 && cut && end == len(runes) {
			for ; i < end; i++ {
				if unicode.IsDigit(runes[i]) {
					runes[i] = '#'
				}
			}
		}
		i = max(end, i+1)
	}
	return string(runes)
}

// partOfNumber tells whether a rune may be one of a number: a digit, a letter of
// ASCII, or what stands alone between two of these.
func partOfNumber(runes []rune, i int) bool {
	in := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsDigit(runes[i]) || runes[i] < utf8.RuneSelf && wordByte(byte(runes[i])))
	}
	digit := func(i int) bool { return i >= 0 && i < len(runes) && unicode.IsDigit(runes[i]) }
	switch runes[i] {
	case ' ', '.', '\u00a0':
		return digit(i-1) && digit(i+1)
	}
	return in(i)
}

// answerKey is a hash (FNV-1a, the same in every shard) of what is left of an
// answer without the question it repeats, words that hold a digit, canaries, space
// and case.
func answerKey(answer, question []byte) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	answer = answer[:min(len(answer), repeatRead)]
	quoted := -1
	if len(question) > 0 {
		quoted = bytes.Index(answer, question)
	}
	for i := 0; i < len(answer); {
		if i == quoted {
			i += len(question)
			continue
		}
		c := answer[i]
		switch {
		case c >= utf8.RuneSelf && c != tagBefore[0]: // most of a Chinese answer
			h = (h ^ uint64(c)) * prime
			i++
			continue
		case wordByte(c):
			end, digit := i, false
			for end < len(answer) && wordByte(answer[end]) {
				digit = digit || answer[end] >= '0' && answer[end] <= '9'
				end++
			}
			for ; i < end; i++ {
				if digit {
					continue
				}
				c := answer[i]
				if c >= 'A' && c <= 'Z' {
					c += 'a' - 'A'
				}
				h = (h ^ uint64(c)) * prime
			}
			continue
		case c == tagBefore[0] && bytes.HasPrefix(answer[i:], []byte(tagBefore)):
			if end := bytes.Index(answer[i:], []byte(tagAfter)); end > 0 {
				i += end + len(tagAfter)
				continue
			}
		case c <= ' ':
			i++
			continue
		}
		h = (h ^ uint64(c)) * prime
		i++
	}
	return h
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_'
}
