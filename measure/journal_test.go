package measure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var testRun = Header{Run: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}

// runRecorded records a small run and gives its intervals.
func runRecorded(t testing.TB, plan *Plan, seconds int) []*Snapshot {
	t.Helper()
	r := NewRecorder(plan, 2)
	var cuts []*Snapshot
	for second := range seconds {
		at := time.Duration(second) * time.Second
		var dialogs [2]Dialog // one a lane
		for i := range 6 {
			lane := r.Lane(i)
			intended := at + time.Duration(i)*100*ms
			lane.Started(intended)
			turn := Turn{
				Slot: i % len(plan.Slots), Intended: intended, Sent: intended + ms, Done: intended + time.Duration(20+i*30)*ms,
				Lag: time.Duration(i) * ms, Tier: TierLLM, Outcome: OK, Memory: Verified,
				Dialog: &dialogs[i%2],
				Server: []ServerTime{{[]byte("llm"), time.Duration(i) * 10 * ms}, {[]byte("redis"), ms}}[:i%3],
			}
			if i == 4 {
				turn.FirstReasoning = intended + 7*ms
				turn.Usage = Usage{Answers: 2, Told: int64(1 + second%2), Calls: 1, Input: 300, Cached: 100, CachedTold: 1, Output: 20, Reasoning: 5, ReasoningTold: 1}
				turn.Spell, turn.Spelled = 30*ms, 14
			}
			if i == 5 {
				turn.Outcome, turn.Tier = Timeout, TierUnknown
				lane.Failed(&Failure{Outcome: Timeout, Message: "no answer in time", At: turn.Done, Conversation: "a", Turn: 1, TraceID: "abc"})
			}
			lane.Record(&turn)
			if i < 4 {
				lane.Ended(Complete, nil)
			} else {
				lane.Ended(Complete, &dialogs[i%2])
			}
		}
		s, err := r.Cut(at + time.Second)
		if err != nil {
			t.Fatal(err)
		}
		cuts = append(cuts, s)
	}
	return cuts
}

// appendMark writes that a stage or phase began, as journals of before have it.
func (j *Journal) appendMark(m Mark) error {
	return j.do(func() error {
		if err := j.json(kindMark, m); err != nil {
			return err
		}
		return j.sync()
	})
}

// appendExemplar writes a turn kept as an example, as journals of before have it.
func (j *Journal) appendExemplar(e Exemplar) error {
	return j.do(func() error { return j.json(kindExemplar, e) })
}

// journalOf writes a run of n intervals, and gives the bytes and where each record ended.
func journalOf(t testing.TB, plan *Plan, cuts []*Snapshot, closed bool) (data []byte, ends []int) {
	t.Helper()
	m := &memory{}
	j, err := NewJournal(m, testRun, plan)
	if err != nil {
		t.Fatal(err)
	}
	ends = append(ends, m.Len())
	note := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, m.Len())
	}
	note(j.AppendNote("scenario", map[string]string{"name": "x"}))
	for i, c := range cuts {
		note(j.AppendInterval(c))
		if i == 0 {
			note(j.appendMark(Mark{At: time.Second, Kind: "stage", Name: "peak"}))
			note(j.appendExemplar(Exemplar{Failure: Failure{Outcome: Timeout, Message: "late"}, Response: "客服\xff"}))
		}
	}
	note(j.AppendFacts(&Facts{LLMKnown: true, LLMCalls: 7}))
	if closed {
		note(j.Close())
	} else {
		note(j.Abandon())
	}
	return m.Bytes(), ends
}

