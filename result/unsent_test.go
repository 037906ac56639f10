package result

import (
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// What shards did not send is counted as good and as bad: the verdict is given
// where it is the same either way. 90 % must be available; 400 turns are planned.
func TestMissingShardsAreBounded(t *testing.T) {
	var docs []*Document
	blind := func(_ int, j *journaled) { j.blind = true }
	for _, c := range []struct {
		name    string
		n, gone int
		change  func(i int, j *journaled)
		verdict string
		code    int
		reasons []string
		warning string
	}{
		{"a twentieth is missing and the rest is good", 20, 1, blind, "pass", 0, nil, "it passes even if all of the about 20 turns that are missing had been bad"},
		{"a quarter is missing and the rest is good", 4, 1, blind, "incomplete", 11, []string{
			"shard 0/4 is missing",
			"latency-p90: pass if the about 100 turns that are missing had been good, fail if bad",
			"availability: pass if the about 100 turns that are missing had been good, fail if bad",
		}, ""},
		{"a quarter is missing and half of the rest is bad", 4, 1, func(_ int, j *journaled) { j.failed = 50 }, "fail", 10, []string{
			"shard 0/4 is missing", "it fails even if all of the about 100 turns that are missing had been good",
		}, ""},
		{"a twentieth is missing and a twentieth of the rest is bad", 20, 1, func(_ int, j *journaled) { j.failed, j.blind = 1, true }, "incomplete", 11, []string{
			"shard 0/20 is missing", "latency-p90: pass if the about 20 turns that are missing had been good, inconclusive if bad",
		}, ""},
		// One answer to somebody else is one too many, and nobody saw those of the shard.
		{"answers tell whose they are", 20, 1, nil, "incomplete", 11, []string{
			"shard 0/20 is missing", "integrity: pass if the about 20 turns that are missing had been good, fail if bad",
		}, ""},
	} {
		d := merged(t, shards(t, c.n, c.change)[c.gone:]...)
		if d.Verdict != c.verdict || d.ExitCode != c.code || !slices.Equal(d.Reasons[:min(len(d.Reasons), len(c.reasons))], c.reasons) {
			t.Errorf("%s: %s, %d, %q; want %s, %d, %q", c.name, d.Verdict, d.ExitCode, d.Reasons, c.verdict, c.code, c.reasons)
		}
		if c.warning != "" && !slices.Contains(d.Warnings, c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.name, d.Warnings, c.warning)
		}
		docs = append(docs, d)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: the second implementation is written in it")
	}
	for i, again := range judgedAgain(t, python, docs) {
		if d := docs[i]; again.Verdict != d.Verdict || again.ExitCode != d.ExitCode {
			t.Errorf("%s, exit %d; the other says %s, %d: %q", d.Verdict, d.ExitCode, again.Verdict, again.ExitCode, d.Reasons)
		}
	}
}

// Of a cut shard only that is missing which it had no time to answer.
func TestUnsentOfACutShard(t *testing.T) {
	parts, err := partsOf(shards(t, 4, func(i int, j *journaled) { j.torn = i == 2 }))
	if err != nil {
		t.Fatal(err)
	}
	parts[2].Snapshot.Elapsed = 2500 * time.Millisecond
	for i := range parts[2].Snapshot.Seconds {
		if s := &parts[2].Snapshot.Seconds[i]; i >= 2 {
			s.Starts, s.Budgets = 0, make([]measure.BudgetCount, len(s.Budgets))
		} else if i == 1 {
			s.Starts -= 5
			for b := range s.Budgets {
				s.Budgets[b].N -= min(5, s.Budgets[b].N)
			}
		}
	}
	var got [][2]uint32
	for _, u := range unsent(parts, time.Second) {
		got = append(got, [2]uint32{u.Starts, u.Budgets[0]})
	}
	if want := [][2]uint32{{5, 5}, {25, 25}, {25, 25}, {0, 0}}; !slices.Equal(got, want) {
		t.Errorf("starts and turns from second 1 on: %v, want %v", got, want)
	}
	if list := unsent(parts[2:3], time.Second); list != nil {
		t.Errorf("with no whole shard to go by: %v", list)
	}
}
