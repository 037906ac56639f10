package measure

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// logOf is the log of a shard that recorded some seconds, and what it recorded.
func logOf(t testing.TB, shard string, seconds int, closed bool) (lines []string, want *Recovered) {
	t.Helper()
	var log, whole bytes.Buffer
	plan := testPlan()
	cuts := runRecorded(t, plan, seconds)
	for _, file := range []File{NewPieces(&log, shard), &memory{}} {
		j, err := NewJournal(file, testRun, plan)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.AppendNote("scenario", strings.Repeat("x", 20_000)); err != nil {
			t.Fatal(err)
		}
		for _, c := range cuts {
			if err := j.AppendInterval(c); err != nil {
				t.Fatal(err)
			}
		}
		end := j.Abandon
		if closed {
			end = j.Close
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if m, ok := file.(*memory); ok {
			whole.Write(m.Bytes())
		}
	}
	want, err := ReadJournal(&whole)
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(log.String(), "\n"), "\n"), want
}

func spoolOf(t testing.TB, logs ...string) *Spool {
	t.Helper()
	s, err := NewSpool()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, log := range logs {
		if _, err := s.Read(strings.NewReader(log)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestJournalsAreReadBackFromLogs(t *testing.T) {
	lines, want := logOf(t, "2/8", 5, true)
	if longest := slices.MaxFunc(lines, func(a, b string) int { return len(a) - len(b) }); len(longest) > 12<<10 || len(lines) < 6 {
		t.Fatalf("%d lines, the longest of %d bytes: want several short ones", len(lines), len(longest))
	}
	joined := strings.Join(lines, "")
	shuffled := slices.Clone(lines)
	shuffled[len(shuffled)-1] += "\n"
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	var prefixed strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&prefixed, "2026-11-11T00:00:00.5Z [pod/sale-2] 2: %s\r\nsomebody else's line\n", strings.TrimSuffix(l, "\n"))
	}
	long := strings.Repeat("y", 200_000) + "\n"
	for name, logs := range map[string][]string{
		"whole":      {joined},
		"shuffled":   {strings.Join(shuffled, "")},
		"twice":      {joined + "\n" + joined},
		"two logs":   {strings.Join(lines[3:], ""), strings.Join(lines[:5], "")},
		"prefixed":   {prefixed.String()},
		"long lines": {long + joined + "\n" + long},
	} {
		streams := spoolOf(t, logs...).Streams()
		if len(streams) != 1 || streams[0].Shard != "2/8" || streams[0].Torn != 0 {
			t.Fatalf("%s: %d streams", name, len(streams))
		}
		got, err := streams[0].Journal()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Intervals != want.Intervals || got.Closed != want.Closed || len(got.Gaps) > 0 || got.Lost != 0 || string(got.Notes["scenario"]) != string(want.Notes["scenario"]) {
			t.Errorf("%s: %d intervals, closed %v, gaps %v", name, got.Intervals, got.Closed, got.Gaps)
		}
		if d := same(want.Snapshot, got.Snapshot); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestLogsThatAreNotWhole(t *testing.T) {
	lines, want := logOf(t, "2/8", 6, true)
	begun := slices.IndexFunc(lines, func(l string) bool { return len(l) < 8<<10 }) // the plan is before it, the note after
	journal := func(log string) (*Stream, *Recovered, error) {
		streams := spoolOf(t, log).Streams()
		if len(streams) != 1 {
			t.Fatalf("%d streams", len(streams))
		}
		r, err := streams[0].Journal()
		return streams[0], r, err
	}
	// Cut within a line: what came before counts.
	last := lines[len(lines)-1]
	s, got, err := journal(strings.Join(lines[:len(lines)-1], "") + last[:len(last)/2])
	if err != nil || got.Closed || s.Torn != 1 || got.Intervals != want.Intervals-1 && got.Intervals != want.Intervals {
		t.Errorf("cut: %+v, %v, %d torn", got, err, s.Torn)
	}
	// A line in the middle is damaged: the rest counts, and the gap is told.
	middle := slices.Clone(lines)
	k := len(lines) - 3
	middle[k] = strings.Replace(middle[k], " ", " ", 1)[:len(middle[k])-9] + "CCCCCCA=\n"
	if s, got, err = journal(strings.Join(middle, "")); err != nil || s.Torn != 1 || len(got.Gaps) != 1 || got.Intervals != want.Intervals-1 {
		t.Errorf("damaged: %+v, %v, %d torn", got, err, s.Torn)
	}
	// Without its beginning there is no plan to read the rest by.
	if _, _, err = journal(strings.Join(lines[begun+1:], "")); !errors.Is(err, ErrNoJournal) {
		t.Errorf("without its beginning: %v", err)
	}
}

// Two processes of one shard are two journals, and of hostile lines none is left.
func TestLogsOfSeveralProcesses(t *testing.T) {
	a, _ := logOf(t, "0/2", 2, true)
	b, _ := logOf(t, "0/2", 3, false)
	log := strings.Join(a, "") + "\n" + strings.Join(b, "") + `
cstest-journal
cstest-journal 1/2
cstest-journal 99999999999999999999999999999 abcdefgh 0 0 AAAA
cstest-journal 1/2 deadbeef -1 00000000 AAAA
cstest-journal 1/2 deadbeef 9223372036854775808 00000000 AAAA
cstest-journal 1/2 deadbeef 0 00000000
`
	var shards []string
	var torn, intervals int
	for _, s := range spoolOf(t, log).Streams() {
		shards = append(shards, s.Shard)
		torn += s.Torn
		if r, err := s.Journal(); err == nil {
			intervals += r.Intervals
		}
	}
	if !slices.Equal(shards, []string{"0/2", "0/2", "1/2"}) && !slices.Equal(shards, []string{"1/2", "0/2", "0/2"}) && !slices.Equal(shards, []string{"0/2", "1/2", "0/2"}) || torn != 3 || intervals != 5 {
		t.Errorf("%v, %d torn lines, %d intervals; want two of 0/2 and one of 1/2, 3, 5", shards, torn, intervals)
	}
}

// A log that lost its beginning is still read: it comes again.
func TestBeginningOfAJournalComesAgain(t *testing.T) {
	var log bytes.Buffer
	plan := testPlan()
	j, err := NewJournal(NewPieces(&log, "0/1"), testRun, plan)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range runRecorded(t, plan, 3) {
		if i == 2 { // as much as makes the beginning come again
			if err := j.AppendNote("long", strings.Repeat("x", headEvery)); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.AppendInterval(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(log.String(), "\n")
	r, err := spoolOf(t, rest).Streams()[0].Journal()
	if err != nil || r.Intervals != 3 || len(r.Gaps) > 0 || !r.Closed {
		t.Errorf("%+v, %v; want all three intervals", r, err)
	}
}
