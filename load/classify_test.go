package load

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

const (
	ownDialog   = "0123456789abcdef0123456789abcdef"
	otherDialog = "fedcba9876543210fedcba9876543210"
)

var (
	ownCanary   = Canary{'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'}
	ownTrace    = [16]byte{0xc5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	ownTraceHex = "c501020304050607" + "08090a0b0c0d0e0f"
)

// third is the third turn of a dialog whose first two were answered.
func third() *Asked {
	return &Asked{
		Turn: 3, DialogID: []byte(ownDialog), TraceID: ownTrace, TurnID: ownTrace, Canary: ownCanary, Memory: true,
		Kept: []bool{true, true}, Expect: &Expectation{contains: []byte("券")},
	}
}

// good is its answer.
func good() *driver.Reply {
	return &driver.Reply{
		Status: 200, OK: true, ContextTurns: 3, ContextStatus: []byte("ok"), Tier: []byte("llm"),
		DialogID: []byte(ownDialog), TraceID: []byte(ownTraceHex),
		Answer: []byte("优惠券可以用⟦seen c:AAAAAAAA.1 c:AAAAAAAA.2 c:AAAAAAAA.3⟧"),
	}
}

func rulesOf(t testing.TB, change func(*scenario.Scenario)) *Rules {
	sc := &scenario.Scenario{
		Target: scenario.Target{API: "reference"},
		Checks: scenario.Checks{Planted: []string{"orders.phone", "机密"}, Canned: []string{`^sorry, (I am|we are) busy`}},
		Data:   map[string]scenario.Data{"orders": {Columns: []string{"no", "phone"}, Table: [][]string{{"1", "13800138000"}, {"2", "13900139000"}}}},
	}
	if change != nil {
		change(sc)
	}
	rules, err := NewRules(sc)
	if err != nil {
		t.Fatal(err)
	}
	return &rules
}

func seen(turns string) []byte { return []byte("优惠券可以用⟦seen" + turns + "⟧") }

func TestClassify(t *testing.T) {
	excluded := func(sc *scenario.Scenario) { sc.SLA.RateLimited.Policy = "exclude" }
	contract := func(sc *scenario.Scenario) {
		sc.SLA.RateLimited = scenario.RateLimited{Policy: "contract", Contract: 500}
	}
	silent := func(sc *scenario.Scenario) { sc.Target.API = "custom" } // never says whether degraded
	type reply = driver.Reply
	tests := []struct {
		name    string
		rules   func(*scenario.Scenario)
		change  func(*reply, *Asked)
		outcome measure.Outcome
		message string
	}{
		{"a good answer", nil, func(*reply, *Asked) {}, measure.OK, ""},

		{"another dialog's id", nil, func(r *reply, a *Asked) { r.DialogID, a.Elsewhere = []byte(otherDialog), true }, measure.Integrity, "answer carries another dialog's id"},
		{"another dialog's id in an error", nil, func(r *reply, a *Asked) { r.Status, r.DialogID, a.Elsewhere = 500, []byte(otherDialog), true }, measure.Integrity, "answer carries another dialog's id"},
		{"another id, which is nobody's", nil, func(r *reply, _ *Asked) { r.DialogID = []byte(otherDialog) }, measure.OK, ""},
		{"another's id, where none was sent", nil, func(r *reply, a *Asked) { r.DialogID, a.DialogID, a.Elsewhere = []byte(otherDialog), nil, true }, measure.OK, ""},
		{"another's id, openly expired", nil, func(r *reply, a *Asked) {
			r.DialogID, r.ContextStatus, a.Elsewhere = []byte(otherDialog), []byte("expired"), true
		}, measure.ContextLost, "the server says the dialog expired"},
		{"a new id, openly", nil, func(r *reply, a *Asked) {
			r.DialogID, r.ContextStatus, a.Elsewhere = []byte(otherDialog), []byte("new"), true
		}, measure.ContextLost, "the server began the dialog anew"},
		{"an id where none was asked", nil, func(r *reply, a *Asked) { a.DialogID = nil }, measure.OK, ""},
		{"a foreign canary in the list", nil, func(r *reply, _ *Asked) {
			r.Answer = seen(" c:BBBBBBBB.1 c:AAAAAAAA.1 c:AAAAAAAA.2 c:AAAAAAAA.3")
		}, measure.Integrity, "answer carries another conversation's canary"},
		{"a foreign canary in the text", nil, func(r *reply, _ *Asked) { r.Answer = []byte("券 你好⟦c:BBBBBBBB.7⟧") }, measure.Integrity, "answer carries another conversation's canary"},
		{"a foreign canary in a broken stream", nil, func(r *reply, _ *Asked) {
			r.Reason, r.Answer = driver.Truncated, []byte("⟦c:BBBBBBBB.7⟧")
		}, measure.Integrity, "answer carries another conversation's canary"},
		{"the answer to another turn", nil, func(r *reply, _ *Asked) { r.TraceID = []byte("c501020304050607ffffffffffffffff") }, measure.Integrity, "answer is to another turn"},
		{"the turn id of another turn", nil, func(r *reply, _ *Asked) { r.TurnID = []byte("c501020304050607ffffffffffffffff") }, measure.Integrity, "answer is to another turn"},
		{"a trace id of the server's own", nil, func(r *reply, _ *Asked) { r.TraceID = []byte("4bf92f3577b34da6a3ce929d0e0e4736") }, measure.OK, ""},

		{"no connection", nil, func(r *reply, _ *Asked) { r.Reason, r.Message = driver.Unreachable, "refused" }, measure.TransportError, "refused"},
		{"a reset", nil, func(r *reply, _ *Asked) { r.Reason = driver.Broken }, measure.TransportError, "connection broken"},
		{"the deadline", nil, func(r *reply, _ *Asked) { r.Reason = driver.TimedOut }, measure.Timeout, "no answer in time"},
		{"a reset beats the status", nil, func(r *reply, _ *Asked) { r.Reason, r.Status = driver.Broken, 503 }, measure.TransportError, "connection broken"},
		{"a malformed body", nil, func(r *reply, _ *Asked) { r.Reason = driver.Malformed }, measure.ServerError, "malformed answer"},
		{"an oversized body", nil, func(r *reply, _ *Asked) { r.Reason = driver.Oversized }, measure.ServerError, "answer beyond target.limits"},
		{"a stream that breaks off", nil, func(r *reply, _ *Asked) { r.Reason = driver.Truncated }, measure.Truncated, "stream ended without its terminal event"},
		{"interrupted", nil, func(r *reply, _ *Asked) { r.Reason = driver.Interrupted }, measure.Censored, "unanswered when the load ended"},
		{"our own fault", nil, func(r *reply, _ *Asked) { r.Reason = driver.Exhausted }, measure.DroppedGenerator, "out of descriptors or ports"},

		{"500", nil, func(r *reply, _ *Asked) { r.Status = 500 }, measure.ServerError, ""},
		{"503 without a word", nil, func(r *reply, _ *Asked) { r.Status = 503 }, measure.ServerError, ""},
		{"503 that cannot reach its state", nil, func(r *reply, _ *Asked) { r.Status, r.Code = 503, []byte("state-unavailable") }, measure.ServerError, ""},
		{"503 shed", nil, func(r *reply, _ *Asked) { r.Status, r.Code = 503, []byte("shed") }, measure.Shed, ""},
		{"503 draining", nil, func(r *reply, _ *Asked) { r.Status, r.Code = 503, []byte("draining") }, measure.Shed, ""},
		{"500 is not shed", nil, func(r *reply, _ *Asked) { r.Status, r.Code = 500, []byte("shed") }, measure.ServerError, ""},
		{"429", nil, func(r *reply, _ *Asked) { r.Status, r.OK, r.Answer = 429, false, nil }, measure.RateLimited, ""},
		{"400", nil, func(r *reply, _ *Asked) { r.Status = 400 }, measure.ClientError, ""},
		{"409 turn in progress", nil, func(r *reply, _ *Asked) { r.Status = 409 }, measure.ClientError, ""},
		{"a redirect", nil, func(r *reply, _ *Asked) { r.Status = 302 }, measure.ClientError, "a redirect, which is not followed"},
		{"ok not true", nil, func(r *reply, _ *Asked) { r.OK = false }, measure.ServerError, "response.ok is not true"},
		{"ok missing", nil, func(r *reply, _ *Asked) { r.OK, r.Missing = false, driver.PlaceOK }, measure.ServerError, "response.ok is not in the answer"},
		{"cut off by the model's limit", nil, func(r *reply, _ *Asked) { r.Finish = []byte("length") }, measure.Degraded, "cut off: finish_reason length"},
		{"filtered", nil, func(r *reply, _ *Asked) { r.Finish = []byte("content_filter") }, measure.Degraded, "filtered: finish_reason content_filter"},
		{"ended for no reason known", nil, func(r *reply, _ *Asked) { r.Finish = []byte("insufficient_system_resource") }, measure.Degraded, "finish_reason is none of those known"},
		{"cut off, as the scenario allows", func(sc *scenario.Scenario) { sc.Checks.Finish = []string{"x", "length"} }, func(r *reply, _ *Asked) { r.Finish = []byte("length") }, measure.OK, ""},
		{"stopped", nil, func(r *reply, _ *Asked) { r.Finish = []byte("stop") }, measure.OK, ""},
		{"tools called, without text", func(sc *scenario.Scenario) { sc.Checks.Memory = "off" }, func(r *reply, a *Asked) {
			r.Finish, r.Answer, a.Expect = []byte("tool_calls"), nil, nil
		}, measure.OK, ""},
		{"a function called, without text", nil, func(r *reply, a *Asked) {
			r.Finish, r.Answer, a.Expect = []byte("function_call"), nil, nil
		}, measure.OK, ""},
		{"an empty answer", nil, func(r *reply, _ *Asked) { r.Answer = nil }, measure.ServerError, "empty answer"},
		{"a dialog id beyond all measure", nil, func(r *reply, a *Asked) { a.DialogID, r.DialogID = nil, make([]byte, 1025) }, measure.ServerError, "dialog id of more than 1 KiB"},
		{"an answer of spaces", nil, func(r *reply, _ *Asked) { r.Answer = []byte(" \n\u3000") }, measure.ServerError, "empty answer"},

		{"expired", nil, func(r *reply, _ *Asked) { r.ContextStatus = []byte("expired") }, measure.ContextLost, "the server says the dialog expired"},
		{"expired and degraded", nil, func(r *reply, _ *Asked) { r.ContextStatus, r.Degraded = []byte("expired"), true }, measure.ContextLost, "the server says the dialog expired"},
		{"expired, but nothing was kept before", nil, func(r *reply, a *Asked) {
			r.ContextStatus, a.Kept, r.ContextTurns, r.Answer = []byte("expired"), []bool{false, false}, 1, seen(" c:AAAAAAAA.3")
		}, measure.OK, ""},
		{"new, but nothing was answered before", nil, func(r *reply, a *Asked) {
			r.ContextStatus, a.Kept, r.ContextTurns, r.Answer = []byte("new"), []bool{false, false}, 1, seen(" c:AAAAAAAA.3")
		}, measure.OK, ""},
		{"unavailable, from the model", nil, func(r *reply, _ *Asked) { r.ContextStatus = []byte("unavailable") }, measure.ContextLost, "the server says the dialog is unavailable"},
		{"unavailable, from a template", nil, func(r *reply, _ *Asked) {
			r.ContextStatus, r.Degraded, r.Tier = []byte("unavailable"), true, []byte("static")
		}, measure.Degraded, "degraded"},
		{"the start forgotten", nil, func(r *reply, _ *Asked) { r.Answer = seen(" c:AAAAAAAA.3") }, measure.ContextLost, "the model saw another length of dialog than the server says"},
		{"trimmed as the server says", nil, func(r *reply, _ *Asked) {
			r.ContextTurns, r.Answer = 2, seen(" c:AAAAAAAA.2 c:AAAAAAAA.3")
		}, measure.OK, ""},
		{"the start forgotten, the server silent", nil, func(r *reply, _ *Asked) {
			r.ContextTurns, r.Answer = -1, seen(" c:AAAAAAAA.2 c:AAAAAAAA.3")
		}, measure.ContextLost, "the model did not see the start of the dialog"},
		{"a gap", nil, func(r *reply, _ *Asked) { r.Answer = seen(" c:AAAAAAAA.1 c:AAAAAAAA.3") }, measure.ContextLost, "the model saw the dialog with a gap"},
		{"a gap where a turn failed", nil, func(r *reply, a *Asked) {
			r.ContextTurns, a.Kept, r.Answer = 2, []bool{true, false}, seen(" c:AAAAAAAA.1 c:AAAAAAAA.3")
		}, measure.OK, ""},
		{"a turn that failed but was heard", nil, func(r *reply, a *Asked) { a.Kept = []bool{true, false} }, measure.OK, ""},
		{"a retried turn heard twice", nil, func(r *reply, a *Asked) {
			r.ContextTurns, r.Answer = 4, seen(" c:AAAAAAAA.1 c:AAAAAAAA.2 c:AAAAAAAA.3 c:AAAAAAAA.3")
		}, measure.OK, ""},
		{"backwards", nil, func(r *reply, _ *Asked) { r.Answer = seen(" c:AAAAAAAA.3 c:AAAAAAAA.2 c:AAAAAAAA.1") }, measure.ContextLost, "the model saw the dialog out of order"},
		{"without the turn itself", nil, func(r *reply, _ *Asked) {
			r.ContextTurns, r.Answer = 2, seen(" c:AAAAAAAA.1 c:AAAAAAAA.2")
		}, measure.ContextLost, "the model did not see the turn last"},
		{"nothing seen", nil, func(r *reply, _ *Asked) { r.Answer = seen("") }, measure.ContextLost, "the model did not see the turn"},
		{"lost beats the expectation", nil, func(r *reply, _ *Asked) { r.Answer = []byte("不知道⟦seen⟧") }, measure.ContextLost, "the model did not see the turn"},
		{"cached: the model saw nothing", nil, func(r *reply, _ *Asked) { r.Cached, r.Answer = true, seen(" c:AAAAAAAA.3") }, measure.OK, ""},
		{"memory off", nil, func(r *reply, a *Asked) { a.Memory, r.Answer = false, seen(" c:BBBBBBBB.1") }, measure.OK, ""},

		{"degraded by its own word", nil, func(r *reply, _ *Asked) { r.Degraded = true }, measure.Degraded, "degraded"},
		{"degraded skips the expectation", nil, func(r *reply, _ *Asked) { r.Degraded, r.Answer = true, []byte("稍等") }, measure.Degraded, "degraded"},
		{"a human, and not degraded by its own word", nil, func(r *reply, _ *Asked) { r.Tier, r.Answer = []byte("handoff"), []byte("转人工 券") }, measure.OK, ""},
		{"a human, where the server never says", silent, func(r *reply, _ *Asked) { r.Tier = []byte("handoff") }, measure.Degraded, "degraded"},
		{"a tier nobody knows", silent, func(r *reply, _ *Asked) { r.Tier = []byte("gpt") }, measure.Degraded, measure.UnmappedTier},
		{"a tier the scenario's map lacks, called as ours", silent, func(r *reply, _ *Asked) { r.Tier, r.Unmapped = []byte("llm"), true }, measure.Degraded, measure.UnmappedTier},
		{"a template, where the server does not say what it should", named, func(r *reply, _ *Asked) {
			r.Tier, r.Missing = []byte("faq"), driver.PlaceDegraded
		}, measure.Degraded, "degraded"},
		{"a template, and the server says that it is none the worse", named, func(r *reply, _ *Asked) { r.Tier = []byte("faq") }, measure.OK, ""},
		{"no tier at all", silent, func(r *reply, _ *Asked) { r.Tier, r.Missing = nil, driver.PlaceTier }, measure.OK, ""},
		{"the article's line", nil, func(r *reply, _ *Asked) { r.Answer = []byte("系统繁忙,请稍后再试") }, measure.Degraded, "canned line"},
		{"the article's line, full-width comma", silent, func(r *reply, _ *Asked) { r.Answer = []byte("抱歉,系统繁忙\uff0c请稍后再试。") }, measure.Degraded, "canned line"},
		{"a line of the scenario's", nil, func(r *reply, _ *Asked) { r.Answer = []byte("sorry, we are busy") }, measure.Degraded, "canned line"},
		{"not the line", nil, func(r *reply, _ *Asked) { r.Answer = []byte("券:系统繁忙时请重试") }, measure.OK, ""},
		{"not at the start", nil, func(r *reply, _ *Asked) { r.Answer = []byte("券 sorry, we are busy") }, measure.OK, ""},

		{"expectation not met", nil, func(r *reply, _ *Asked) { r.Answer = []byte("好的") }, measure.Unexpected, "expectation not met"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, a := good(), third()
			tt.change(r, a)
			j := Classify(r, a, rulesOf(t, tt.rules))
			if j.Outcome != tt.outcome || j.Message != tt.message {
				t.Errorf("%v %q, want %v %q", j.Outcome, j.Message, tt.outcome, tt.message)
			}
			if j.Excluded {
				t.Error("excluded without a policy")
			}
		})
	}
	for name, tt := range map[string]struct {
		rules func(*scenario.Scenario)
		owed  bool
		want  bool
	}{
		"exclude":             {excluded, true, true},
		"contract, inside":    {contract, true, false},
		"contract, excess":    {contract, false, true},
		"bad, covered or not": {nil, false, false},
	} {
		r, a := good(), third()
		r.Status, a.Owed = 429, tt.owed
		if j := Classify(r, a, rulesOf(t, tt.rules)); j.Excluded != tt.want || j.Outcome != measure.RateLimited {
			t.Errorf("%s: %v, excluded %v, want %v", name, j.Outcome, j.Excluded, tt.want)
		}
		r.Status = 200
		if j := Classify(r, a, rulesOf(t, tt.rules)); j.Excluded || j.Outcome != measure.OK {
			t.Errorf("%s: an answer is excluded", name)
		}
	}
}

