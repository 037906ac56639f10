package config

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cstest/cstest/unit"
)

func TestParseConfigReadsEveryForm(t *testing.T) {
	got, err := ParseConfig([]byte(`{
		"seed": 18446744073709551615, "echo_context": true, "connect": "120ms",
		"latency": {"first_token": {"median": "200ms", "p99": "800ms"}, "per_token": "20ms"},
		"capacity": {"max_in_flight": "2k", "queue": "100", "slowdown": 3.5, "retry_after": "2s"},
		"answers": [{"match": "券", "say": "好的"}],
		"faults": [{"name": "storm", "kind": "status", "at": "35s", "for": "20s", "share": "90%", "status": 503,
		            "retry_after": "2s", "ramp": "1s", "flap": {"on": "2s", "off": "1s"}}]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	second := unit.Duration(time.Second)
	want := Config{
		Seed: 1<<64 - 1, EchoContext: true, Connect: unit.Duration(120 * time.Millisecond),
		Latency: Latency{
			FirstToken: &Dist{Median: unit.Duration(200 * time.Millisecond), P99: unit.Duration(800 * time.Millisecond)},
			PerToken:   &Dist{Constant: unit.Duration(20 * time.Millisecond)},
		},
		Capacity: Capacity{MaxInFlight: 2000, Queue: 100, Slowdown: 3.5, RetryAfter: 2 * second},
		Answers:  []Answer{{Match: "券", Say: "好的"}},
		Faults: []Fault{{
			Name: "storm", Kind: "status", At: 35 * second, For: 20 * second, Share: 0.9, Status: 503,
			RetryAfter: 2 * second, Ramp: second, Flap: &Flap{On: 2 * second, Off: second},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseConfig(data)
	if diff := cmp.Diff(want, again); err != nil || diff != "" {
		t.Errorf("what was printed does not read back: %v\n%s", err, diff)
	}
}

func TestParseConfigNamesTheField(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{"latency":{"medain":"1s"}}`, `latency.medain: unknown key; did you mean "median"?`},
		{`{"faults":[{"kind":"slow"},{"kind":"slow","duration":"1s"}]}`, `faults[1].duration: unknown key`},
		{`{"Seed":1}`, `Seed: unknown key; did you mean "seed"?`},
		{`{"seed":1,"seed":2}`, `seed: given twice`},
		{`{"latency":{"constant":"5"}}`, `latency.constant: `},
		{`{"latency":{"constant":5}}`, `latency.constant: write a string with a unit, not 5`},
		{`{"faults":[{"kind":"slow","share":"120%"}]}`, `faults[0].share: `},
		{`{"faults":[{"kind":"slow","share":"0%"}]}`, `share: must be above 0%`},
		{`{"faults":[{"kind":3}]}`, `faults[0].kind: must be a string`},
		{`{"faults":{"kind":"slow"}}`, `faults: must not be an object`},
		{`{"latency":[]}`, `latency: must not be a list`},
		{`{"seed":-1}`, `seed: must be a number`},
		{`{"seed":"x"}`, `seed: must be a number`},
		{`{"echo_context":"yes"}`, `echo_context: must be true or false`},
		{`{"seed":1} x`, `text after the end`},
		{`{"seed":`, `json: `},
		{``, `json: `},
	} {
		_, err := ParseConfig([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.in, err, tt.want)
		}
	}
}

func TestValidateTellsAllProblems(t *testing.T) {
	cfg := Config{
		AdminListen: "0.0.0.0:0",
		Latency:     Latency{Median: unit.Duration(time.Second), P99: unit.Duration(time.Millisecond)},
		Capacity:    Capacity{Queue: 5},
		Answers:     []Answer{{Match: "(", Say: ""}},
		Faults: []Fault{
			{Kind: "stauts"},
			{Kind: "status", Status: 200},
			{Kind: "slow", Chunks: 3},
			{Kind: "hang", Ramp: 2, For: 1},
			{Kind: "drip", Flap: &Flap{}},
			{Kind: "status", RetryAfterText: "a\r\nb"},
			{Kind: "empty", Value: "soup"},
		},
	}
	err := cfg.Validate()
	if err == nil {
		t.Fatal("valid")
	}
	want := []string{
		"latency: median must be above 0s and p99 at least the median",
		"capacity.max_in_flight: must be set for the rest of capacity to mean something",
		"answers[0].match: not a regular expression",
		"answers[0].say: must be 1 to 65536 bytes of UTF-8",
		"faults[0].kind: must be one of status, slow, hang",
		"faults[1].status: must be from 400 to 599",
		"faults[2].chunks: means nothing to kind slow",
		"faults[3].ramp: must not be longer than for",
		"faults[4].flap: on and off must be at least 1ms each",
		"faults[5].retry_after_text: must be at most 256 printable ASCII characters",
		"faults[6].value: must be body, choices or content",
		"admin_listen: 0.0.0.0:0 is not a loopback address: set admin_token too",
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("%d problems, want %d:\n%v", len(lines), len(want), err)
	}
	for i := range min(len(want), len(lines)) {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("problem %d: %q, want %q", i, lines[i], want[i])
		}
	}
}
