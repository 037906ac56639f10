package dialog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func ticketID(n int) string { return fmt.Sprintf("%032x", n) }

// askingRecord is a turn that opened a ticket.
func askingRecord(h *Hold, turnID, ticket string) *Record {
	r := testRecord(h, turnID, "q "+turnID)
	r.Response = []byte(`{"dialog_id":"` + h.id + `","answer":"转人工","seq":` + fmt.Sprint(h.seq) + `,"ticket":{"id":"` + ticket + `"}}`)
	return r
}

func replies(turns []Record) string {
	var b []string
	for _, r := range turns {
		for _, n := range r.Notes {
			b = append(b, r.TurnID+"="+n.Text)
		}
	}
	return strings.Join(b, " ")
}

// Replies stand behind the turn they came after, once each, and never get in
// the way of turns that are under way.
func TestRepliesInADialog(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		ctx := t.Context()
		h := s.Fresh(testDialog)
		if err := s.Commit(ctx, h, askingRecord(h, "t1", ticketID(1)), testKept); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the answer to the first may have got lost
			if err := s.AddNote(ctx, testDialog, Note{Ticket: ticketID(1), Agent: "a1", Text: "一"}, s.now()); err != nil {
				t.Fatal(err)
			}
		}
		h = start(t, s, "t2", "q t2")
		if got := replies(h.turns); got != "t1=一" || h.seq != 2 {
			t.Fatalf("t2 saw %q, seq %d", got, h.seq)
		}
		// While t2 is under way its ticket is replied to, and so is an old one.
		if err := s.AddNote(ctx, testDialog, Note{Ticket: ticketID(9), Agent: "a1", Text: "九"}, s.now().Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		waited := make(chan error)
		go func() {
			waited <- s.AddNote(ctx, testDialog, Note{Ticket: ticketID(2), Agent: "a2", Text: "二"}, s.now())
		}()
		if err := s.Commit(ctx, h, askingRecord(h, "t2", ticketID(2)), testKept); err != nil {
			t.Fatalf("commit beside a reply: %v", err)
		}
		if err := <-waited; err != nil {
			t.Fatal(err)
		}
		h = start(t, s, "t3", "q t3")
		if got := replies(h.turns); got != "t1=一 t1=九 t2=二" || h.seq != 3 || h.lost {
			t.Errorf("t3 saw %q, seq %d, lost %v", got, h.seq, h.lost)
		}
		if err := s.Commit(ctx, h, testRecord(h, "t3", "q t3"), testKept); err != nil {
			t.Fatal(err)
		}
	})
}

// Replies go with the turn they stand behind when a dialog is trimmed.
func TestRepliesAreTrimmedWithTheirTurns(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		ctx := t.Context()
		k := testKept
		k.Messages = 6
		h := s.Fresh(testDialog)
		for i := 1; i <= 8; i++ {
			if i > 1 {
				h = start(t, s, fmt.Sprint("t", i), "q t"+fmt.Sprint(i))
			}
			if err := s.Commit(ctx, h, askingRecord(h, fmt.Sprint("t", i), ticketID(i)), k); err != nil {
				t.Fatal(err)
			}
			if err := s.AddNote(ctx, testDialog, Note{Ticket: ticketID(i), Agent: "a", Text: fmt.Sprint(i)}, s.now()); err != nil {
				t.Fatal(err)
			}
		}
		turns, err := s.History(ctx, testDialog)
		if err != nil || replies(turns) != "t6=6 t7=7 t8=8" || len(turns) != 3 || turns[2].Seq != 8 {
			t.Errorf("%d turns with %q, %v; want the last three", len(turns), replies(turns), err)
		}
		if n := s.redis.LLen(ctx, ListKey(testDialog)).Val(); n > 7 {
			t.Errorf("%d elements, want at most 7", n)
		}
	})
}

// A reply never brings back a dialog that is gone.
func TestRepliesDoNotReviveADialog(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		ctx := t.Context()
		if err := s.AddNote(ctx, testDialog, Note{Ticket: ticketID(1), Agent: "a", Text: "太晚了"}, s.now().Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n := s.redis.Exists(ctx, ListKey(testDialog)).Val(); n != 0 {
			t.Error("the dialog is back")
		}
	})
}

func FuzzNotes(f *testing.F) {
	f.Add(`{"n":"` + ticketID(1) + `","a":"a1","m":"好"}`)
	f.Add(`{"n":1,"m":{}}`)
	f.Add(`[]`)
	f.Add("{\"n\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := parseNote(s)
		if !ok {
			return
		}
		back, ok := parseNote(string(n.appendJSON(nil)))
		if !ok || back.Ticket != n.Ticket {
			t.Errorf("%q became %+v, %v", s, back, ok)
		}
		if f := foldRecords([]string{s, s}); len(f.turns) != 0 || f.lost {
			t.Errorf("%q alone makes a dialog: %+v", s, f)
		}
	})
}
