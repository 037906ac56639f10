package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// A message's parts go out with it, and with the dialog from then on, as does what was
// said between it and its answer; where the server keeps the dialog nothing does.
func TestPartsAndToolsStayInTheDialog(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.png"), []byte("PNG"), 0o600); err != nil {
		t.Fatal(err)
	}
	for form, want := range map[string]string{"chat": `hi|data:image/png;base64,UE5H auto, from s1|{"role":"tool"} ok||`, "responses": ""} {
		text := `
version: 1
name: x
target: {url: "http://h", api: openai, model: m, openai: {form: ` + form + `}}
load: {users: 1, conversations: 1, think: 0s}
conversations: [{name: c, turns: [{say: hi, parts: [{image: a.png, detail: auto}, {text: "from ${shops.no}"}]}, {say: more}]}]
data: {shops: {rows: [{no: s1}]}}
sla: {availability: 99%}
`
		sc, err := scenario.Parse("x.yaml", []byte(text), scenario.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			var parts, history []string
			f.answer = func(_ time.Duration, _ *driver.User, turn *driver.Turn, reply *driver.Reply) time.Duration {
				show := func(list []driver.Part) (out []string) {
					for _, p := range list {
						out = append(out, strings.TrimSpace(fmt.Sprint(string(p.Text), " ", p.Detail)))
						if p.Image != strings.HasPrefix(string(p.Text), "data:") {
							t.Errorf("%s is an image: %v", p.Text, p.Image)
						}
					}
					return out
				}
				parts = append(parts, strings.Join(show(turn.Parts), ", "))
				for _, m := range turn.History {
					history = append(history, fmt.Sprintf("%s|%s|%s", m.Text, strings.Join(show(m.Parts), ", "), m.Between))
				}
				reply.Answer, reply.Between = []byte("ok"), []byte(`{"role":"tool"}`)
				reply.Usage = driver.Usage{Answers: 2, Told: 2, Calls: 1, Input: 10, Output: 4, Spell: 9 * time.Millisecond, Spelled: 3}
				return time.Millisecond
			}
			b, _ := drive(t, always(), sc, f, nil)
			if got := strings.Join(parts, "; "); got != "data:image/png;base64,UE5H auto, from s1; " {
				t.Errorf("%s: parts %q", form, got)
			}
			if got := strings.Join(history, " "); got != want {
				t.Errorf("%s: history %q, want %q", form, got, want)
			}
			if n := b.outcomes()[measure.OK]; n != 2 {
				t.Errorf("%s: %d turns ok", form, n)
			}
		})
	}
}
