package agents

import (
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

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
			s := &session{agents: g, agent: &agent{}, stream: &guard{read: time.Duration(i)}, values: make([]jsonscan.Value, saidSlots), wake: make(chan struct{}, 1)}
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
