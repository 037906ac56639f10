package answer

import (
	"testing"
	"unicode/utf8"
)

// FuzzReply asks anything: an intent of the list comes out, the same each time,
// and a reply that is text.
func FuzzReply(f *testing.F) {
	for i, l := range intentCorpus(f, "examples.tsv") {
		if i%50 == 0 {
			f.Add(l.text, "优惠券怎么用")
		}
	}
	f.Add("\xff[(*\\", "")
	faq, err := NewFAQ()
	if err != nil {
		f.Fatal(err)
	}
	in := NewIntents()
	f.Fuzz(func(t *testing.T, text, before string) {
		i := in.Of(text)
		if i >= NumIntents || i != in.Of(text) {
			t.Fatalf("%q is %d", text, i)
		}
		r, ok := ReplyTo(Question{Text: text, Intent: i, Before: []string{before}}, faq)
		if ok && (r.Text == "" || !utf8.ValidString(r.Text)) {
			t.Fatalf("%q is answered by %q", text, r.Text)
		}
	})
}