// named is a target whose answers should say whether they are degraded.
func named(sc *scenario.Scenario) {
	sc.Target = scenario.Target{API: scenario.APIOpenAI, Response: &scenario.Response{Degraded: "degraded"}}
}

// Whether the model gave an answer is untold where the place that says it is empty,
// of an answer that would be good; a tier that is missing too is told of as such.
func TestClassifyTellsWhatTheAnswerDoesNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*driver.Reply)
		want   bool
	}{
		{"it is told", func(*driver.Reply) {}, false},
		{"it is missing", func(r *driver.Reply) { r.Missing = driver.PlaceDegraded }, true},
		{"another is missing", func(r *driver.Reply) { r.Missing = driver.PlaceDialogID }, false},
		{"the tier is missing too", func(r *driver.Reply) { r.Missing = driver.PlaceDegraded | driver.PlaceTier }, false},
		{"missing, not as expected", func(r *driver.Reply) { r.Missing, r.Answer = driver.PlaceDegraded, []byte("好的") }, true},
		{"missing, degraded all the same", func(r *driver.Reply) { r.Missing, r.Tier = driver.PlaceDegraded, []byte("faq") }, false},
		{"missing in a failure", func(r *driver.Reply) { r.Missing, r.Status = driver.PlaceDegraded, 500 }, false},
	} {
		r, a := good(), third()
		a.Memory = false
		c.change(r)
		if j := Classify(r, a, rulesOf(t, named)); j.Untold != c.want {
			t.Errorf("%s: %v, untold %t, want %t", c.name, j.Outcome, j.Untold, c.want)
		}
	}
}

