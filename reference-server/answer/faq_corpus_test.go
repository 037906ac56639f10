package answer

import (
	"strings"
	"testing"
)

// retrieval counts what became of questions.
type retrieval struct {
	asked, right, first int // answered right; the right entry answered or suggested first
	strangers           int // questions without an entry
	wrong               int // answered, by another entry or where there is none
}

func (r *retrieval) add(f *FAQ, l labelled) (mistake string) {
	hit, err := f.Find(l.text)
	if err != nil {
		return err.Error()
	}
	got := ""
	if hit.Entry != nil {
		got = hit.Entry.ID
	}
	if l.label == "-" {
		r.strangers++
		if got != "" {
			r.wrong++
			return "answered by " + got
		}
		return ""
	}
	r.asked++
	switch {
	case got == l.label:
		r.right++
		r.first++
	case got != "":
		r.wrong++
		return "answered by " + got
	case len(hit.Suggestions) > 0 && f.entries[l.label] != nil && hit.Suggestions[0] == f.entries[l.label].Q[0]:
		r.first++
		return "suggested"
	default:
		return "not found, suggested " + strings.Join(hit.Suggestions, ", ")
	}
	return ""
}

func TestQuestionCorpus(t *testing.T) {
	f, err := NewFAQ()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var open, held retrieval
	for _, l := range corpus(t, "questions.tsv") {
		if l.label != "-" && f.entries[l.label] == nil {
			t.Fatalf("%q: no entry %s", l.text, l.label)
		}
		if l.heldOut {
			held.add(f, l)
			continue
		}
		if m := open.add(f, l); m != "" {
			t.Logf("%s: %s: %s", l.label, m, l.text)
		}
	}
	for name, r := range map[string]retrieval{"open": open, "held out": held} {
		t.Logf("%s: %d questions, answered right %.3f, right or suggested first %.3f; wrong with confidence %.4f of %d", name, r.asked, share(r.right, r.asked),
			share(r.first, r.asked), share(r.wrong, r.asked+r.strangers), r.asked+r.strangers)
	}
	if n := len(f.entries); n < 120 {
		t.Errorf("%d entries", n)
	}
	if n := open.asked + held.asked; n < 200 {
		t.Errorf("%d questions", n)
	}
	if s := share(held.first, held.asked); s < 0.9 {
		t.Errorf("held out: first hit %.3f, want 0.9", s)
	}
	if s := share(held.wrong, held.asked+held.strangers); s > 0.02 {
		t.Errorf("held out: wrong with confidence %.4f, want 0.02", s)
	}
}
