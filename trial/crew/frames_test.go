package crew

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/measure"
)

func TestFramesComeOutAsTheyWentIn(t *testing.T) {
	var b bytes.Buffer
	f := &framer{w: &b}
	long := bytes.Repeat([]byte{0, 0xff}, 100_000)
	for _, payload := range [][]byte{nil, {1}, long} {
		if err := f.send(frameInterval, payload); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.sendJSON(frameCounters, Counters{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{{}, {1}, long} {
		kind, got, err := readFrame(&b)
		if err != nil || kind != frameInterval || !bytes.Equal(got, want) {
			t.Fatalf("kind %c, %d bytes, %v; want %d", kind, len(got), err, len(want))
		}
	}
	kind, got, err := readFrame(&b)
	if err != nil || kind != frameCounters || string(got) != `{"in_flight":1,"conversations":2,"started":3}` {
		t.Errorf("kind %c, %s, %v", kind, got, err)
	}
	if _, _, err := readFrame(&b); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestFramesOfSeveralGoroutinesStayWhole(t *testing.T) {
	var b bytes.Buffer
	f := &framer{w: &b}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				_ = f.send(byte('A'+i), bytes.Repeat([]byte{byte('a' + i)}, 300)) // a buffer takes everything
			}
		})
	}
	wg.Wait()
	for n := range 400 {
		kind, payload, err := readFrame(&b)
		if err != nil || len(payload) != 300 || strings.Trim(string(payload), string(rune(kind-'A'+'a'))) != "" {
			t.Fatalf("frame %d: kind %c, %d bytes, %v", n, kind, len(payload), err)
		}
	}
}

func TestBadFramesAreRefused(t *testing.T) {
	head := func(n uint32, rest string) string {
		return string(binary.LittleEndian.AppendUint32(nil, n)) + rest
	}
	for name, text := range map[string]string{
		"no length": "\x01\x02", "cut": head(100, "i123"), "of nothing": head(0, ""), "endless": head(mostFrame+1, "i"), "most there is": head(1<<32-1, "i"),
	} {
		if _, _, err := readFrame(strings.NewReader(text)); err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Turns that a member tells are passed on; damaged ones end it, for nothing behind
// them can be trusted.
func TestTurnsOfMembers(t *testing.T) {
	var out bytes.Buffer
	p := NewParent(nil, &out)
	one := measure.AppendTurn(nil, &measure.Turn{Number: 4})
	two := measure.AppendTurn(one, &measure.Turn{Number: 5})
	if err := errors.Join(p.Turns(measure.SampledTurns, two), p.End(Ending{Facts: &measure.Facts{}, Untold: map[measure.Selection]int64{measure.EveryTurn: 3}})); err != nil {
		t.Fatal(err)
	}
	var heard []int64
	c := &Crew{pending: newPending(planOf("s", time.Second), 1), turns: func(which measure.Selection, turns []measure.Turn) {
		for _, turn := range turns {
			heard = append(heard, int64(which), turn.Number)
		}
	}}
	m := &member{}
	if err := c.follow(0, m, &out); err != nil || !slices.Equal(heard, []int64{1, 4, 1, 5}) {
		t.Errorf("heard %v, %v", heard, err)
	}
	c.members = []*member{m}
	if told := c.Told(time.Now()); told.Untold[measure.EveryTurn] != 3 {
		t.Errorf("untold %v", told.Untold)
	}
	if err := errors.Join(p.Turns(measure.EveryTurn, one[:9]), p.End(Ending{})); err != nil {
		t.Fatal(err)
	}
	if err := c.follow(0, m, &out); err == nil {
		t.Error("damaged turns are taken")
	}
}

func TestPendingAddsUpAndBeginsAnew(t *testing.T) {
	plan := planOf("s", 10*time.Second)
	p := newPending(plan, 2)
	turn := func(n int) *measure.Snapshot {
		r := measure.NewRecorder(plan, 1)
		for range n {
			r.Lane(0).Started(0)
			r.Lane(0).Record(&measure.Turn{Done: time.Millisecond, Sent: time.Microsecond})
		}
		s, err := r.Cut(time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	p.add(0, turn(3))
	p.add(1, turn(4))
	s, err := p.cut()
	if err != nil || s.Turns() != 7 || s.Started != 7 || s.Elapsed != time.Second {
		t.Errorf("%d turns, %d started, %s, %v", s.Turns(), s.Started, s.Elapsed, err)
	}
	p.add(0, turn(1))
	if s, err := p.cut(); err != nil || s.Turns() != 1 {
		t.Errorf("after the cut: %d turns, %v", s.Turns(), err)
	}
	other := planOf("other", time.Second)
	p.add(1, measure.NewInterval(other))
	if _, err := p.cut(); err == nil {
		t.Error("an interval of another plan was taken")
	}
	if _, err := p.cut(); err != nil {
		t.Errorf("an error is told twice: %v", err)
	}
}

// A second is cut when all who are still there have told of it, or one is late.
func TestCutWaitsForEveryShard(t *testing.T) {
	plan := planOf("s", 10*time.Second)
	synctest.Test(t, func(t *testing.T) {
		p := newPending(plan, 3)
		tell := func(i int, until, after time.Duration) {
			time.AfterFunc(after, func() {
				s := measure.NewInterval(plan)
				s.Elapsed = until
				p.add(i, s)
			})
		}
		took := func(until time.Duration) time.Duration {
			since := time.Now()
			p.await(until, late)
			return time.Since(since)
		}
		tell(0, time.Second, 0)
		tell(1, time.Second, 30*time.Millisecond)
		tell(2, time.Second+time.Millisecond, 20*time.Millisecond)
		if got := took(time.Second); got != 30*time.Millisecond {
			t.Errorf("cut after %s, want 30ms", got)
		}
		if s, err := p.cut(); err != nil || s.Elapsed != time.Second+time.Millisecond {
			t.Errorf("the load had come to %s, %v", s.Elapsed, err)
		}
		tell(0, 2*time.Second, 0)
		tell(1, 2*time.Second, 700*time.Millisecond)
		time.AfterFunc(10*time.Millisecond, func() { p.gone(2) })
		if got := took(2 * time.Second); got != late {
			t.Errorf("cut after %s, want %s", got, late)
		}
		tell(0, 3*time.Second, 300*time.Millisecond)
		tell(1, 3*time.Second, 400*time.Millisecond)
		if got := took(3 * time.Second); got != 400*time.Millisecond {
			t.Errorf("with one gone: cut after %s, want 400ms", got)
		}
	})
}

func TestCountersAddUp(t *testing.T) {
	if got := (Counters{1, 2, 3}).Plus(Counters{10, 20, 30}); got != (Counters{11, 22, 33}) {
		t.Errorf("sum %+v", got)
	}
}

// late is how long the others are waited for.
const late = 500 * time.Millisecond

// planOf is a plan of one stage.
func planOf(name string, length time.Duration) *measure.Plan {
	return &measure.Plan{Stages: []measure.Stage{{Name: name, End: length, Judged: true}}}
}
