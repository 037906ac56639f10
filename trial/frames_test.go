package trial

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
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

func TestPendingAddsUpAndBeginsAnew(t *testing.T) {
	plan := Plan(parse(t, anyTarget+"}", "{stages: [{name: s, for: 10s, starts: 10/s}]}"))
	p := newPending(plan)
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
	p.add(turn(3))
	p.add(turn(4))
	s, err := p.Cut(2 * time.Second)
	if err != nil || s.Turns() != 7 || s.Started != 7 || s.Elapsed != 2*time.Second {
		t.Errorf("%d turns, %d started, %s, %v", s.Turns(), s.Started, s.Elapsed, err)
	}
	p.add(turn(1))
	if s, err := p.Cut(3 * time.Second); err != nil || s.Turns() != 1 {
		t.Errorf("after the cut: %d turns, %v", s.Turns(), err)
	}
	other := Plan(parse(t, anyTarget+"}", "{stages: [{name: other, for: 1s, starts: 10/s}]}"))
	p.add(measure.NewInterval(other))
	if _, err := p.Cut(4 * time.Second); err == nil {
		t.Error("an interval of another plan was taken")
	}
	if _, err := p.Cut(5 * time.Second); err != nil {
		t.Errorf("an error is told twice: %v", err)
	}
}

func TestCountersAddUp(t *testing.T) {
	if got := (Counters{1, 2, 3}).plus(Counters{10, 20, 30}); got != (Counters{11, 22, 33}) {
		t.Errorf("sum %+v", got)
	}
}
