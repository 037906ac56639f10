package refserver

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const observability = "../docs/observability/"

// served are the metrics of a server that has answered something.
func served(t *testing.T) string {
	t.Helper()
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	say(t, s, "u1", "", "我的电话是13812345678")
	force(t, s, "faq")
	say(t, s, "u1", "", "发货时间")
	s.metrics.transitions.WithLabelValues("llm", "faq", "test").Inc() // a real one takes a storm
	return send(t, "GET", s.AdminURL()+"/metrics", "", "").body
}

// Rules and dashboard ask for nothing that the server does not expose.
func TestRulesAndDashboardNameWhatIsThere(t *testing.T) {
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(served(t), -1) {
		known[m[1]], known[m[1]+"_bucket"] = true, true
	}
	rules, err := os.ReadFile(observability + "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`record: (\S+)`).FindAllSubmatch(rules, -1) {
		known[string(m[1])] = true
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	b, err := os.ReadFile(observability + "dashboard.json")
	if err == nil {
		err = json.Unmarshal(b, &dashboard)
	}
	if err != nil || len(dashboard.Panels) < 12 {
		t.Fatalf("%d panels: %v", len(dashboard.Panels), err)
	}
	exprs := []string{string(rules)}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			exprs = append(exprs, target.Expr)
		}
	}
	series := regexp.MustCompile(`\b(?:chat|llm|degraded?|redis|ticket|job|jobs|ws|pii|cache|process|go|backflow|gray)[_:][a-z0-9_:]+\b`)
	asked := 0
	for _, name := range series.FindAllString(strings.Join(exprs, "\n"), -1) {
		asked++
		if !known[name] {
			t.Errorf("%s is asked for and not there", name)
		}
	}
	if asked < 40 {
		t.Errorf("%d names found: the pattern does not fit any more", asked)
	}
}

func TestPromtoolAgrees(t *testing.T) {
	bin, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here")
	}
	run := func(stdin string, args ...string) {
		cmd := exec.Command(bin, args...)
		cmd.Stdin, cmd.Dir = strings.NewReader(stdin), observability
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run(served(t), "check", "metrics")
	run("", "check", "rules", "rules.yaml")
	run("", "test", "rules", "rules_test.yaml")
}