func sum(t testing.TB, plan *Plan, parts []*Snapshot) *Snapshot {
	t.Helper()
	s := NewSnapshot(plan)
	for _, p := range parts {
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// same compares snapshots by everything in them.
func same(a, b *Snapshot) string {
	return cmp.Diff(a, b, cmp.Comparer(func(x, y *Histogram) bool { return x.Equal(y) && x.Clamped() == y.Clamped() }),
		cmp.AllowUnexported(Sketch{}), cmpopts.EquateEmpty(), cmp.Comparer(func(x, y *Plan) bool { return x.Equal(y) }))
}

func TestJournalGivesBackTheRun(t *testing.T) {
	plan := testPlan()
	cuts := runRecorded(t, plan, 4)
	data, _ := journalOf(t, plan, cuts, true)
	got, err := ReadJournal(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(sum(t, plan, cuts), got.Snapshot); diff != "" {
		t.Errorf("the snapshot read back differs:\n%s", diff)
	}
	if got.Header != (Header{JournalVersion, testRun.Run}) || !got.Closed || got.Lost != 0 || len(got.Gaps) != 0 || got.Intervals != 4 {
		t.Errorf("header %v closed %v lost %d gaps %v intervals %d", got.Header, got.Closed, got.Lost, got.Gaps, got.Intervals)
	}
	if got.Facts.LLMCalls != 7 || len(got.Facts.Interrupted) > 0 || got.Facts.Gaps != 0 {
		t.Errorf("facts %+v", got.Facts)
	}
	if want := []Mark{{time.Second, "stage", "peak"}}; !reflect.DeepEqual(got.Marks, want) {
		t.Errorf("marks %v, want %v", got.Marks, want)
	}
	if len(got.Exemplars) != 1 || got.Exemplars[0].Response != "客服\ufffd" || string(got.Notes["scenario"]) != `{"name":"x"}` {
		t.Errorf("exemplars %v notes %v", got.Exemplars, got.Notes)
	}
}

func TestUnclosedJournalIsInterrupted(t *testing.T) {
	plan := testPlan()
	data, _ := journalOf(t, plan, runRecorded(t, plan, 2), false)
	got, err := ReadJournal(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got.Closed || !strings.Contains(got.Facts.Interrupted.String(), "ends before the run") {
		t.Errorf("closed %v, interrupted %q", got.Closed, got.Facts.Interrupted)
	}
}

// A journal cut anywhere gives the records that are whole, and nothing else.
func TestTruncatedAnywhere(t *testing.T) {
	plan := testPlan()
	cuts := runRecorded(t, plan, 2)
	data, ends := journalOf(t, plan, cuts, true)
	// Records: plan, note, interval, mark, exemplar, interval, facts, end.
	sums := map[int]*Snapshot{0: NewSnapshot(plan), 1: sum(t, plan, cuts[:1]), 2: sum(t, plan, cuts)}
	for n := range data {
		got, err := ReadJournal(bytes.NewReader(data[:n]))
		if n < ends[0] {
			if !errors.Is(err, ErrNoJournal) {
				t.Fatalf("%d bytes: error %v, want ErrNoJournal", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		whole, last := 0, ends[0]
		for _, end := range ends {
			if end <= n {
				whole, last = whole+1, end
			}
		}
		intervals := 0
		if whole >= 3 {
			intervals++
		}
		if whole >= 6 {
			intervals++
		}
		if got.Intervals != intervals || got.Lost != int64(n-last) || len(got.Gaps) != 0 || got.Closed {
			t.Fatalf("%d bytes: %d intervals, lost %d, gaps %v, closed %v; want %d intervals, lost %d",
				n, got.Intervals, got.Lost, got.Gaps, got.Closed, intervals, n-last)
		}
		if !bytes.Equal(appendSnapshot(nil, sums[intervals]), appendSnapshot(nil, got.Snapshot)) {
			t.Fatalf("%d bytes: %s", n, same(sums[intervals], got.Snapshot))
		}
		if known := whole >= 7; known != got.Facts.LLMKnown {
			t.Fatalf("%d bytes: facts known %v, want %v", n, got.Facts.LLMKnown, known)
		}
	}
}

// Whatever bit is flipped, the journal says that it is damaged, and what it gives
// is the sum of intervals that are whole.
func TestFlippedBits(t *testing.T) {
	plan := &Plan{Stages: []Stage{{Name: "s", End: time.Second, Judged: true}}, Slots: []Slot{{Conversation: "c"}}}
	cuts := runRecorded(t, plan, 2)
	data, _ := journalOf(t, plan, cuts, true)
	possible := map[string]bool{}
	for _, parts := range [][]*Snapshot{nil, cuts[:1], cuts[1:], cuts} {
		possible[string(appendSnapshot(nil, sum(t, plan, parts)))] = true
	}
	flipped := bytes.Clone(data)
	for i := range data {
		for bit := range 8 {
			flipped[i] ^= 1 << bit
			got, err := ReadJournal(bytes.NewReader(flipped))
			again, err2 := ReadJournal(bytes.NewReader(flipped))
			if fmt.Sprint(err) != fmt.Sprint(err2) {
				t.Fatalf("byte %d bit %d: %v, then %v", i, bit, err, err2)
			}
			flipped[i] ^= 1 << bit
			if err != nil {
				if !errors.Is(err, ErrNoJournal) {
					t.Fatalf("byte %d bit %d: %v", i, bit, err)
				}
				continue
			}
			if got.Closed && len(got.Gaps) == 0 {
				t.Fatalf("byte %d bit %d: damage not noticed", i, bit)
			}
			if got.Closed != again.Closed || got.Lost != again.Lost || !reflect.DeepEqual(got.Gaps, again.Gaps) {
				t.Fatalf("byte %d bit %d: two readings differ", i, bit)
			}
			if !possible[string(appendSnapshot(nil, got.Snapshot))] {
				t.Fatalf("byte %d bit %d: the snapshot is no sum of intervals", i, bit)
			}
		}
	}
}

// Records missing, repeated or cut out of the middle are noticed and counted once.
func TestLostAndRepeatedRecords(t *testing.T) {
	plan := testPlan()
	cuts := runRecorded(t, plan, 3)
	data, ends := journalOf(t, plan, cuts, true)
	second := data[ends[4]:ends[5]] // the second interval
	without := append(bytes.Clone(data[:ends[4]]), data[ends[5]:]...)
	twice := append(append(bytes.Clone(data[:ends[5]]), second...), data[ends[5]:]...)
	holed := bytes.Clone(data)
	clear(holed[ends[4]+20 : ends[4]+60])
	for _, c := range []struct {
		name string
		data []byte
		want []*Snapshot
		gap  Gap
	}{
		{"missing", without, []*Snapshot{cuts[0], cuts[2]}, Gap{int64(ends[4]), 0}},
		{"twice", twice, cuts, Gap{int64(ends[5]), int64(len(second))}},
		{"zeroed", holed, []*Snapshot{cuts[0], cuts[2]}, Gap{int64(ends[4]), int64(len(second))}},
	} {
		got, err := ReadJournal(bytes.NewReader(c.data))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := same(sum(t, plan, c.want), got.Snapshot); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if !reflect.DeepEqual(got.Gaps, []Gap{c.gap}) || got.Facts.Gaps != 1 || !got.Closed {
			t.Errorf("%s: gaps %v (facts %d), want %v; closed %v", c.name, got.Gaps, got.Facts.Gaps, c.gap, got.Closed)
		}
	}
}

// A record longer than a frame is read back whole, and not at all without one of its frames.
func TestLongRecords(t *testing.T) {
	plan := testPlan()
	m := &memory{}
	j, err := NewJournal(m, testRun, plan)
	if err != nil {
		t.Fatal(err)
	}
	start := m.Len()
	long := strings.Repeat("客服", 500_000)
	if err := j.AppendNote("long", long); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := ReadJournal(bytes.NewReader(m.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal(got.Notes["long"], &back); err != nil || back != long {
		t.Fatalf("the note came back with %d bytes, %v", len(back), err)
	}
	for _, at := range []int{start + 100, start + 1<<20 + 100, start + 2<<20 + 100} {
		data := bytes.Clone(m.Bytes())
		data[at] ^= 1
		got, err := ReadJournal(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Notes) != 0 || len(got.Gaps) == 0 || !got.Closed {
			t.Errorf("damage at %d: %d notes, gaps %v, closed %v", at, len(got.Notes), got.Gaps, got.Closed)
		}
	}
}

// A journal of another version says so, whether its header is whole or not.
func TestVersionGate(t *testing.T) {
	plan := testPlan()
	data, _ := journalOf(t, plan, runRecorded(t, plan, 1), true)
	newer := bytes.Clone(data)
	newer[len(headerMagic)] = JournalVersion + 1
	if got, err := ReadJournal(bytes.NewReader(newer)); err != nil || len(got.Gaps) != 1 || got.Header.Run != testRun.Run {
		t.Errorf("a damaged version: %v, %v", got, err)
	}
	sumAt := headerLength - 4
	copy(newer[sumAt:], binarySum(newer[:sumAt]))
	if _, err := ReadJournal(bytes.NewReader(newer)); !errors.Is(err, ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
	frames, _ := appendFrames(nil, 0, kindPlan, []byte(`{"version":10,"run":"AAAAAAAAAAAAAAAAAAAAAA==","plan":{}}`))
	if _, err := ReadJournal(bytes.NewReader(append(make([]byte, headerLength), frames...))); !errors.Is(err, ErrVersion) {
		t.Errorf("a later version without a header: %v", err)
	}
}

func binarySum(b []byte) []byte {
	return appendSum(nil, b)
}

func FuzzReadJournal(f *testing.F) {
	plan := &Plan{Stages: []Stage{{Name: "s", End: time.Second, Judged: true}}, Slots: []Slot{{Conversation: "c"}}}
	data, _ := journalOf(f, plan, runRecorded(f, plan, 1), true)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(headerMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadJournal(bytes.NewReader(data))
		if err != nil {
			return
		}
		if got.Snapshot == nil || got.Facts == nil || got.Plan == nil {
			t.Fatal("parts are missing")
		}
		if got.Closed && got.Facts.Gaps != len(got.Gaps) && got.Facts.Gaps < len(got.Gaps) {
			t.Fatal("gaps are not told")
		}
	})
}

// What decodes encodes to a snapshot that decodes to the same.
func FuzzDecodeSnapshot(f *testing.F) {
	plan := testPlan()
	for _, c := range runRecorded(f, plan, 2) {
		f.Add(appendSnapshot(nil, c))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeSnapshot(data, plan)
		if err != nil {
			return
		}
		again, err := decodeSnapshot(appendSnapshot(nil, s), plan)
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(s, again); diff != "" {
			t.Fatal(diff)
		}
		if err := NewSnapshot(plan).Add(s); err != nil {
			t.Fatal(err)
		}
	})
}
