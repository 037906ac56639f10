package scenario

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The scenarios of testdata together use every field there is. Each is printed
// and read back equal, and the JSON Schema takes it.
func TestEveryField(t *testing.T) {
	schema := compiled(t)
	index := regexp.MustCompile(`\[[0-9]+\]`)
	used := map[string]bool{}
	for _, name := range []string{"own.yaml", "closed.yaml", "openai.yaml", "agents.yaml", "mapping.yaml", "login.yaml", "socket.yaml"} {
		path := filepath.Join("testdata", name)
		s, err := LoadFile(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, s, Options{Dir: "testdata"})
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for at := range s.source.at {
			used[index.ReplaceAllString(at, "")] = true
		}
	}
	for _, path := range fieldPaths() {
		if !used[path] {
			t.Errorf("no scenario of testdata has %s", path)
		}
	}
}

// The example of the reference page is a scenario, and its comments say what the
// defaults are.
func TestReferenceExample(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("testdata", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "## Agents (mode agents)")
	_, rest, _ = strings.Cut(rest, "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("no example")
	}
	head := "version: 1\nname: agents\n"
	s, err := Parse("x", []byte(head+example), Options{})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := Parse("x", []byte(head+"target: {bundled: {}, mode: agents}\n"+example[strings.Index(example, "load:"):]), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bare, s, cmpopts.IgnoreUnexported(Scenario{})); diff != "" {
		t.Errorf("the defaults are others: %s", diff)
	}
	if a := bare.Target.Agents; a.Sockets != 4 || a.Path != "/v1/agent/ws" || !slices.Equal(a.Queues, []string{"*"}) {
		t.Errorf("defaults %+v", a)
	}
}

// The reference page says which modes an API has.
func TestReferenceOfModes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("testdata", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	for api, modes := range modesOf() {
		_, row, _ := strings.Cut(string(page), "| `"+string(api)+"` | ")
		row, _, _ = strings.Cut(row, "\n")
		var said []string
		for _, m := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(row, -1) {
			said = append(said, m[1])
		}
		if want := texts(modes...); !slices.Equal(said, want) {
			t.Errorf("api %s has %v, the page says %v", api, want, said)
		}
	}
}

// fieldPaths lists the fields below the root without indexes and free keys.
func fieldPaths() []string {
	list := slices.Clone(fieldsOf(types()[0]).names)
	for prefix, typ := range map[string]string{
		"target": "Target", "target.bundled": "Bundled", "target.agents": "Agents", "target.auth": "Auth", "target.auth.jwt": "JWT", "target.login": "Login",
		"target.request": "Request", "target.response": "Response", "target.response.tier": "TierPath", "target.response.stream": "StreamPath",
		"target.response.job": "JobPath", "target.tls": "TLS", "target.limits": "Limits", "llm": "LLM", "llm.capacity": "Capacity",
		"llm.answers": "Answer", "llm.faults": "Fault", "llm.faults.flap": "Flap", "load.stages": "Stage", "conversations": "Conversation",
		"conversations.turns": "Turn", "conversations.turns.expect": "Expect", "checks": "Checks", "guard": "Guard", "guard.abort": "Abort",
		"sla": "SLA", "sla.rate_limited": "RateLimited", "sla.recovery": "Recovery", "sla.objectives": "Objective", "load.stages.starts": "RateRamp",
		"load.stages.users": "CountRamp", "target.then.poll": "Poll", "target.request.history": "History",
		"target.openai": "OpenAI", "target.openai.tools": "Tool", "target.prices": "Prices", "target.response.usage": "UsagePath", "conversations.turns.parts": "ContentPart",
	} {
		for _, t := range types() {
			if t.Name() != typ {
				continue
			}
			for _, name := range fieldsOf(t).names {
				list = append(list, join(prefix, name))
			}
		}
	}
	return list
}

// A file of the largest size must cost neither much memory nor a panic.
func TestHostileFilesAreCheap(t *testing.T) {
	fill := func(unit string) string { return strings.Repeat(unit, maxFile/len(unit)) }
	most := uint64(64)
	if raced {
		most *= 8
	}
	for name, text := range map[string]string{
		"commas": "a: [" + fill("a,")[:maxFile-10] + "]", "lines": fill("- a\n"), "returns": fill("- a\r"), "next lines": fill("- a\u0085"),
		"flow": fill("["), "maps": fill("{a: "), "dashes": fill("- "), "questions": fill("? "), "quotes": "a: " + fill(`\"`)[:maxFile-10],
		"comments": fill("#\n"), "long": "a: " + fill("a")[:maxFile-10], "anchors": fill("&a "), "tags": fill("!a "), "wide": "a: [" + strings.Repeat("{a: b},", 14000) + "]",
		"rows":    least + "data: {t: {rows: [" + strings.Repeat("{a: b, c: d, e: f},", 13000) + "]}}",
		"aliases": "a: &a [x,x,x,x]\nb: &b [" + strings.Repeat("*a,", 1000) + "]\nc: [" + strings.Repeat("*b,", 1000) + "]",
	} {
		t.Run(name, func(t *testing.T) {
			if len(text) > maxFile+20 {
				t.Fatalf("%d bytes", len(text))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Parse("x.yaml", []byte(text), Options{})
			runtime.ReadMemStats(&after)
			if err == nil && name != "rows" {
				t.Error("no problem")
			}
			if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > most {
				t.Errorf("%d MiB allocated", n)
			}
		})
	}
}
