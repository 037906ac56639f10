package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/trial/crew"
	"github.com/cstest/cstest/tui"
)

func TestCallsOfTheLastWholeSecond(t *testing.T) {
	var answered measure.Second
	answered.Outcomes[measure.OK] = 20
	l := &trial.Live{Elapsed: 4100 * time.Millisecond, SoFar: &measure.Snapshot{Seconds: []measure.Second{{}, {}, answered, answered}}}
	facts := &measure.Facts{LLMKnown: true, Calls: []measure.CallSecond{{Second: 2, Calls: 5}, {Second: 3, Calls: 20}}}
	if n, ok := callsOf(l, facts); n != 0.25 || !ok {
		t.Errorf("%v %v, want 0.25 of second 2", n, ok)
	}
	facts.Calls = facts.Calls[1:]
	if n, ok := callsOf(l, facts); n != 0 || !ok {
		t.Errorf("%v %v, want none at all", n, ok)
	}
	facts.LLMKnown = false
	if _, ok := callsOf(l, facts); ok {
		t.Error("calls are known though nobody told them")
	}
	l.Elapsed, facts.LLMKnown = time.Second, true
	if _, ok := callsOf(l, facts); ok {
		t.Error("calls are known before a second was told")
	}
}

func TestUsersActiveOfPlanned(t *testing.T) {
	for _, c := range []struct {
		conversations   int64
		level           float64
		active, planned int64
	}{
		{200, 66.7, 67, 67},  // a ramp: the others' time has not come
		{200, 200, 200, 200}, // all
		{180, 200, 180, 200}, // some are gone
		{150, 0, 150, 0},     // the drain
		{0, 0, 0, 0},
	} {
		if active, planned := usersOf(c.conversations, c.level); active != c.active || planned != c.planned {
			t.Errorf("%d conversations at level %v: %d of %d, want %d of %d", c.conversations, c.level, active, planned, c.active, c.planned)
		}
	}
}

// A percentile of the same turns reads the same while the run is shown, in the
// terminal's report and on the page.
func TestLiveViewAndPageReadAlike(t *testing.T) {
	sc, err := scenario.Parse("scenario.yaml", []byte(`version: 1
name: alike
target: {url: http://127.0.0.1:1, timeout: 2s}
load: {stages: [{name: only, for: 1s, starts: {from: 600/s, to: 600/s}}]}
conversations: [{name: one, turns: [{say: 你好}]}]
sla: {latency: {p99: 500ms}, availability: 99 %}
`), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan := trial.Plan(sc)
	recorder := measure.NewRecorder(plan, 1)
	const turns = 600 // of which 400 are answered: a P99 needs 368
	for i := range turns {
		at := time.Duration(i) * 1500 * time.Microsecond
		turn := measure.Turn{Intended: at, Sent: at, FirstByte: at + 9_870*time.Microsecond, Done: at + 9_870*time.Microsecond, Outcome: measure.OK}
		if i%3 == 0 {
			turn.Outcome = measure.ServerError
		}
		recorder.Lane(0).Started(at)
		recorder.Lane(0).Record(&turn)
	}
	snapshot, err := recorder.Cut(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	shown := frames{scenario: sc, signals: &signals{}, level: func(time.Duration) float64 { return 0 }}
	frame := shown.build(&trial.Live{
		Elapsed: time.Second, Total: time.Second, Plan: plan, Last: snapshot, SoFar: snapshot,
		Counters: func() crew.Counters { return crew.Counters{Started: turns} },
	})
	line := strings.ReplaceAll(tui.Line(frame, reason.English), "\u00a0", " ")
	p99 := regexp.MustCompile(`P99 (\S+ ms)`).FindStringSubmatch(line)
	if p99 == nil || !strings.HasPrefix(p99[1], "9.") {
		t.Fatalf("the line has no P99: %s", line)
	}
	d := result.Build(sc, &result.About{}, result.Recording{Snapshot: snapshot})
	var text, page bytes.Buffer
	if err := report.WriteText(d, &text, report.TextOptions{Width: 120}); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteHTML(d, &page, reason.English); err != nil {
		t.Fatal(err)
	}
	for where, out := range map[string]string{"report": text.String(), "page": page.String()} {
		if !strings.Contains(strings.ReplaceAll(out, "\u00a0", " "), p99[1]) {
			t.Errorf("the live view says %s, the %s does not:\n%.3000s", p99[1], where, out)
		}
	}
	for _, share := range []string{"66.67 %", "33.33 %"} {
		if !strings.Contains(line, share) || !strings.Contains(strings.ReplaceAll(page.String(), "\u00a0", " "), share) {
			t.Errorf("%s is not in the line and on the page: %s", share, line)
		}
	}
}
