package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// What a plan comes to for each objective is said before the run, storms and the
// time for recovery taken out: how many turns it will judge, how sure these are to
// decide, and what keeps it from a pass whatever the target does.
func TestOutlook(t *testing.T) {
	const head = "version: 1\nname: plan\ntarget: {bundled: {}}\nload: "
	const one = "\nconversations: [{name: a, turns: [{say: 你好}]}]\nsla: "
	const three = "\nconversations: [{name: a, think: 1s, turns: [{say: 你好}, {say: 再见, expect: {contains: 见}}, {say: 谢谢}]}]\nsla: "
	const steady = "{arrivals: constant, stages: [{name: warmup, for: 10s, starts: 10/s, judged: false}, {name: peak, for: 100s, starts: 10/s}]}"
	storm := func(at string) string {
		return "{arrivals: constant, stages: [{name: peak, for: 100s, starts: 10/s}]}\nllm: {faults: [{name: storm, at: " + at + ", for: 10s, kind: status, status: 503, share: 100%}]}"
	}
	for name, c := range map[string]struct {
		text  string
		every []string // line by line, spaces as one
		never string
	}{
		"open": {head + steady + one + "{latency: {p99: 500ms}, availability: 99%}", []string{
			// 1,000 turns: up to 4 bad pass, from 16 on they fail.
			"latency-p99 latency 99% within 500ms 299 turns without a bad one about 1,000 turns up to 0.31 % bad from 1.92 % bad",
			"availability availability 99% 299 turns without a bad one about 1,000 turns up to 0.31 % bad from 1.92 % bad",
			"availability-seconds seconds 99% 100 s, of which 1 may be bad",
			"integrity integrity none at all about 1,100 turns",
			"Turns are counted as if each answer took 500ms.",
		}, "at best"},
		"dialogs of three": {head + steady + three + "{availability: 90%, objectives: [{name: dialogs, kind: conversations, target: 90%}, {name: model, kind: availability, target: 95%, tier_at_most: llm}]}", []string{
			"design effect 3 (turns that hang together in a conversation)",
			"availability availability 90% 86 turns without a bad one about 3,060 turns up to 7.68 % bad from 12.49 % bad",
			// One in three is checked, and a conversation is one.
			"expected expected 95% 176 turns without a bad one about 1,020 turns",
			"dialogs conversations 90% about 1,100 conversations up to 7.82 % bad from 12.43 % bad",
			"model availability 95% at tier llm or better 176 turns without a bad one about 3,060 turns",
		}, "at best"},
		"what the mock LLM will tell": {head + storm("30s") + one + "{availability: 90%, client: {calls_per_turn: 2, backoff: true}}", []string{
			"client-calls-per-turn client at most 2",
		}, "at best"},
		"none may be bad": {head + steady + one + "{availability: 100%}", []string{
			"availability availability 100% about 1,000 turns never: too few from 0.16 % bad",
			"availability: at best inconclusive",
		}, "at least"},
		"too few": {head + "{arrivals: constant, stages: [{name: peak, for: 10s, starts: 10/s}]}" + one + "{latency: {p99: 500ms}}", []string{
			"latency-p99 latency 99% within 500ms 299 turns without a bad one about 100 turns never: too few from",
			"latency-p99: at best P99 500 ms: inconclusive",
		}, ""},
		"what was measured decides": {head + "{arrivals: constant, stages: [{name: peak, for: 10s, starts: 10/s}]}" + one + "{latency: {p99: 500ms}, gate: measured}", []string{
			// One of a hundred passes, two do not.
			"latency-p99 latency 99% within 500ms about 100 turns up to 0.83 % bad from 2.96 % bad",
		}, "never"},
		"a storm": {head + storm("30s") + one + "{full_quality: 95%, recovery: {after: storm, quality: 30s}}", []string{
			// 10 s of the storm and 30 s of recovery are left out.
			"full-quality full_quality 95% 59 turns without a bad one about 600 turns up to",
			"recovery-quality recovery_quality within 30s 1 storm",
			"full-quality: of 1,000 turns the storm and all the time that recovery is allowed are left out",
		}, "at best"},
		"a storm too near to the end": {head + storm("85s") + one + "{latency: {p95: 1s}, recovery: {after: storm, latency: 5s}}", []string{
			"recovery-latency: at best inconclusive: too few turns after storm, or too little time, to see recovery hold for 10 s",
		}, ""},
		"no storm": {head + steady + one + "{availability: 90%}", []string{"availability availability 90% 29 turns without a bad one about 1,000 turns"}, "left out"},
		"closed": {head + "{users: 300, for: 60s}" + three + "{latency: {p99: 500ms}}", []string{
			"300 users, who each ask again and again: more time does not make them more",
			// A loop is 3 × 500 ms and 2 × 1 s: 17 of them begin in a minute, and end.
			"latency-p99 latency 99% within 500ms 299 users without a bad turn at least 16,200 turns up to 0.074 % bad from 3.01 % bad",
		}, "at best"},
		"too few users": {head + "{users: 200, for: 600s}" + three + "{latency: {p99: 500ms}}", []string{
			"never: too few",
			"latency-p99: at best P99 500 ms: inconclusive",
		}, ""},
		"exactly so many": {head + "{conversations: 500, stages: [{name: peak, for: 100s, starts: 10/s}]}" + one + "{availability: 99%}", []string{
			"· 1 min 40 s · overrides: none\nends when 500 conversations have begun and ended",
			"exactly 500 conversations, about 500 turns, about 500 of them judged",
			"availability availability 99% 299 turns without a bad one about 500 turns",
			// 500 at 10/s, as chance has it.
			"availability-seconds seconds 99% 50 s, of which 0 may be bad",
		}, ""},
		"exactly so many of users": {head + "{conversations: 600, users: 300}" + three + "{latency: {p99: 500ms}}", []string{
			"exactly 600 conversations, about 1,800 turns; where fewer begin in 10m it is inconclusive",
			"latency-p99 latency 99% within 500ms 299 users without a bad turn at least 1,800 turns",
		}, "at best"},
		"streams": {"version: 1\nname: plan\ntarget: {bundled: {}, mode: stream}\nload: " + steady + one + "{objectives: [{name: token, kind: first_token, target: 95%, within: 1s}, {name: gap, kind: chunk_gap, target: 95%, within: 1s}]}", []string{
			"token first_token 95% within 1s 59 turns without a bad one about 1,000 turns up to",
			"gap chunk_gap 95% within 1s 59 turns without a bad one about 1,000 turns up to",
		}, "at best"},
		"a long load": {head + "{arrivals: constant, stages: [{name: peak, for: 3h, starts: 100/s}]}" + one + "{availability: 99%}", []string{
			"availability availability 99% 299 turns without a bad one about 1,080,000 turns up to 0.98 % bad from 1.02 % bad",
			"availability-seconds seconds 99% 10,800 s, of which 108 may be bad",
		}, "at best"},
	} {
		s, err := scenario.Parse("plan.yaml", []byte(c.text), scenario.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var out bytes.Buffer
		if err := describePlan(&out, &chosen{Scenario: s, scale: 1}, reason.English); err != nil {
			t.Fatal(err)
		}
		plain := regexp.MustCompile(` +`).ReplaceAllString(out.String(), " ")
		for _, want := range c.every {
			if !strings.Contains(plain, want) {
				t.Errorf("%s: no %q in\n%s", name, want, out.String())
			}
		}
		if c.never != "" && strings.Contains(plain, c.never) {
			t.Errorf("%s: %q in\n%s", name, c.never, out.String())
		}
	}
}
