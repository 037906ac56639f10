package refserver

import (
	"fmt"
	"slices"
	"testing"
)

// observation is one answer as its client saw it.
type observation struct {
	dialog, turnID, mark string // the mark is in the turn's text and in no other's
	body                 string
	seq                  int
	epoch                int64
	status               string
	persisted            bool
	byModel              bool
	saw                  []string // marks in the users' lines of the prompt
	order                int      // when the answer came, of its dialog
}

// keptTurns is how many turns before it a prompt may hold at most.
const keptTurns = 19

// violations holds a history against G1–G5. indeterminate are the turns, by dialog,
// whose clients have no answer that says whether they are kept.
func violations(history []observation, indeterminate map[string]int) []string {
	var found []string
	bad := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	bodies := map[string]string{}
	owner := map[string]string{} // of marks
	byDialog := map[string][]observation{}
	for _, o := range history {
		owner[o.mark] = o.dialog
		if before, again := bodies[o.turnID]; again {
			if before != o.body {
				bad("G3: turn %s was answered %s and then %s", o.turnID, before, o.body)
			}
			continue
		}
		bodies[o.turnID] = o.body
		byDialog[o.dialog] = append(byDialog[o.dialog], o)
	}
	for dialog, all := range byDialog {
		slices.SortFunc(all, func(a, b observation) int { return a.order - b.order })
		found = append(found, epochs(dialog, all, indeterminate[dialog])...)
		for _, o := range all {
			for _, mark := range o.saw {
				if owner[mark] != "" && owner[mark] != dialog {
					bad("G4: %s of dialog %s saw %s of %s", o.turnID, dialog, mark, owner[mark])
				}
			}
		}
	}
	return found
}

// epochs holds one dialog against G1, G2 and G5.
func epochs(dialog string, all []observation, indeterminate int) (found []string) {
	bad := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	bySeq := map[int64]map[int]observation{}
	for _, o := range all {
		if !o.persisted {
			continue
		}
		if bySeq[o.epoch] == nil {
			bySeq[o.epoch] = map[int]observation{}
		}
		if other, taken := bySeq[o.epoch][o.seq]; taken {
			bad("G1: %s and %s are both turn %d of epoch %d of %s", other.turnID, o.turnID, o.seq, o.epoch, dialog)
		}
		bySeq[o.epoch][o.seq] = o
	}
	gaps := 0
	for epoch, turns := range bySeq {
		last := 0
		for seq := range turns {
			last = max(last, seq)
		}
		gaps += last - len(turns)
		for seq, o := range turns {
			if !o.byModel {
				continue
			}
			for before := max(1, seq-keptTurns); before < seq; before++ {
				if b, there := turns[before]; there && !slices.Contains(o.saw, b.mark) {
					bad("G2: turn %d of epoch %d of %s did not see turn %d", seq, epoch, dialog, before)
				}
			}
		}
	}
	if gaps > indeterminate {
		bad("G1: %d numbers of %s are missing, and %d turns are without an answer", gaps, dialog, indeterminate)
	}
	var latest int64
	for _, o := range all {
		if !o.persisted {
			continue
		}
		if latest != 0 && o.epoch != latest && o.seq == 1 && o.status != "expired" {
			bad("G5: %s begins epoch %d after %d and says %q", o.turnID, o.epoch, latest, o.status)
		}
		latest = max(latest, o.epoch)
	}
	return found
}

// The checker finds what it is there for, and nothing in a history without flaw.
func TestTheCheckerFindsViolations(t *testing.T) {
	good := func() []observation {
		return []observation{
			{dialog: "d", turnID: "t1", mark: "m1", body: "a", seq: 1, epoch: 7, status: "new", persisted: true, byModel: true, saw: []string{"m1"}, order: 1},
			{dialog: "d", turnID: "t2", mark: "m2", body: "b", seq: 2, epoch: 7, status: "ok", persisted: true, byModel: true, saw: []string{"m1", "m2"}, order: 2},
			{dialog: "d", turnID: "t2", mark: "m2", body: "b", seq: 2, epoch: 7, status: "ok", persisted: true, byModel: true, saw: []string{"m1", "m2"}, order: 3},
			{dialog: "d", turnID: "t3", mark: "m3", body: "c", seq: 1, epoch: 9, status: "expired", persisted: true, byModel: true, saw: []string{"m3"}, order: 4},
			{dialog: "e", turnID: "t4", mark: "m4", body: "e", seq: 1, epoch: 8, status: "new", persisted: true, byModel: true, saw: []string{"m4"}, order: 1},
		}
	}
	if v := violations(good(), nil); len(v) > 0 {
		t.Errorf("a history without flaw: %v", v)
	}
	for want, spoil := range map[string]func([]observation){
		"G1: 1 numbers":            func(h []observation) { h[1].seq, h[2].seq = 3, 3 },
		"G1: t1 and t2":            func(h []observation) { h[1].seq, h[2].seq = 1, 1 },
		"G2: turn 2":               func(h []observation) { h[1].saw = []string{"m2"} },
		"G3: turn t2":              func(h []observation) { h[2].body = "other" },
		"G4: t4 of dialog e saw m": func(h []observation) { h[4].saw = append(h[4].saw, "m1") },
		"G5: t3":                   func(h []observation) { h[3].status = "ok" },
	} {
		h := good()
		spoil(h)
		v := violations(h, nil)
		if !slices.ContainsFunc(v, func(s string) bool { return len(s) >= len(want) && s[:len(want)] == want }) {
			t.Errorf("%s: not found in %v", want, v)
		}
	}
	h := good()
	h[1].seq, h[2].seq = 3, 3
	if v := violations(h, map[string]int{"d": 1}); len(v) > 0 {
		t.Errorf("a turn without an answer may have the number: %v", v)
	}
}
