package load

import (
	"testing"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Whatever makes an answer a lesser one excuses it from knowing the dialog, each
// alone, and proves nothing about memory even where it does know it.
func TestLesserAnswersNeedNotKnowTheDialog(t *testing.T) {
	custom := func(sc *scenario.Scenario) { sc.Target.API = "custom" }
	for name, c := range map[string]struct {
		rules  func(*scenario.Scenario)
		change func(*driver.Reply)
		begin  string
	}{
		"degraded by its own word": {nil, func(r *driver.Reply) { r.Degraded = true }, ""},
		"a tier below the model":   {custom, func(r *driver.Reply) { r.Tier = []byte("faq") }, ""},
		"a canned line":            {nil, func(*driver.Reply) {}, "sorry, we are busy"},
		"a tier nobody mapped":     {custom, func(r *driver.Reply) { r.Unmapped = true }, ""},
	} {
		for _, echo := range []string{"", " c:AAAAAAAA.1 c:AAAAAAAA.2 c:AAAAAAAA.3"} {
			r := good()
			r.Answer = append([]byte(c.begin), seen(echo)...)
			c.change(r)
			j := Classify(r, third(), rulesOf(t, c.rules))
			if j.Outcome != measure.Degraded || j.Memory != measure.NotVerified {
				t.Errorf("%s, seen%s: %v, memory %v", name, echo, j.Outcome, j.Memory)
			}
		}
	}
	r := good()
	r.Answer = seen("")
	if j := Classify(r, third(), rulesOf(t, nil)); j.Outcome != measure.ContextLost || j.Memory != measure.NotVerified {
		t.Errorf("an answer of the model that saw nothing: %v, memory %v", j.Outcome, j.Memory)
	}
}

func TestLostDialogs(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*driver.Reply, *Asked)
		outcome measure.Outcome
		message string
	}{
		{"no dialog state, from another tier", func(r *driver.Reply, _ *Asked) {
			r.ContextStatus, r.Tier = []byte("unavailable"), []byte("faq")
		}, measure.Degraded, "answered without dialog state"},
		{"no dialog state at the first turn", func(r *driver.Reply, a *Asked) {
			r.ContextStatus, a.Turn, a.Kept, r.Answer, r.ContextTurns = []byte("unavailable"), 1, nil, seen(" c:AAAAAAAA.1"), 1
		}, measure.Degraded, "answered without dialog state"},
		{"new, of a dialog that was never named", func(r *driver.Reply, a *Asked) {
			r.ContextStatus, a.DialogID = []byte("new"), nil
		}, measure.OK, ""},
		{"new, of a dialog with the shortest of names", func(r *driver.Reply, a *Asked) {
			r.ContextStatus, a.DialogID = []byte("new"), []byte("7")
		}, measure.ContextLost, "the server began the dialog anew"},
		{"a server that says it gave no turn", func(r *driver.Reply, _ *Asked) { r.ContextTurns = 0 }, measure.ContextLost, "the model saw another length of dialog than the server says"},
		{"a start that was never kept", func(r *driver.Reply, a *Asked) {
			r.ContextTurns, a.Kept, r.Answer = -1, []bool{false, true}, seen(" c:AAAAAAAA.2 c:AAAAAAAA.3")
		}, measure.OK, ""},
		{"a trace id that begins as ours and goes on", func(r *driver.Reply, _ *Asked) {
			r.TraceID = []byte(ownTraceHex + "ff")
		}, measure.OK, ""},
		{"a trace id that begins as ours and stops short", func(r *driver.Reply, _ *Asked) {
			r.TraceID = []byte(ownTraceHex[:16] + "ff")
		}, measure.OK, ""},
		{"a trace id of another run", func(r *driver.Reply, _ *Asked) {
			r.TraceID = []byte(ownTraceHex[:12] + "ffff" + ownTraceHex[16:])
		}, measure.OK, ""},
		{"one letter where one was expected", func(r *driver.Reply, a *Asked) {
			r.Answer, a.Memory, a.Expect = []byte("y"), false, &Expectation{contains: []byte("n")}
		}, measure.Unexpected, "expectation not met"},
		{"one letter", func(r *driver.Reply, a *Asked) { r.Answer, a.Memory, a.Expect = []byte("n"), false, nil }, measure.OK, ""},
		{"one space", func(r *driver.Reply, _ *Asked) { r.Answer = []byte(" ") }, measure.ServerError, "empty answer"},
		{"busy, but not to try later", func(r *driver.Reply, _ *Asked) { r.Answer = []byte("券 系统繁忙,别着急") }, measure.OK, ""},
		{"busy and try later, without a comma", func(r *driver.Reply, _ *Asked) { r.Answer = []byte("券 系统繁忙请稍后再试") }, measure.OK, ""},
	} {
		r, a := good(), third()
		c.change(r, a)
		if j := Classify(r, a, rulesOf(t, nil)); j.Outcome != c.outcome || j.Message != c.message {
			t.Errorf("%s: %v %q, want %v %q", c.name, j.Outcome, j.Message, c.outcome, c.message)
		}
	}
}

