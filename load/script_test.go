package load

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/scenario"
)

func TestOneConversationIsShownTurnByTurn(t *testing.T) {
	// The same as conversation 3 of a whole load.
	var want []string
	for _, s := range transcript(t, 11, 0, 1) {
		if s.user == "u3" {
			want = append(want, s.text)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		sc := bazaar()
		f := newFake()
		f.answer = echoing(time.Millisecond)
		o := Options{Scenario: sc, Seed: 11, Driver: f}
		var steps []string
		err := OneConversation(context.Background(), o, 3, 0, func(s *Step) bool {
			steps = append(steps, fmt.Sprintf("%s %d/%d %v %s", s.Conversation, s.Number, s.Of, s.Judgement.Outcome, s.Turn.Text))
			return true
		})
		if err != nil || f.open.Load() != 0 {
			t.Fatal(err, f.open.Load())
		}
		if len(steps) != len(want) {
			t.Fatalf("%d turns shown, a load sends %d", len(steps), len(want))
		}
		for i := range steps {
			if !strings.HasSuffix(steps[i], " ok "+want[i]) {
				t.Errorf("shown %q, a load sends %q", steps[i], want[i])
			}
		}
		shown := 0
		if err := OneConversation(context.Background(), o, 3, 0, func(*Step) bool { shown++; return false }); err != nil || shown != 1 {
			t.Errorf("%d turns after show answered false, %v", shown, err)
		}
	})
}

// FuzzText: no text panics, and one without places comes out as it went in, but
// for its double dollars.
func FuzzText(f *testing.F) {
	for _, say := range []string{"", "$", "$$", "${", "${}", "${user.id}", "${orders.no}${codes.code}", "5$ und ${turn.index}", "$${user.id}", "${env:X}"} {
		f.Add(say)
	}
	s, err := NewScript(bazaar(), 1, "r")
	if err != nil {
		f.Fatal(err)
	}
	c := &conversation{}
	c.identify(1)
	c.begin(1, s)
	f.Fuzz(func(t *testing.T, say string) {
		parsed, err := s.parseText(say)
		if err != nil {
			return
		}
		got := string(parsed.Append(nil, c))
		if !strings.Contains(say, "${") && got != strings.ReplaceAll(say, "$$", "$") {
			t.Fatalf("%q became %q", say, got)
		}
	})
}

func TestScriptSaysWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(*scenario.Scenario){
		"there is none":                       func(sc *scenario.Scenario) { sc.Conversations = nil },
		"turns: there is none":                func(sc *scenario.Scenario) { sc.Conversations[0].Turns = nil },
		"on_error":                            func(sc *scenario.Scenario) { sc.Conversations[0].OnError = "panic" },
		"a } is missing":                      func(sc *scenario.Scenario) { sc.Conversations[0].Turns[0].Say = "${orders" },
		"no column \"x\"":                     func(sc *scenario.Scenario) { sc.Conversations[0].Turns[0].Say = "${orders.x}" },
		"nor a table of that name":            func(sc *scenario.Scenario) { sc.Conversations[0].Turns[0].Say = "${nobody.x}" },
		"${env:X}: there is no such variable": func(sc *scenario.Scenario) { sc.Conversations[0].Turns[0].Say = "${env:X}" },
		"expect: matches":                     func(sc *scenario.Scenario) { sc.Conversations[0].Turns[0].Expect = &scenario.Expect{Matches: "("} },
		"checks.canned[0]":                    func(sc *scenario.Scenario) { sc.Checks.Canned = []string{"("} },
		"data.orders: has no rows":            func(sc *scenario.Scenario) { sc.Data["orders"] = scenario.Data{Columns: []string{"no"}} },
		"row 1 has 0 of 1 columns": func(sc *scenario.Scenario) {
			sc.Data["orders"] = scenario.Data{Columns: []string{"no"}, Table: [][]string{{}}}
		},
	} {
		sc := bazaar()
		change(sc)
		if _, err := NewScript(sc, 1, "r"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	for want, o := range map[string]Options{
		"a scenario and a driver": {},
		"at least one lane":       {Scenario: bazaar(), Driver: newFake()},
		"the shard":               {Scenario: bazaar(), Driver: newFake(), Lanes: []Lane{&book{}}, Shard: 3, Shards: 3},
	} {
		if _, err := Run(always(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
