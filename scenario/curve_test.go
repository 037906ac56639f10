package scenario

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// curved parses the least scenario with a curve of that content for its load.
func curved(t *testing.T, content, load string) (*Scenario, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "day.csv"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(least, "  stages:\n    - {name: only, for: 10s, starts: 5/s}\n", load, 1)
	return Parse("x.yaml", []byte(text), Options{Dir: dir})
}

func TestCurveBecomesRamps(t *testing.T) {
	s, err := curved(t, "time,note,rate\n08:00,a,2/s\n08:00:30,b,300/m\n08:02,c,900/h\n", "  curve: day.csv\n  scale: 30\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name     string
		length   time.Duration
		from, to float64
	}{{"curve-01", 30 * time.Second, 60, 150}, {"curve-02", 90 * time.Second, 150, 7.5}}
	if len(s.Load.Stages) != len(want) || s.Load.Curve != "" {
		t.Fatalf("stages %+v", s.Load.Stages)
	}
	for i, w := range want {
		st := s.Load.Stages[i]
		if st.Name != w.name || st.For.D() != w.length || float64(st.Starts.From) != w.from || float64(st.Starts.To) != w.to || !*st.Judged {
			t.Errorf("stage %d: %+v %+v, want %+v", i, st, st.Starts, w)
		}
	}
	roundTrip(t, s, Options{})
	pressed, err := curved(t, "time,rate\n0,2\n3600,4\n", "  curve: day.csv\n  for: 10m\n")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := pressed.ConversationsExpected(); pressed.TotalDuration() != 10*time.Minute || n != 1800 {
		t.Errorf("pressed: %v, %v conversations; want 10m, 1800", pressed.TotalDuration(), n)
	}
}

// Of more rows than there may be stages the starts stay as many.
func TestLongCurveKeepsItsStarts(t *testing.T) {
	var b strings.Builder
	b.WriteString("time,rate\n")
	sum, before := 0.0, 0.0
	for i := range 1441 {
		rate := math.Round(100*(3+2*math.Sin(float64(i)/200))) / 100
		fmt.Fprintf(&b, "%d,%v\n", i*60, rate)
		if i > 0 {
			sum += (before + rate) / 2 * 60
		}
		before = rate
	}
	s, err := curved(t, b.String(), "  curve: day.csv\n")
	if err != nil {
		t.Fatal(err)
	}
	n, _ := s.ConversationsExpected()
	if len(s.Load.Stages) != 64 || s.TotalDuration() != 24*time.Hour || math.Abs(n/sum-1) > 1e-3 {
		t.Errorf("%d stages, %v, %.1f conversations; want 64, 24h, %.1f", len(s.Load.Stages), s.TotalDuration(), n, sum)
	}
}

// A peak of a few minutes in a day by the minute keeps its height and its place, and how
// far off the rest is, is said.
func TestLongCurveKeepsItsPeak(t *testing.T) {
	var b strings.Builder
	b.WriteString("time,rate\n")
	for i := range 1440 {
		rate := 3 + 2*math.Sin(float64(i)/200)
		switch i {
		case 720, 722:
			rate = 50
		case 721:
			rate = 90
		}
		fmt.Fprintf(&b, "%02d:%02d,%.2f\n", i/60, i%60, rate)
	}
	s, err := curved(t, b.String(), "  curve: day.csv\n  for: 24m\n  scale: 2\n")
	if err != nil {
		t.Fatal(err)
	}
	highest, at, from := 0.0, time.Duration(0), time.Duration(0)
	for _, st := range s.Load.Stages {
		for when, rate := range map[time.Duration]float64{from: float64(st.Starts.From), from + st.For.D(): float64(st.Starts.To)} {
			if rate < 0 {
				t.Errorf("%s goes below 0: %+v", st.Name, st.Starts)
			}
			if rate > highest {
				highest, at = rate, when
			}
		}
		from += st.For.D()
	}
	if highest < 175 || highest > 185 || (at-721501*time.Millisecond).Abs() > 5*time.Millisecond || len(s.Load.Stages) != 64 || from != 24*time.Minute {
		t.Errorf("%d stages of %v, the highest rate is %.1f/s at %v; want 64 of 24m, 180/s at 12m1.5s", len(s.Load.Stages), from, highest, at)
	}
	w := fmt.Sprint(s.Warnings())
	if !strings.Contains(w, "x.yaml:5:10: load.curve: of its 1440 rows 64 stages are made, which start as many conversations; they are off the curve by at most 0.") {
		t.Errorf("warnings %s", w)
	}
	again, err := s.Scale(0.5)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(again.Warnings()); !strings.Contains(got, "load.curve: of its 1440 rows") {
		t.Errorf("a changed scenario warns %s", got)
	}
}

