package refserver

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The commands of the page do what it says, in its order, on a server that has asked
// the same question again for three users.
func TestThePagesExamplesRun(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here", tool)
		}
	}
	page, err := os.ReadFile("../docs/reference-server.md")
	if err != nil {
		t.Fatal(err)
	}
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.Dev, c.Knobs = true, backflowKnobs("backflow.hold", "1h") })
	l.set(func(int, *http.Request, string) (int, string) { return 500, "" })
	for _, uid := range []string{"a", "b", "c"} {
		say(t, s, uid, "", "超级礼品卡如何绑到账户").want(t, "degraded", "true")
	}
	l.set(func(int, *http.Request, string) (int, string) { return 200, "在卡包里绑定。" })
	if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"backflow.hold":"0s"}`); r.status != http.StatusOK {
		t.Fatal(r.body)
	}
	waitFor(t, func() bool { return backflowState(t, s).get("replayed").Int() == 3 })
	script := "set -e\ncurl() { command curl --fail-with-body --max-time 20 \"$@\"; }\n"
	commands := 0
	fenced, shell := false, false
	for line := range strings.Lines(string(page)) {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			shell = fenced && line == "```\n"
		case shell && strings.Contains(line, "curl "):
			commands++
			script += line
		}
	}
	if commands < 15 {
		t.Fatalf("%d commands found: the pattern does not fit any more", commands)
	}
	script = strings.NewReplacer("http://127.0.0.1:8000", s.URL(), "http://127.0.0.1:8001", s.AdminURL()).Replace(script)
	cmd := exec.Command("bash", "-c", script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s\nof\n%s", err, out, script)
	}
}
