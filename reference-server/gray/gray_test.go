package gray

import (
	"fmt"
	"testing"

	"github.com/cstest/cstest/reference-server/knobs"
)

func profile(t *testing.T) *knobs.Settings {
	t.Helper()
	set, err := knobs.Profile(knobs.Hardened)
	if err != nil {
		t.Fatal(err)
	}
	return &set
}

func TestShareOfUsers(t *testing.T) {
	set := profile(t)
	n := 0
	const users = 200_000
	for i := range users {
		if member(fmt.Sprintf("user-%d", i), set, 0.05) {
			n++
		}
	}
	if share := float64(n) / users; share < 0.048 || share > 0.052 {
		t.Errorf("gray share %.4f, want 0.05", share)
	}
	set.GrayMode = "tail"
	for uid, want := range map[string]bool{"u00": true, "u04": true, "u05": false, "u99": false, "": false, "ab": false, "用户": false, "x4": false} {
		if got := member(uid, set, 0.05); got != want {
			t.Errorf("tail of %q: %v, want %v", uid, got, want)
		}
	}
}

// Who is in the group stays in when the share grows, and nobody comes in when it
// shrinks.
func TestGroupsAreSticky(t *testing.T) {
	for _, mode := range []string{"hash", "tail"} {
		set := profile(t)
		set.GrayMode = mode
		for i := range 5000 {
			uid := fmt.Sprintf("user-%d", i)
			in := false
			for share := 0.0; share <= 1; share += 0.01 {
				now := member(uid, set, share)
				if in && !now {
					t.Fatalf("%s: %s is out again at %.0f %%", mode, uid, 100*share)
				}
				in = now
			}
		}
	}
}

func TestBudget(t *testing.T) {
	for name, c := range map[string]struct {
		looks       [][2]Tally // gray, rest
		burnt       bool
		wantStrikes int
	}{
		"worse, twice":           {[][2]Tally{{{100, 20}, {900, 9}}, {{110, 22}, {950, 9}}}, true, 2},
		"worse, once":            {[][2]Tally{{{100, 20}, {900, 9}}}, false, 1},
		"worse, a doubt, worse":  {[][2]Tally{{{100, 20}, {900, 9}}, {{100, 3}, {900, 9}}, {{100, 20}, {900, 9}}}, true, 2},
		"worse, good, worse":     {[][2]Tally{{{100, 20}, {900, 9}}, {{100, 1}, {900, 9}}, {{100, 20}, {900, 9}}}, false, 1},
		"too few of the group":   {[][2]Tally{{{49, 49}, {900, 0}}, {{49, 49}, {900, 0}}}, false, 0},
		"too few of the rest":    {[][2]Tally{{{100, 100}, {49, 0}}, {{100, 100}, {49, 0}}}, false, 0},
		"chance":                 {[][2]Tally{{{60, 3}, {900, 9}}, {{60, 3}, {900, 9}}}, false, 0},
		"everybody has a storm":  {[][2]Tally{{{500, 450}, {4500, 4000}}, {{500, 450}, {4500, 4000}}}, false, 0},
		"within the budget":      {[][2]Tally{{{50_000, 1400}, {450_000, 4500}}, {{50_000, 1400}, {450_000, 4500}}}, false, 0},
		"just above, surely":     {[][2]Tally{{{50_000, 1600}, {450_000, 4500}}, {{50_000, 1600}, {450_000, 4500}}}, true, 2},
		"better than the rest":   {[][2]Tally{{{500, 0}, {4500, 450}}, {{500, 0}, {4500, 450}}}, false, 0},
		"nothing at all is good": {[][2]Tally{{{500, 500}, {4500, 4500}}, {{500, 500}, {4500, 4500}}}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var j judge
			burnt := false
			for _, look := range c.looks {
				_, burnt = j.burnt(look[0], look[1], 0.02, 50)
			}
			if burnt != c.burnt || j.bad != c.wantStrikes {
				t.Errorf("burnt %v with %d strikes, want %v, %d", burnt, j.bad, c.burnt, c.wantStrikes)
			}
		})
	}
}

func FuzzRelease(f *testing.F) {
	f.Add(Release{Version: 1, State: Running, Share: 0.1, Knobs: map[string]string{"llm.model": "x"}, By: ByOperator}.encode())
	f.Add(`{"version":1,"state":"running","share":2}`)
	set, err := knobs.Profile(knobs.Hardened)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := decodeRelease(text, &set)
		if err != nil {
			return
		}
		again, err := decodeRelease(r.encode(), &set)
		if err != nil || again.encode() != r.encode() {
			t.Errorf("%q becomes %q: %v", text, r.encode(), err)
		}
	})
}