// Rows that a press brings to one millisecond make no stage without a length.
func TestPressedCurve(t *testing.T) {
	var b strings.Builder
	b.WriteString("time,rate\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "%d,%d\n", i, 1000*(i%2))
	}
	s, err := curved(t, b.String(), "  curve: day.csv\n  for: 100ms\n")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := s.ConversationsExpected(); math.Abs(n-50) > 1 || s.TotalDuration() != 100*time.Millisecond {
		t.Errorf("%v conversations in %v, want 50 in 100ms", n, s.TotalDuration())
	}
}

func TestCurveProblems(t *testing.T) {
	const plain = "  curve: day.csv\n"
	for name, c := range map[string]struct{ content, load, want string }{
		"no columns":  {"at,rps\n1,2\n", plain, "day.csv:1:1: load.curve: needs the columns time and rate, it has at, rps"},
		"empty":       {"", plain, "day.csv:1:1: load.curve: is empty: the first line is time,rate"},
		"one row":     {"time,rate\n0,1\n", plain, "day.csv:1:1: load.curve: has 1 rows: a curve needs two at least"},
		"no rate":     {"time,rate\n0,1\n10,fast\n", plain, `day.csv:3:4: load.curve: row 2, rate: "fast" is not a rate: write 2.5 (a second), 5/s, 300/m or 900/h, at most 1000k/s`},
		"negative":    {"time,rate\n0,1\n10,-1\n", plain, `day.csv:3:4: load.curve: row 2, rate: "-1" is not a rate: write 2.5 (a second), 5/s, 300/m or 900/h, at most 1000k/s`},
		"not finite":  {"time,rate\n0,NaN\n10,1\n", plain, `day.csv:2:3: load.curve: row 1, rate: "NaN" is not a rate: write 2.5 (a second), 5/s, 300/m or 900/h, at most 1000k/s`},
		"no time":     {"time,rate\nnoon,1\n10,1\n", plain, `day.csv:2:1: load.curve: row 1, time: "noon" is not a time: write 90, 90s, 1h30m or 08:30`},
		"backwards":   {"rate,time\n1,10\n1,20\n1,20\n", plain, `day.csv:4:3: load.curve: row 3, time: "20" is not after the row before: rows go forward in time`},
		"fields":      {"time,rate\n0\n", plain, "day.csv:2:1: load.curve: has more or fewer fields than the header"},
		"and stages":  {"time,rate\n0,1\n9,1\n", plain + "  stages: [{name: a, for: 1s, starts: 1/s}]\n", "x.yaml:5:10: load.curve: stands beside stages or users: the curve is the load, keep one"},
		"scale alone": {"", "  scale: 2\n  stages: [{name: a, for: 1s, starts: 1/s}]\n", "x.yaml:5:10: load.scale: is for load.curve; --scale scales any load"},
		"no scale":    {"time,rate\n0,1\n9,1\n", plain + "  scale: 0\n", "x.yaml:6:10: load.scale: must be above 0 and at most 1000000: 30 is thirty times the curve"},
		"nothing":     {"time,rate\n0,0\n9,0\n", plain, "x.yaml:5:10: load.stages: plan 0 conversations, less than one: nothing would be sent; raise starts or for"},
		"elsewhere":   {"", "  curve: ../day.csv\n", "x.yaml:5:10: load.curve: ../day.csv: "},
	} {
		_, err := curved(t, c.content, c.load)
		if err == nil {
			t.Errorf("%s: no problem", name)
			continue
		}
		if got := err.Error(); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}
