package result

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// shardLog is the log of a shard of a load of so many seconds with 100 starts a
// second and ten turns each; it may have ended before it drove anything.
func shardLog(t testing.TB, shard Shard, seconds int) []byte {
	t.Helper()
	text := strings.Replace(steady, "for: 4s", fmt.Sprintf("for: %ds", max(seconds, 4)), 1)
	s, err := scenario.Parse("scenario.yaml", []byte(text), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stages := []measure.Stage{{Name: "s", End: time.Duration(max(seconds, 4)) * time.Second, Judged: true}}
	plan := &measure.Plan{Stages: stages, Budgets: sla.Budgets(s.Objectives(), stages, s.SLA)}
	for i := range 10 {
		plan.Slots = append(plan.Slots, measure.Slot{Conversation: "c", Index: i, Say: "a"})
	}
	var log bytes.Buffer
	j, err := measure.NewJournal(measure.NewPieces(&log, shard.String()), measure.Header{}, plan)
	if err != nil {
		t.Fatal(err)
	}
	about := About{Scenario: text, RunID: "r", Version: "v", Scale: 1, Overrides: []string{shard.Override()}}
	errs := []error{j.AppendNote(NoteAbout, about), j.AppendNote(NoteStarted, "2026-11-11T00:00:00Z")}
	rec := measure.NewRecorder(plan, 1)
	var planned int64
	for second := range seconds {
		for k := range 100 {
			if k%min(shard.N, 100) != shard.I%100 {
				continue
			}
			planned++
			at := time.Duration(second)*time.Second + time.Duration(k)*10*time.Millisecond
			rec.Lane(0).Started(at)
			for i := range 10 {
				at += time.Duration(i*37+k) * time.Millisecond
				rec.Lane(0).Record(&measure.Turn{Slot: i, Intended: at, Sent: at, Done: at + time.Duration(100+k*7+second)*time.Millisecond, Memory: measure.Verified})
			}
			rec.Lane(0).Ended(measure.Complete, nil)
		}
		cut, err := rec.Cut(time.Duration(second+1) * time.Second)
		errs = append(errs, err, j.AppendInterval(cut))
	}
	errs = append(errs, j.AppendFacts(&measure.Facts{Generator: measure.Generator{Cores: 2, Planned: planned}}), j.Close())
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return log.Bytes()
}

func spool(t testing.TB, logs ...[]byte) *measure.Spool {
	t.Helper()
	s, err := measure.NewSpool()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, l := range logs {
		if _, err := s.Read(bytes.NewReader(l)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A shard that was started again counts once, if one attempt drove its load.
func TestLogsOfShardsThatWereStartedAgain(t *testing.T) {
	idle, drove, again := shardLog(t, Shard{0, 2}, 0), shardLog(t, Shard{0, 2}, 4), shardLog(t, Shard{0, 2}, 4)
	other := shardLog(t, Shard{1, 2}, 4)
	shards, warnings := RecoverLogs(spool(t, idle, drove, idle, other))
	if len(shards) != 2 || len(warnings) != 1 || warnings[0].String() != "shard 0/2 was started more than once, and only once drove load: that one counts" {
		t.Errorf("%d shards, %v", len(shards), warnings)
	}
	if _, err := Merge(shards...); err != nil {
		t.Error(err)
	}
	shards, _ = RecoverLogs(spool(t, drove, again, other))
	if _, err := Merge(shards...); err == nil || !strings.HasPrefix(err.Error(), "the logs hold two processes of shard 0/2 that both drove its load") {
		t.Errorf("twice: %v", err)
	}
	if shards, warnings = RecoverLogs(spool(t, idle, shardLog(t, Shard{0, 2}, 0))); len(shards) != 1 || len(warnings) != 0 {
		t.Errorf("neither drove: %d shards, %v", len(shards), warnings)
	}
	_, headless, _ := bytes.Cut(drove, []byte("\n"))
	shards, warnings = RecoverLogs(spool(t, headless, other))
	if len(shards) != 1 || len(warnings) != 1 || warnings[0].String() != "a journal of shard 0/2 in the logs cannot be read: no journal, or damaged beyond reading" {
		t.Errorf("without its beginning: %d shards, %v", len(shards), warnings)
	}
}

// A log that was rotated away in the middle of the load is told from when to when, and
// what it held is judged as good and as bad.
func TestLogsThatLackAStretch(t *testing.T) {
	holed, other := shardLog(t, Shard{0, 2}, 10), shardLog(t, Shard{1, 2}, 10)
	lines := bytes.SplitAfter(holed, []byte("\n"))
	// The beginning is repeated in a log of hours; here it is kept, and a third of what follows is not.
	from, to := len(lines)*4/10, len(lines)*7/10
	rotated := bytes.Join(append(slices.Clone(lines[:from]), lines[to:]...), nil)
	shards, _ := RecoverLogs(spool(t, rotated, other))
	sum, err := Merge(shards...)
	if err != nil {
		t.Fatal(err)
	}
	d, err := sum.Document()
	if err != nil {
		t.Fatal(err)
	}
	if d.Verdict != "incomplete" || len(d.Reasons) < 2 || !strings.HasPrefix(d.Reasons[0], "what shard 0/2 did from ") || !strings.Contains(strings.Join(d.Reasons, "\n"), "if the about ") {
		t.Errorf("%s, %q", d.Verdict, d.Reasons)
	}
	hole := sum.Facts.Cut[0]
	var missing, seconds int64
	for _, u := range sum.Facts.Unsent {
		missing += int64(u.Starts)
		if u.Starts > 0 {
			seconds++
		}
	}
	started := int64(0)
	for i := range sum.Snapshot.Seconds {
		started += int64(sum.Snapshot.Seconds[i].Starts)
	}
	if started+missing < 995 || started+missing > 1005 || seconds > int64((hole.Until-hole.After)/time.Second)+1 {
		t.Errorf("%d starts and %d missing in %d seconds of a hole from %s to %s, want 1,000", started, missing, seconds, hole.After, hole.Until)
	}
}

// BenchmarkMergeLogs adds up the logs of 300 shards of two minutes each. With
// MERGE_LOGS it leaves them in that folder, for `cstest merge`.
func BenchmarkMergeLogs(b *testing.B) {
	const n = 300
	logs := make([][]byte, n)
	size := 0
	for i := range logs {
		logs[i] = shardLog(b, Shard{i, n}, 120)
		size += len(logs[i])
		if dir := os.Getenv("MERGE_LOGS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.log", i)), logs[i], 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		shards, _ := RecoverLogs(spool(b, logs...))
		sum, err := Merge(shards...)
		if err != nil {
			b.Fatal(err)
		}
		if sum.journal.Intervals != n*120 {
			b.Fatalf("%d intervals", sum.journal.Intervals)
		}
	}
}