func TestClassifyTellsTierMemoryAndWhatWasPlanted(t *testing.T) {
	rules := rulesOf(t, func(sc *scenario.Scenario) {
		sc.LLM = &scenario.LLM{Faults: []scenario.Fault{{Kind: "leak", Value: "leaked-7"}, {Kind: "slow", Value: "慢"}}}
	})
	answer := func(text string, change func(*driver.Reply)) Judgement {
		r := good()
		r.Answer = []byte(text)
		if change != nil {
			change(r)
		}
		return Classify(r, third(), rules)
	}
	if j := Classify(good(), third(), rules); j.Tier != measure.TierLLM || j.Memory != measure.Verified || !j.Kept || j.Planted {
		t.Errorf("good answer: %+v", j)
	}
	if j := answer("券", nil); j.Outcome != measure.OK || j.Memory != measure.NotVerified {
		t.Errorf("an answer without an echo: %+v", j)
	}
	if j := answer("系统繁忙,请稍后再试", func(r *driver.Reply) { r.Tier = nil }); j.Tier != measure.TierStatic {
		t.Errorf("a canned line: %+v", j)
	}
	if j := answer("券", func(r *driver.Reply) { r.ContextStatus, r.Degraded = []byte("unavailable"), true }); j.Kept {
		t.Errorf("a turn the server could not keep: %+v", j)
	}
	for text, want := range map[string]bool{
		"券 13800138000": true, "券 13900139000。": true, "券 1380013800": false, "券 138****8000": false,
		"机密 券": true, "机 密 券": false, "券 leaked-7": true, "券 慢": false, "券 orders.phone": false,
	} {
		if j := answer(text, nil); j.Planted != want {
			t.Errorf("%q: planted %v, want %v", text, j.Planted, want)
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	rules := rulesOf(t, nil)
	a := third()
	for name, change := range map[string]func(*driver.Reply){
		"ok":       func(*driver.Reply) {},
		"refused":  func(r *driver.Reply) { r.Status = 503 },
		"degraded": func(r *driver.Reply) { r.Degraded = true },
		"lost":     func(r *driver.Reply) { r.Answer = seen(" c:AAAAAAAA.3") },
	} {
		r := good()
		change(r)
		if n := testing.AllocsPerRun(100, func() { Classify(r, a, rules) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// What a pattern looks at first must not change what it matches.
func TestPatternsMatchAsTheirExpressions(t *testing.T) {
	texts := []string{"", "s", "sorry, we are busy", "SORRY, we are busy", "ſorry, we are busy", "so sorry, we are busy", "\xffsorry", "系统繁忙", "再说系统繁忙,请稍后再试", "\nbusy", "busy", "abc", "c"}
	for _, expr := range []string{
		"", "^", "busy", "^busy", "(?m)^busy", "(?i)^sorry, (i am|we are) busy", "^(busy|sorry)", "^(?:)s", "^s?o", "^s*busy", "系统繁忙", "系统繁忙[,]?请",
		`\bbusy`, `^[^s]`, `^.`, `(?s)^.`, `\Aabc\z`, "a|^b", "^a|b", `^$`, "(?i)BUSY", "^(s)(o)",
	} {
		p := newPattern(regexp.MustCompile(expr))
		for _, text := range texts {
			if got, want := p.in([]byte(text)), p.re.MatchString(text); got != want {
				t.Errorf("%q in %q: %v, want %v", expr, text, got, want)
			}
		}
	}
}

// FuzzClassify: whatever a server sends, judging it neither panics nor finds a
// canary of ours foreign, and an answer is never good with another's canary in it.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{
		"", "⟦", "⟦c:", "⟦seen", "⟦seen c:AAAAAAAA.1", "⟦seen c:AAAAAAAA.99999999999999999999⟧", "⟦seen c:AAAAAAAA.0⟧",
		"⟦c:BBBBBBBB.1⟧", "⟦seen c:AAAAAAAA.3⟧⟦seen c:AAAAAAAA.1⟧", "系统繁忙,", "系统繁忙", "\xe2\x9f", "13800138000",
	} {
		f.Add([]byte(s), 200, uint8(0), 3, "ok", "llm")
	}
	rules := rulesOf(f, nil)
	f.Fuzz(func(t *testing.T, answer []byte, status int, reason uint8, turns int, context, tier string) {
		r := &driver.Reply{
			Status: status, Reason: driver.Reason(reason), OK: true, Answer: answer, ContextTurns: turns,
			ContextStatus: []byte(context), Tier: []byte(tier), Code: answer, DialogID: answer, TraceID: answer, TurnID: answer,
		}
		a := third()
		j := Classify(r, a, rules)
		if int(j.Outcome) >= measure.Outcomes || int(j.Tier) >= measure.Tiers {
			t.Fatalf("%+v", j)
		}
		r.DialogID, r.TraceID, r.TurnID = nil, nil, nil
		r.Answer = fmt.Appendf(nil, "%s⟦c:CCCCCCCC.1⟧", answer)
		if j := Classify(r, a, rules); j.Outcome != measure.Integrity {
			t.Fatalf("a foreign canary after %q was %v", answer, j.Outcome)
		}
		if stripped := appendWithoutMarks(nil, answer); len(stripped) > len(answer) {
			t.Fatalf("%q became %q", answer, stripped)
		}
		if word := plainWord(r.Tier); len(word) > 41 {
			t.Fatalf("word %q", word)
		}
	})
}

// A turn that must be refused is refused or let in where that was seen, and judged as
// any other where it was not.
func TestClassifyTurnsToRefuse(t *testing.T) {
	rules := rulesOf(t, nil)
	for _, tt := range []struct {
		name    string
		change  func(*driver.Reply, *Asked)
		outcome measure.Outcome
	}{
		{"answered", func(*driver.Reply, *Asked) {}, measure.LetIn},
		{"answered by less than the model", func(r *driver.Reply, _ *Asked) { r.Tier = []byte("static") }, measure.LetIn},
		{"half answered", func(r *driver.Reply, _ *Asked) { r.Reason = driver.Truncated }, measure.LetIn},
		{"refused", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer = 401, nil }, measure.Refused},
		{"refused by a redirect", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer = 302, nil }, measure.Refused},
		{"refused with 200", func(r *driver.Reply, _ *Asked) { r.OK = false }, measure.Refused},
		{"not ok, with a status that is not named", func(r *driver.Reply, _ *Asked) { r.Status, r.OK = 201, false }, measure.ServerError},
		{"another 4xx", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer = 400, nil }, measure.ClientError},
		{"too often", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer = 429, nil }, measure.RateLimited},
		{"an error of the server", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer = 500, nil }, measure.ServerError},
		{"no answer in time", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer, r.Reason = 0, nil, driver.TimedOut }, measure.Timeout},
		{"cut in a refusal", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer, r.Reason = 401, nil, driver.Broken }, measure.TransportError},
		{"nothing in the answer", func(r *driver.Reply, _ *Asked) { r.Answer = []byte(" ") }, measure.ServerError},
		{"a login that is refused", func(r *driver.Reply, _ *Asked) { r.Status, r.Answer, r.Step = 401, nil, "login" }, measure.ClientError},
		{"another's content", func(r *driver.Reply, a *Asked) { r.DialogID, a.Elsewhere = []byte(otherDialog), true }, measure.Integrity},
		{"response.error holds", func(r *driver.Reply, _ *Asked) { r.Reason, r.Answer, r.Denied = driver.Malformed, nil, true }, measure.Refused},
		{"response.error holds, with a status that is not named", func(r *driver.Reply, _ *Asked) {
			r.Status, r.Reason, r.Answer, r.Denied = 201, driver.Malformed, nil, true
		}, measure.ServerError},
		{"answered over a socket", func(r *driver.Reply, _ *Asked) { r.Status = 101 }, measure.LetIn},
		{"refused by a message", func(r *driver.Reply, _ *Asked) { r.Status, r.OK, r.Answer = 101, false, nil }, measure.Refused},
		{"refused by a message that is an error", func(r *driver.Reply, _ *Asked) {
			r.Status, r.Reason, r.Answer, r.Denied = 101, driver.Malformed, nil, true
		}, measure.Refused},
		{"a socket closed with a code that is named", func(r *driver.Reply, _ *Asked) {
			r.Status, r.Reason, r.Answer, r.Closed = 101, driver.Broken, nil, 4401
		}, measure.Refused},
		{"a socket closed with another", func(r *driver.Reply, _ *Asked) {
			r.Status, r.Reason, r.Answer, r.Closed = 101, driver.Broken, nil, 1011
		}, measure.TransportError},
		{"a socket that breaks", func(r *driver.Reply, _ *Asked) { r.Status, r.Reason, r.Answer = 101, driver.Broken, nil }, measure.TransportError},
		{"silence over a socket", func(r *driver.Reply, _ *Asked) { r.Status, r.Reason, r.Answer = 101, driver.TimedOut, nil }, measure.Timeout},
	} {
		r, a := good(), third()
		a.Expect = &Expectation{refused: []int{200, 302, 401, 101, 4401}}
		tt.change(r, a)
		if j := Classify(r, a, rules); j.Outcome != tt.outcome || j.Kept && j.Outcome != measure.Integrity {
			t.Errorf("%s: %v %q, want %v", tt.name, j.Outcome, j.Message, tt.outcome)
		}
	}
}
