package scenario

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/template"
	"github.com/cstest/cstest/unit"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestOverrides(t *testing.T) {
	s := builtin(t, "midnight-sale",
		"load.stages[peak].starts=600/s",
		"load.stages[2].starts.from=1/s",
		"load.stages[0].judged=true",
		"target.bundled.knobs.limit.global=700/s",
		"target.bundled.knobs[llm.timeout]=200ms",
		"conversations[price-protection].turns[0].say=贵了: {多少}?",
		"llm.latency={constant: 20ms}",
		"sla.latency.p99.9=2s",
		"guard=null",
		"seed=7",
		"checks.planted[0]=orders.city",
		"target.headers.x-stress-test=1",
	)
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"peak", *s.Load.Stages[3].Starts, RateRamp{600, 600}},
		{"spike", *s.Load.Stages[2].Starts, RateRamp{1, 150}},
		{"judged", *s.Load.Stages[0].Judged, true},
		{"knobs", s.Target.Bundled.Knobs, map[string]string{"limit.global": "700/s", "llm.timeout": "200ms"}},
		{"say", s.Conversations[3].Turns[0].Say, "贵了: {多少}?"},
		{"latency", *s.LLM.Latency, Latency{Constant: unit.Duration(20 * time.Millisecond)}},
		{"p99.9", s.SLA.Latency["p99.9"], unit.Duration(2 * time.Second)},
		{"guard", s.Guard, Guard{}},
		{"seed", s.Seed, uint64(7)},
		{"planted", s.Checks.Planted, []string{"orders.city"}},
		{"headers", s.Target.Headers, map[string]string{"x-stress-test": "1"}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s: %s", tt.what, diff)
		}
	}
}

func TestWrongOverrides(t *testing.T) {
	for set, want := range map[string]string{
		"load":                             "write PATH=VALUE, for example load.stages[peak].starts=600/s",
		"load.stages[peek].starts=1/s":     `there is no [peek]; did you mean "peak"?; there are 1: peak`,
		"load.stages[9].starts=1/s":        `there is no [9]; there are 1: peak`,
		"load.stages.starts=1/s":           "load.stages.starts: say which: [NAME] or [INDEX]",
		"load.stages[peak].starts.to=1/s":  `"load.stages[peak].starts.to" is inside of what the file writes as a single value: override the whole of it, {…}`,
		"load.stagse[peak].starts=1/s":     `"stagse" is not known here; did you mean "stages"?`,
		"load.stages[peak].starts=600":     `load.stages[0].starts: "600" is not a rate: write for example 500/s or 30/m`,
		"load.think={median: 4s":           `the value "{median: 4s": is not YAML: did not find expected ',' or '}'`,
		"load.drain=soon":                  `load.drain: "soon" is not a duration: write for example 500ms, 5s or 1h30m`,
		"target.url=http://x":              "", // told at target, which the file wrote
		"load.stages[peak":                 "write PATH=VALUE, for example load.stages[peak].starts=600/s",
		"load.stages[peak=1":               "load.stages[peak: a ] is missing",
		"seed=*x":                          "the value \"*x\": is not YAML",
		"sla.availability=&a 99%":          `sla.availability: "&a 99%" is not a share`,
		"version.x=1":                      `"version.x" goes deeper`,
		"conversations[c].turns[0].expect": "write PATH=VALUE",
	} {
		_, err := Parse("x.yaml", []byte(strings.Replace(least, "only", "peak", 1)), Options{Set: []string{set}})
		if err == nil {
			t.Errorf("%s: no error", set)
			continue
		}
		if want != "" && !strings.HasPrefix(err.Error(), "--set "+set+": "+want) {
			t.Errorf("%s: got\n%s\nwant\n--set %s: %s", set, err, set, want)
		}
	}
}

