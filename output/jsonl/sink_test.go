package jsonl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/output/jsonl"
	"github.com/cstest/cstest/result"
)

type file struct {
	bytes.Buffer
	closed bool
}

func (f *file) Close() error { f.closed = true; return nil }

func lines(t *testing.T, f *file) (list []map[string]any) {
	t.Helper()
	for l := range strings.Lines(f.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		list = append(list, m)
	}
	return list
}

var about = &output.About{
	RunID: "r-1", Scenario: "s", Tags: map[string]string{"env": "pre\n{"},
	Plan: &measure.Plan{Slots: []measure.Slot{{}, {Conversation: "coupon", Index: 1}}},
}

func TestLinesOfSeconds(t *testing.T) {
	f := &file{}
	s, err := jsonl.New(f, about, 0)
	if err != nil {
		t.Fatal(err)
	}
	second := &output.Second{Elapsed: 1500 * time.Millisecond, Stage: "peak", Observed: []output.Observed{{Name: "cpu", Value: 0.5}}}
	second.Last.Outcomes[measure.Shed], second.Last.Turns, second.Outcomes[measure.OK] = 2, 2, 9
	if err := s.Take(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if err := s.End(t.Context(), &result.Document{Verdict: "fail", ExitCode: 10, Counts: result.Counts{Turns: 9}}); err != nil || !f.closed {
		t.Fatal(err, f.closed)
	}
	l := lines(t, f)
	if len(l) != 3 || l[0]["run_id"] != "r-1" || l[0]["tags"].(map[string]any)["env"] != "pre\n{" {
		t.Fatalf("lines %v", l)
	}
	total := l[1]["total"].(map[string]any)
	if l[1]["t_s"] != 1.5 || l[1]["stage"] != "peak" || l[1]["outcomes"].(map[string]any)["shed"] != 2.0 || total["turns"] != 9.0 || l[1]["observed"].(map[string]any)["cpu"] != 0.5 {
		t.Errorf("second %v", l[1])
	}
	if l[2]["type"] != "end" || l[2]["verdict"] != "fail" || l[2]["exit_code"] != 10.0 || l[2]["counts"].(map[string]any)["turns"] != 9.0 {
		t.Errorf("end %v", l[2])
	}
}

func TestLinesOfTurnsAreBounded(t *testing.T) {
	f := &file{}
	s, err := jsonl.New(f, about, 5)
	if err != nil {
		t.Fatal(err)
	}
	one := output.Turn{Turn: measure.Turn{Slot: 1, Number: 7, TraceID: [16]byte{0xab}, Intended: time.Second, Login: time.Millisecond, Done: time.Second + 5*time.Millisecond, Status: 200, Tier: measure.TierFAQ, Outcome: measure.Degraded}}
	if err := errors.Join(s.Take(t.Context(), &output.Second{}), s.Turns(t.Context(), []output.Turn{one})); err != nil {
		t.Fatal(err)
	}
	l := lines(t, f)
	if len(l) != 2 {
		t.Fatalf("%d lines", len(l))
	}
	for key, want := range map[string]any{
		"type": "turn", "conversation": "coupon", "turn": 2.0, "number": 7.0, "trace_id": "ab" + strings.Repeat("0", 30),
		"response_ns": 4e6, "status": 200.0, "outcome": "degraded", "tier": "faq",
	} {
		if l[1][key] != want {
			t.Errorf("%s is %v, want %v", key, l[1][key], want)
		}
	}
	for i := range 5 {
		err = s.Turns(t.Context(), []output.Turn{one, one})
		if full := errors.Is(err, jsonl.ErrFull); full != (i >= 2) {
			t.Fatalf("batch %d: %v", i, err)
		}
	}
	if l := lines(t, f); len(l) != 6 {
		t.Errorf("%d lines", len(l))
	}
}

// full is a disk with room for so many bytes.
type full struct {
	file
	room int
}

func (f *full) Write(b []byte) (int, error) {
	n := min(len(b), f.room)
	f.room -= n
	_, _ = f.Buffer.Write(b[:n])
	if n < len(b) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// A disk that is full from some second on is an error of each second from there: none
// is taken for written, and the file ends with the lines that were.
func TestDiskThatFills(t *testing.T) {
	f := &full{room: 2000}
	s, err := jsonl.New(f, about, 0)
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for i := range 20 {
		err := s.Take(t.Context(), &output.Second{Elapsed: time.Duration(i+1) * time.Second})
		if err == nil && written < i {
			t.Fatalf("second %d is said to be written behind one that is not", i)
		}
		if err == nil {
			written++
		}
	}
	whole := strings.Count(f.String(), "\n") - 1 // and the first line
	if written == 0 || written == 20 || whole != written {
		t.Errorf("%d seconds are said to be written, %d are", written, whole)
	}
	if err := s.End(t.Context(), &result.Document{}); err == nil || !f.closed {
		t.Errorf("the end is said to be written: %v", err)
	}
}