// Who says "degraded" itself is believed; of the others a tier below the model is.
func TestWhoSaysDegraded(t *testing.T) {
	for name, c := range map[string]struct {
		target scenario.Target
		want   measure.Outcome
	}{
		"the bundled server":                {scenario.Target{Bundled: &scenario.Bundled{}}, measure.OK},
		"the article's, bundled":            {scenario.Target{Bundled: &scenario.Bundled{}, API: scenario.APIArticle}, measure.Degraded},
		"one's own":                         {scenario.Target{API: scenario.APICustom}, measure.Degraded},
		"one's own that has a word for it":  {scenario.Target{API: scenario.APICustom, Response: &scenario.Response{Degraded: "meta.degraded"}}, measure.OK},
		"one's own with other words mapped": {scenario.Target{API: scenario.APICustom, Response: &scenario.Response{}}, measure.Degraded},
	} {
		r := good()
		r.Tier = []byte("faq")
		if j := Classify(r, third(), rulesOf(t, func(sc *scenario.Scenario) { sc.Target = c.target })); j.Outcome != c.want {
			t.Errorf("%s: %v, want %v", name, j.Outcome, c.want)
		}
	}
}

// A contract of less than one a second is a contract.
func TestSmallContractExcludes(t *testing.T) {
	r, a := good(), third()
	r.Status = 429
	rules := rulesOf(t, func(sc *scenario.Scenario) {
		sc.SLA.RateLimited = scenario.RateLimited{Policy: scenario.PolicyContract, Contract: 0.5}
	})
	if j := Classify(r, a, rules); !j.Excluded {
		t.Error("a 429 beyond 30 a minute is counted")
	}
}

// A planted entry is a column where there is such a table and column, and stands
// for itself elsewhere.
func TestPlantedColumnsAndTexts(t *testing.T) {
	rules := rulesOf(t, func(sc *scenario.Scenario) {
		sc.Data = map[string]scenario.Data{"orders": {Columns: []string{"no", "phone"}, Table: [][]string{{"SF-77", "13800138000"}, {"SF-78"}, {"", ""}}}}
		sc.Checks.Planted = []string{"orders.no", "orders.nosuch", "shop.example", "内部工号"}
	})
	for text, want := range map[string]bool{
		"券 SF-77": true, "券 SF-78": true, "券 orders.no": false, "券 orders.nosuch": true, "券 shop.example": true,
		"券 13800138000": false, "内部工号 券": true,
	} {
		r := good()
		r.Answer = []byte(text)
		if j := Classify(r, third(), rules); j.Planted != want {
			t.Errorf("%q: planted %v, want %v", text, j.Planted, want)
		}
	}
}
