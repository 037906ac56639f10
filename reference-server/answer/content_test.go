package answer

import (
	"hash/fnv"
	"strings"
	"testing"
)

// heldBack is the half of the corpus of content that no constant was chosen on.
func heldBack(text string) bool {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()%2 == 0
}

// Which lines of the half held out fail is not shown: it would teach.
func TestSays(t *testing.T) {
	in := NewIntents()
	type counts struct{ real, heard, empty, passed, people int }
	var tuned, held counts
	for _, l := range corpus(t, "testdata/content.tsv") {
		c := &tuned
		if heldBack(l.text) {
			c = &held
		}
		says, person := Says(l.text), in.Of(l.text).Human()
		switch l.label {
		case "+":
			c.real++
			c.heard += one(says)
		case "-":
			c.empty++
			c.passed += one(says)
			c.people += one(person)
		default:
			t.Fatalf("label %q", l.label)
		}
		if c == &tuned && (says != (l.label == "+") || person && l.label == "-") {
			t.Logf("%s says something: %v, is for a person: %v: %.60s", l.label, says, person, l.text)
		}
	}
	for name, part := range map[string]struct {
		is     counts
		people float64
	}{"tuned": {tuned, 0.05}, "held out": {held, 0.16}} { // as measured
		c := part.is
		t.Logf("%s: of %d real questions %d are heard; of %d that say nothing %d are, and %d are taken for what is a person's", name, c.real, c.heard, c.empty, c.passed, c.people)
		if c.real < 45 || share(c.heard, c.real) < 0.97 {
			t.Errorf("%s: of %d real questions %d are heard", name, c.real, c.heard)
		}
		if c.empty < 50 || share(c.passed, c.empty) > 0.06 || share(c.people, c.empty) > part.people {
			t.Errorf("%s: of %d that say nothing %d are heard, and %d taken for a person's", name, c.empty, c.passed, c.people)
		}
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Hardly anything that is a person's matter is noise where no rule speaks for it.
func TestPersonsMattersAreNoNoise(t *testing.T) {
	in := NewIntents()
	all, lost := 0, 0
	for _, e := range lessons() {
		if e.intent.Human() {
			p := plain(e.text)
			all++
			lost += one(noise(p) && !in.rules.first(p).Human())
		}
	}
	if t.Logf("%d of %d", lost, all); share(lost, all) > 0.001 {
		t.Errorf("of %d examples %d are noise", all, lost)
	}
}

// What is offered has an answer.
func TestEverydayQuestionsAreOfTheFAQ(t *testing.T) {
	f, err := NewFAQ()
	if err != nil {
		t.Fatal(err)
	}
	r := Again()
	for _, q := range r.Suggestions {
		if hit, err := f.Find(q); err != nil || hit.Entry == nil || hit.Entry.Q[0] != q || !strings.Contains(r.Text, q) {
			t.Errorf("%s: %+v %v", q, hit, err)
		}
	}
	if len(r.Suggestions) != 3 {
		t.Errorf("%d suggestions", len(r.Suggestions))
	}
}

// What says something goes on saying it beside a name, a number or a smile.
func TestSaysWhateverStandsBeside(t *testing.T) {
	for _, text := range []string{"你们老板是哪里人啊", "qing wen ni men you shi ti dian ma"} {
		for _, beside := range []string{"", "😀", "!!!", " 20261111000123", "13812345678 ", "\n"} {
			if !Says(beside+text) || !Says(text+beside) {
				t.Errorf("%q beside %q says nothing", text, beside)
			}
		}
		if Says(strings.Repeat(text[:3], 300)) {
			t.Errorf("the beginning of %q, over and over, says something", text)
		}
	}
}

func BenchmarkSays(b *testing.B) {
	for name, text := range map[string]string{"question": "你们老板是哪里人啊", "long": strings.Repeat("aB3/xk+", 285)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Says(text)
			}
		})
	}
}
