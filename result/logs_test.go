package result

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
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