func TestScale(t *testing.T) {
	base := builtin(t, "midnight-sale", "sla.rate_limited={contract: 500/s}")
	s, err := base.Scale(0.1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"warmup", *s.Load.Stages[0].Starts, RateRamp{0.5, 0.5}},
		{"spike", *s.Load.Stages[2].Starts, RateRamp{0.5, 15}},
		{"in flight", s.Load.MaxInFlight, unit.Count(2000)},
		{"guard", s.Guard.MaxTurns, unit.Rate(200)},
		{"contract", s.SLA.RateLimited, RateLimited{PolicyContract, 50}},
		{"knob", s.Target.Bundled.Knobs["limit.global"], "50/s"},
		{"base", base.Target.Bundled.Knobs["limit.global"], "500/s"},
		{"base peak", *base.Load.Stages[3].Starts, RateRamp{150, 150}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	roundTrip(t, s, Options{})
	if _, err := base.Scale(0); err == nil {
		t.Error("scaled to nothing")
	}
}

// at parses a built-in scenario for one's own server.
func at(t *testing.T, name string) func(url string) (*Scenario, error) {
	return func(url string) (*Scenario, error) {
		text, err := os.ReadFile("../scenarios/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		return Parse(name+".yaml", text, Options{Target: url})
	}
}

// A file whose URL comes from the environment is rescued by another target.
func TestTargetFromTheEnvironment(t *testing.T) {
	text := strings.Replace(least, "target: {bundled: {}}", "target: {url: \"http://${env:CHAT_HOST}:8080\", api: article}", 1)
	env := func(name string) (string, bool) { return "127.0.0.1", name == "CHAT_HOST" }
	s, err := Parse("x.yaml", []byte(text), Options{Env: env})
	if err != nil || s.Target.URL != "http://127.0.0.1:8080" {
		t.Fatalf("got %v, %v", s, err)
	}
	none := func(string) (string, bool) { return "", false }
	s, err = Parse("x.yaml", []byte(text), Options{Env: none, Target: "http://127.0.0.1:9"})
	if err != nil || s.Target.URL != "http://127.0.0.1:9" {
		t.Fatalf("got %v, %v", s, err)
	}
}

func TestApplyTarget(t *testing.T) {
	smoke := at(t, "smoke")
	s, err := smoke("http://127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	if s.Target.Bundled != nil || s.Target.URL != "http://127.0.0.1:9" || s.Checks.Memory != Off || *s.LLM.EchoContext {
		t.Errorf("got %+v, checks %+v", s.Target, s.Checks)
	}
	s, err = at(t, "midnight-sale")("http://127.0.0.1:9")
	if err != nil || s.Checks.Memory != On {
		t.Errorf("memory was asked for: %v, %v", s.Checks.Memory, err)
	}
	roundTrip(t, s, Options{})
	if _, err = smoke("chat.example"); err == nil ||
		err.Error() != `--set target.url=chat.example: target.url: "chat.example" must begin with http:// or https://` {
		t.Errorf("got %v", err)
	}
}

func TestReplaceLoad(t *testing.T) {
	one, err := Parse("x.yaml", []byte(strings.Replace(least, "load:", "load:\n  arrivals: constant", 1)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	users, err := one.ReplaceUsers(200)
	if err != nil {
		t.Fatal(err)
	}
	if st := users.Load.Stages[0]; st.Starts != nil || *st.Users != (CountRamp{200, 200}) || users.Load.Open() {
		t.Errorf("users: %+v", st)
	}
	roundTrip(t, users, Options{})
	rate, err := users.ReplaceRate(12.5)
	if err != nil || *rate.Load.Stages[0].Starts != (RateRamp{12.5, 12.5}) || !rate.Load.Open() {
		t.Errorf("rate: %+v, %v", rate, err)
	}
	long, err := one.ReplaceDuration(unit.Duration(time.Hour))
	if err != nil || long.TotalDuration() != time.Hour || one.TotalDuration() != 10*time.Second {
		t.Errorf("duration: %v", err)
	}
	for _, tt := range []struct {
		base string
		err  func(*Scenario) error
		want string
		sets []string
	}{
		{
			"midnight-sale", func(s *Scenario) error { _, err := s.ReplaceUsers(200); return err },
			"--users replaces a load of one stage, and midnight-sale has 5: say which, for example --set 'load.stages=[{name: load, for: 1m50s, users: 200}]' --set load.arrivals=null",
			[]string{"load.stages=[{name: load, for: 1m50s, users: 200}]", "load.arrivals=null"},
		},
		{
			"midnight-sale", func(s *Scenario) error { _, err := s.ReplaceRate(600); return err },
			"--rate replaces a load of one stage, and midnight-sale has 5: say which, for example --set 'load.stages[peak].starts=600/s'",
			[]string{"load.stages[peak].starts=600/s"},
		},
		{
			"steady-200", func(s *Scenario) error { _, err := s.ReplaceDuration(unit.Duration(time.Hour)); return err },
			"--duration replaces a load of one stage, and steady-200 has 2: say which, for example --set 'load.stages[steady].for=1h'",
			[]string{"load.stages[steady].for=1h"},
		},
	} {
		if err := tt.err(builtin(t, tt.base)); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
		builtin(t, tt.base, tt.sets...) // what is advised must work
	}
}

func TestReplaceConversations(t *testing.T) {
	one, err := Parse("x.yaml", []byte(least), Options{})
	if err != nil {
		t.Fatal(err)
	}
	fifty, err := one.ReplaceConversations(50, false) // 10 s at 5/s
	if err != nil || fifty.Load.Conversations != 50 || fifty.TotalDuration() != 10*time.Second {
		t.Fatalf("%v, %v", fifty, err)
	}
	roundTrip(t, fifty, Options{})
	// 77 take 15.4 s at 5/s.
	longer, err := one.ReplaceConversations(77, false)
	if err != nil || longer.TotalDuration() != 15400*time.Millisecond {
		t.Errorf("length %v, %v; want 15.4s", longer.TotalDuration(), err)
	}
	const refused = "--set load.conversations=77: load.conversations: is 77, and the stages start about 50: lengthen for, raise starts, or ask for fewer"
	if _, err := one.ReplaceConversations(77, true); err == nil || err.Error() != refused {
		t.Errorf("with a length of one's own: %v, want %s", err, refused)
	}
	if _, err := one.ReplaceConversations(0, false); err == nil || err.Error() != "--conversations: must be 1 or more" {
		t.Errorf("none: %v", err)
	}
	users, err := one.ReplaceUsers(20)
	if err != nil {
		t.Fatal(err)
	}
	if users, err = users.ReplaceConversations(77, false); err != nil || users.TotalDuration() != 10*time.Minute {
		t.Errorf("users: %v, %v", users, err)
	}
	if n, known := users.ConversationsExpected(); n != 77 || !known || users.UsersTold() != 20 {
		t.Errorf("users: %v conversations, %v, of %v users", n, known, users.UsersTold())
	}
	tenth, err := longer.Scale(0.1)
	if err != nil || tenth.Load.Conversations != 7 { // 0.5/s for 15.4 s have room for 7.7
		t.Errorf("a tenth: %v, %v", tenth, err)
	}
	if mean, likely := longer.rowsNeeded(); mean != 77 || likely != 77 {
		t.Errorf("rows: %d to %d, want exactly 77", mean, likely)
	}
	if n, _ := longer.JudgedTurnsExpected(); n != 77 {
		t.Errorf("%v judged turns, want 77", n)
	}
}

func TestPlan(t *testing.T) {
	s := builtin(t, "midnight-sale")
	// 10·5 + 15·5 + 1·(5+150)/2 + 74·150 + 10·5
	if n, known := s.ConversationsExpected(); !known || n != 11352.5 {
		t.Errorf("conversations %v, %v", n, known)
	}
	if n, known := s.JudgedTurnsExpected(); !known || n != 11302.5*3 {
		t.Errorf("judged turns %v, %v", n, known)
	}
	if r, known := s.PeakTurnsPerSecond(); !known || r != 450 {
		t.Errorf("peak %v, %v", r, known)
	}
	if d := s.TotalDuration(); d != 110*time.Second {
		t.Errorf("duration %v", d)
	}
	if m := s.TurnsTogether(); m < 3.148 || m > 3.149 {
		t.Errorf("%v turns hang together", m)
	}
	if m := s.MeanTurns(); m != 3 {
		t.Errorf("mean turns %v", m)
	}
	closed := builtin(t, "steady-200")
	if _, known := closed.ConversationsExpected(); known {
		t.Error("the number of conversations of a closed load cannot be known")
	}
	if _, known := closed.PeakTurnsPerSecond(); known || closed.PeakUsers() != 200 {
		t.Errorf("peak users %v", closed.PeakUsers())
	}
}

// Whatever is overridden with whatever value, the printed scenario reads back equal.
func TestResolvedReadsBackEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := func(name string) string {
			return rapid.StringMatching(`[1-9]{1,3}(\.[0-9]{1,9})?k?/(s|m|h)`).Draw(t, name)
		}
		perMinute := rapid.StringMatching(`[1-9]{1,3}(\.[0-9]{1,9})?k?/(s|m)`)
		share := rapid.StringMatching(`([1-8][0-9])(\.[0-9]{1,12})?%`)
		duration := rapid.StringMatching(`[1-9][0-9]{0,3}(us|ms|s)`)
		sets := []string{
			"load.stages[0].starts=" + rate("starts"), "load.stages[1].for=5m",
			"load.stages[1].starts={from: " + perMinute.Draw(t, "from") + ", to: " + rate("to") + "}",
			"guard.max_turns=" + rate("guard"),
			"sla.availability=" + share.Draw(t, "availability"),
			"sla.confidence=" + rapid.StringMatching(`9[0-9](\.[0-9]{1,12})?%`).Draw(t, "confidence"),
			"sla.rate_limited=" + rapid.SampledFrom([]string{"bad", "exclude", "{contract: " + rate("contract") + "}"}).Draw(t, "policy"),
			"load.think=" + rapid.SampledFrom([]string{"0s", "{min: 0s, max: 3s}", "{median: 1s, p95: 1s}", duration.Draw(t, "think")}).Draw(t, "form"),
			"load.drain=" + rapid.SampledFrom([]string{"0s", "1h30m"}).Draw(t, "drain"),
			"conversations[0].weight=" + rapid.SampledFrom([]string{"0", "0.25", "7"}).Draw(t, "weight"),
			"seed=" + rapid.SampledFrom([]string{"0", "18446744073709551615"}).Draw(t, "seed"),
			"target.limits.body=" + rapid.SampledFrom([]string{"1B", "20kB", "3MiB", "1.5KiB"}).Draw(t, "size"),
			"target.headers=" + rapid.SampledFrom([]string{"{}", "{on: \"off\", a: \"1e3\", b: \"~\", c: \"\"}"}).Draw(t, "headers"),
		}
		if say := rapid.StringOf(rapid.Rune()).Draw(t, "say"); strings.Trim(say, "\"' \t\r\n") != "" && strings.TrimSpace(say) != "" { // quotes alone are an empty text
			sets = append(sets, "conversations[0].turns[0].say="+template.Quote(strings.NewReplacer("⟦", "[", "⟧", "]").Replace(say)))
		}
		s, err := Parse("x", mustGet(t, "smoke"), Options{Set: sets})
		if err != nil {
			t.Fatalf("%v", err)
		}
		roundTrip(t, s, Options{})
		a, errA := s.SHA256()
		again, errB := Parse("x", mustGet(t, "smoke"), Options{Set: sets})
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if b, _ := again.SHA256(); a != b || len(a) != 64 {
			t.Fatalf("digests differ: %s, %s", a, b)
		}
	})
}

func TestObjectives(t *testing.T) {
	s := builtin(t, "midnight-sale",
		"sla.objectives=[{name: availability, kind: availability, target: 99.5%, stages: [peak]}, {name: calls, kind: calls_per_turn, max: 1.1}]")
	got := s.Objectives()
	ms := func(n int) unit.Duration { return unit.Duration(time.Duration(n) * time.Millisecond) }
	want := []Objective{
		{Name: "latency-p95", Kind: KindLatency, Target: 0.95, Limit: ms(300)},
		{Name: "latency-p99", Kind: KindLatency, Target: 0.99, Limit: ms(500)},
		{Name: "availability", Kind: KindAvailability, Target: 0.995, Stages: []string{"peak"}},
		{Name: "availability-seconds", Kind: KindSeconds, Target: 0.99},
		{Name: "full-quality", Kind: KindFullQuality, Target: 0.95},
		{Name: "recovery-latency", Kind: KindRecoveryLatency, Limit: ms(5000), After: "storm"},
		{Name: "recovery-quality", Kind: KindRecoveryQuality, Limit: ms(30000), After: "storm"},
		{Name: "integrity", Kind: KindIntegrity},
		{Name: "context", Kind: KindContext},
		{Name: "planted", Kind: KindPlanted},
		{Name: "expected", Kind: KindExpected, Target: 0.95},
		{Name: "calls", Kind: KindCallsPerTurn, Max: 1.1},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if share, ok := shareOf("p99.9"); !ok || share != 0.999 {
		t.Errorf("p99.9 is %v, %v", float64(share), ok)
	}
}
