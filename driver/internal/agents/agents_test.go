package agents

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

// wsFrame is one frame of a server.
func wsFrame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return string(b) + payload
}

// Cut anywhere, the frames of an agent's socket say the same.
func TestFramesCutAnywhere(t *testing.T) {
	text := wsFrame(0x89, "ping") + wsFrame(0x01, `{"type":"tick`) + wsFrame(0x8a, "") + wsFrame(0x80, `et","ticket":{"id":"t-é\n"}}`) +
		wsFrame(0x81, `{"type":"x","y":"`+strings.Repeat("y", 200)+`"}`) + wsFrame(0x81, `{"z":"`+strings.Repeat("z", 1<<16)+`"}`)
	for _, size := range []int{1, 2, 3, 7, 64, len(text)} {
		g := &guard{}
		for b := []byte(text); len(b) > 0; {
			n := min(size, len(b))
			if err := g.check(b[:n]); err != nil {
				t.Fatalf("pieces of %d: %v", size, err)
			}
			b = b[n:]
		}
		if g.left != 0 || g.have != 0 || g.parts != 1 {
			t.Errorf("pieces of %d: left %d, have %d, parts %d", size, g.left, g.have, g.parts)
		}
		if err := g.check([]byte{0x81, 0x80}); !errors.Is(err, errMasked) {
			t.Errorf("pieces of %d, then a mask: %v", size, err)
		}
	}
}

func FuzzGuard(f *testing.F) {
	f.Add([]byte(wsFrame(0x81, "{}")+wsFrame(0x01, "a")+wsFrame(0x80, "b")), 1)
	f.Add([]byte{0x81, 127, 0xff, 255, 255, 255, 255, 255, 255, 255, 1}, 3)
	f.Add([]byte{0x81, 0x80}, 2)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		whole, pieces := &guard{}, &guard{}
		want := whole.check(b)
		var got error
		for rest := b; len(rest) > 0 && got == nil; {
			n := max(1, min(size, len(rest)))
			got = pieces.check(rest[:n])
			rest = rest[n:]
		}
		if !errors.Is(got, want) || want == nil && (whole.left != pieces.left || whole.have != pieces.have || whole.parts != pieces.parts) {
			t.Errorf("whole: %v %+v\npieces: %v %+v", want, whole, got, pieces)
		}
	})
}

// Pushes nobody waits for are forgotten after a while.
func TestEarlyPushesExpire(t *testing.T) {
	e := early{byID: map[string]*sighting{}}
	e.add("a", time.Second)
	e.add("b", 2*time.Second)
	e.add("c", time.Second+earlyFor)
	if len(e.byID) != 3 || len(e.queue) != 3 {
		t.Errorf("%d kept, %d in line", len(e.byID), len(e.queue))
	}
	// An entry that was taken and came again is not the old one.
	delete(e.byID, "a")
	again := e.add("a", time.Second+earlyFor+1)
	if len(e.byID) != 3 || len(e.queue) != 3 || e.byID["a"] != again || e.byID["b"] == nil {
		t.Errorf("kept %v", e.byID)
	}
	e.add("d", 3*earlyFor)
	if len(e.byID) != 1 || len(e.queue) != 1 || e.byID["d"] == nil {
		t.Errorf("kept %v", e.byID)
	}
}

// Whatever a server says, what is kept of it stays within bounds.
func FuzzAgentMessages(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ticket","ticket":{"id":"t"}}`, `{"type":"claimed","ticket_id":"t"}`, `{"type":"lost","ticket_id":"t"}`, `{"type":"replied","ticket_id":"t"}`,
		`{"type":"error","code":"not-found","ticket_id":"t"}`, `{"type":"error","code":"\u001b[31m"}`, `{"type":"ticket","ticket":{"id":7}}`, `[]`, `{"type":["ticket"]}`,
	} {
		f.Add([]byte(seed), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		g := New(&wire.Target{Base: time.Now()}, Config{Notes: true})
		defer g.Close()
		h := g.expect("t")
		h.fault = wire.Fault{}
		for i, raw := range [][]byte{one, two, one, two} {
			s := &session{agents: g, agent: &agent{}, guard: &guard{read: time.Duration(i)}, values: make([]jsonscan.Value, saidSlots), wake: make(chan struct{}, 1)}
			scan := jsonscan.Scanner{Values: s.values}
			if s.in = raw; !g.places.Find(&scan, raw) {
				continue
			}
			s.handle(s.text(saidType))
			g.claim(h)
		}
		if h.sight.shown > 2 || h.won > 2 || len(h.sight.notes) > maxNotes+64 || len(h.code) > 42 || len(g.early.byID) > 4 {
			t.Errorf("%+v", h)
		}
		if h.won > 0 && h.winner == nil || h.closed && h.won == 0 {
			t.Errorf("%+v", h)
		}
	})
}
