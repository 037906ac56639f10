package scenarios

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	if n := len(Names()); n < 20 {
		t.Errorf("%d built in: %v", n, Names())
	}
	for _, name := range Names() {
		text, ok := Get(name)
		if !ok || !strings.Contains(string(text), "\nname: "+name+"\n") || !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s: found %v, has its name and says what it is for: no", name, ok)
		}
	}
	for _, name := range []string{"", "none", "../scenarios", "smoke.yaml"} {
		if _, ok := Get(name); ok {
			t.Errorf("there is no built-in %q", name)
		}
	}
}

// A caller may write into what Get gives without changing the built-in.
func TestGetGivesACopy(t *testing.T) {
	text, _ := Get("smoke")
	text[0] = 'X'
	if again, _ := Get("smoke"); again[0] != '#' {
		t.Error("the built-in itself was given out")
	}
}

func TestHeaderOf(t *testing.T) {
	want := Header{
		Question: "customers",
		Proves:   "no phone number, e-mail address or identity number leaves in an answer",
		ProvesZh: "应答中不会出现手机号、邮箱或身份证号",
		Verdict:  "pass", Costs: "1,100 turns, 0.23 of a core, 120 MiB", Takes: "30 s",
		Shortened: "load.stages[steady].for=14s",
	}
	if got := HeaderOf("pii"); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := HeaderOf("none"); got != (Header{}) {
		t.Errorf("of none: %+v", got)
	}
}

// Every scenario says all of it, and answers one question that is listed.
func TestEveryScenarioSaysWhatItProves(t *testing.T) {
	listed := map[string]int{}
	for _, q := range Questions() {
		if q.En == "" || q.Zh == "" || len(q.Names) == 0 || !slices.IsSorted(q.Names) {
			t.Errorf("question %+v", q)
		}
		for _, name := range q.Names {
			listed[name]++
		}
	}
	short := 0
	for _, name := range Names() {
		h := HeaderOf(name)
		if listed[name] != 1 {
			t.Errorf("%s is listed %d times under question %q", name, listed[name], h.Question)
		}
		if h.Proves == "" || h.Costs == "" || !regexp.MustCompile(`\p{Han}`).MatchString(h.ProvesZh) || !regexp.MustCompile(`^\d+ (s|min)`).MatchString(h.Takes) {
			t.Errorf("%s says %+v", name, h)
		}
		if !slices.Contains([]string{"pass", "fail", "inconclusive", Measures}, h.Verdict) {
			t.Errorf("%s announces verdict %q", name, h.Verdict)
		}
		if h.Shortened != "" {
			short++
		}
	}
	if short != 6 {
		t.Errorf("%d scenarios have a short form for every change, want 6", short)
	}
}
