package chat

import (
	"time"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
)

// faqSlow is how long a look into the FAQ may take before it counts against it.
const faqSlow = 50 * time.Millisecond

// fromFAQ answers from templates and retrieval; false means that a person must.
func (t *Turn) fromFAQ() bool {
	q := answer.Question{Text: t.words.Said, Intent: t.intent}
	turns := t.before()
	for i := range turns {
		q.Before = append(q.Before, turns[i].Question())
	}
	r, ok := answer.ReplyTo(q, t.chat.faq)
	if !ok {
		return false
	}
	t.ans.tier, t.ans.text, t.ans.source, t.ans.faqID, t.ans.suggestions = degrade.FAQ, r.Text, string(r.Source), r.FAQID, r.Suggestions
	return true
}

// watchedFAQ is the FAQ, if there is one, with its gauges.
type watchedFAQ struct {
	faq   *answer.Book
	watch *degrade.Watch
}

func (w watchedFAQ) Find(text string) (answer.Hit, error) {
	if w.faq == nil {
		w.watch.SawFAQ(time.Now(), true, false)
		return answer.Hit{}, answer.ErrNoFAQ
	}
	start := time.Now()
	hit, err := w.faq.Find(text)
	w.watch.SawFAQ(start, err != nil, time.Since(start) > faqSlow)
	return hit, err
}

func (w watchedFAQ) Topic(text string) string {
	if w.faq == nil {
		return ""
	}
	return w.faq.Topic(text)
}

// Hot is the normalised form of a reviewed question whose answer is the same for
// everybody.
func (w watchedFAQ) Hot(text string) (key string, ok bool) {
	if w.faq == nil {
		return "", false
	}
	return w.faq.Hot(text)
}
