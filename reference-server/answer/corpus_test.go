package answer

import (
	"bufio"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// labelled is a line of a corpus.
type labelled struct {
	label, text string
	heldOut     bool // by the hash of the text
}

func corpus(t testing.TB, name string) []labelled {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []labelled
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		label, text, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%s: %q has no tab", name, line)
		}
		h := fnv.New32a()
		h.Write([]byte(text))
		all = append(all, labelled{label, text, h.Sum32()%3 == 0})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func intentCorpus(t testing.TB, name string) []example {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseExamples(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// confusion counts sentences by what they are and what they were taken for.
type confusion [NumIntents][NumIntents]int

func (c *confusion) add(in *Intents, e example) Intent {
	got := in.Of(e.text)
	c[e.intent][got]++
	return got
}

func (c *confusion) recall(i Intent) (float64, int) {
	n := 0
	for _, count := range c[i] {
		n += count
	}
	return share(c[i][i], n), n
}

// precision is the share of sentences taken for an intent that are of it.
func (c *confusion) precision(i Intent) float64 {
	n := 0
	for is := range NumIntents {
		n += c[is][i]
	}
	return share(c[i][i], n)
}

// reached is the share of sentences of an intent that went to a person, whatever
// they were taken for.
func (c *confusion) reached(i Intent) float64 {
	n, reached := 0, 0
	for as, count := range c[i] {
		n += count
		if Intent(as).Human() {
			reached += count
		}
	}
	return share(reached, n)
}

// falseAlarms is the share of harmless sentences that were sent to a person.
func (c *confusion) falseAlarms() (float64, int) {
	n, alarms := 0, 0
	for i := Info; !i.Human(); i++ {
		for as, count := range c[i] {
			n += count
			if Intent(as).Human() {
				alarms += count
			}
		}
	}
	return share(alarms, n), n
}

func (c *confusion) log(t *testing.T, name string) {
	t.Helper()
	for i := range NumIntents {
		r, n := c.recall(i)
		t.Logf("%-20s %-12v recall %.3f of %d, to a person %.3f, precision %.3f", name, i, r, n, c.reached(i), c.precision(i))
	}
	a, n := c.falseAlarms()
	t.Logf("%-20s false alarms %.4f of %d", name, a, n)
}

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }

// heldOut are the corpora that no rule and no example saw, with the least recall
// and the most false alarms measured there. The goals are 0.95 each and 0.01: the
// first, of one hand and one time with the rules, is near; the second, written by
// register before any example, is nearer to customers; the third, written by
// situation before the second round of examples, is as hard as they get.
var heldOut = []struct {
	file   string
	least  map[Intent]float64
	alarms float64
}{
	{"testdata/intents-third.tsv", map[Intent]float64{Safety: 0.99, Complaint: 0.97, ChangeOrder: 0.96, Payment: 0.95}, 0.007},
	{"testdata/intents-held.tsv", map[Intent]float64{Safety: 0.98, Complaint: 0.96, ChangeOrder: 0.96, Payment: 0.99}, 0.012},
	{"testdata/intents-fresh.tsv", map[Intent]float64{Safety: 0.91, Complaint: 0.91, ChangeOrder: 0.94, Payment: 0.97}, 0.03},
}

// Which of the lines held out fail is not shown: it would teach.
func TestIntentsHeldOut(t *testing.T) {
	in := NewIntents()
	for _, h := range heldOut {
		var is confusion
		for _, e := range intentCorpus(t, h.file) {
			is.add(in, e)
		}
		is.log(t, h.file)
		for i, least := range h.least {
			if r, n := is.recall(i); r < least || n < 30 {
				t.Errorf("%s: recall of %v is %.3f of %d, want %.2f", h.file, i, r, n, least)
			}
		}
		if a, n := is.falseAlarms(); a > h.alarms || n < 200 {
			t.Errorf("%s: false alarms %.4f of %d, want %.4f", h.file, a, n, h.alarms)
		}
	}
}

// What is tuned on: the mistakes are shown with -v.
func TestIntentsTuned(t *testing.T) {
	in := NewIntents()
	var is confusion
	lines := intentCorpus(t, "examples.tsv")
	for _, e := range lines {
		if got := is.add(in, e); got != e.intent {
			t.Logf("%v taken for %v: %s", e.intent, got, e.text)
		}
	}
	is.log(t, "tuned")
	for i := range NumIntents {
		if r, n := is.recall(i); i.Human() && (r < 0.99 || n < 50) {
			t.Errorf("recall of %v is %.3f of %d", i, r, n)
		}
	}
	if a, n := is.falseAlarms(); a > 0.001 {
		t.Errorf("false alarms %.4f of %d", a, n)
	}
}

// Each fifth of the examples is judged by what the other four teach, to choose
// the constants of learn.go by.
func TestLearningCrossed(t *testing.T) {
	lines := intentCorpus(t, "examples.tsv")
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	var alone, both confusion
	none := &rules{index: newIndex(nil)}
	for fold := range 5 {
		var teach, judge []example
		for i, e := range lines {
			if i%5 == fold {
				judge = append(judge, e)
			} else {
				teach = append(teach, e)
			}
		}
		l := learn(teach)
		for _, e := range judge {
			alone.add(&Intents{outright: none, rules: none, others: none, learned: l}, e)
			both.add(&Intents{outright: outrightRules(), rules: allRules(), others: otherRules(), learned: l}, e)
		}
	}
	alone.log(t, "crossed, no rules")
	both.log(t, "crossed, with rules")
	if a, n := both.falseAlarms(); a > 0.09 {
		t.Errorf("false alarms %.4f of %d", a, n)
	}
}

// No sentence that judges is, but for a few letters, one that taught.
func TestHeldOutIsApart(t *testing.T) {
	taught := map[string]bool{}
	for _, e := range intentCorpus(t, "examples.tsv") {
		taught[normalise(e.text)] = true
	}
	total := 0
	for _, h := range heldOut {
		for _, e := range intentCorpus(t, h.file) {
			if total++; taught[normalise(e.text)] {
				t.Errorf("%s: %q is among the examples", h.file, e.text)
			}
		}
	}
	if n := len(taught); n+total < 600 || total < 600 {
		t.Errorf("%d taught, %d held out", n, total)
	}
}
