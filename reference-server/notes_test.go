package refserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/tidwall/gjson"
)

func ticketID(n int) string { return fmt.Sprintf("%032x", n) }

// askingRecord is a turn that opened a ticket.
func askingRecord(h *hold, turnID, ticket string) *record {
	r := testRecord(h, turnID, "q "+turnID)
	r.response = []byte(`{"dialog_id":"` + h.id + `","answer":"转人工","seq":` + fmt.Sprint(h.seq) + `,"ticket":{"id":"` + ticket + `"}}`)
	return r
}

func replies(turns []record) string {
	var b []string
	for _, r := range turns {
		for _, n := range r.notes {
			b = append(b, r.turnID+"="+n.text)
		}
	}
	return strings.Join(b, " ")
}

// Replies stand behind the turn they came after, once each, and never get in
// the way of turns that are under way.
func TestRepliesInADialog(t *testing.T) {
	bothWays(t, func(t *testing.T, s *store, _ *miniredis.Miniredis) {
		ctx := t.Context()
		h := s.fresh(testDialog)
		if err := s.commit(ctx, h, askingRecord(h, "t1", ticketID(1)), testKept); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the answer to the first may have got lost
			if err := s.addNote(ctx, testDialog, note{ticketID(1), "a1", "一"}, s.now()); err != nil {
				t.Fatal(err)
			}
		}
		h = start(t, s, "t2", "q t2")
		if got := replies(h.turns); got != "t1=一" || h.seq != 2 {
			t.Fatalf("t2 saw %q, seq %d", got, h.seq)
		}
		// While t2 is under way its ticket is replied to, and so is an old one.
		if err := s.addNote(ctx, testDialog, note{ticketID(9), "a1", "九"}, s.now().Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		waited := make(chan error)
		go func() { waited <- s.addNote(ctx, testDialog, note{ticketID(2), "a2", "二"}, s.now()) }()
		if err := s.commit(ctx, h, askingRecord(h, "t2", ticketID(2)), testKept); err != nil {
			t.Fatalf("commit beside a reply: %v", err)
		}
		if err := <-waited; err != nil {
			t.Fatal(err)
		}
		h = start(t, s, "t3", "q t3")
		if got := replies(h.turns); got != "t1=一 t1=九 t2=二" || h.seq != 3 || h.lost {
			t.Errorf("t3 saw %q, seq %d, lost %v", got, h.seq, h.lost)
		}
		if err := s.commit(ctx, h, testRecord(h, "t3", "q t3"), testKept); err != nil {
			t.Fatal(err)
		}
	})
}

// Replies go with the turn they stand behind when a dialog is trimmed.
func TestRepliesAreTrimmedWithTheirTurns(t *testing.T) {
	bothWays(t, func(t *testing.T, s *store, _ *miniredis.Miniredis) {
		ctx := t.Context()
		k := testKept
		k.messages = 6
		h := s.fresh(testDialog)
		for i := 1; i <= 8; i++ {
			if i > 1 {
				h = start(t, s, fmt.Sprint("t", i), "q t"+fmt.Sprint(i))
			}
			if err := s.commit(ctx, h, askingRecord(h, fmt.Sprint("t", i), ticketID(i)), k); err != nil {
				t.Fatal(err)
			}
			if err := s.addNote(ctx, testDialog, note{ticketID(i), "a", fmt.Sprint(i)}, s.now()); err != nil {
				t.Fatal(err)
			}
		}
		turns, err := s.history(ctx, testDialog)
		if err != nil || replies(turns) != "t6=6 t7=7 t8=8" || len(turns) != 3 || turns[2].seq != 8 {
			t.Errorf("%d turns with %q, %v; want the last three", len(turns), replies(turns), err)
		}
		if n := s.rdb.LLen(ctx, listKey(testDialog)).Val(); n > 7 {
			t.Errorf("%d elements, want at most 7", n)
		}
	})
}

// A reply never brings back a dialog that is gone.
func TestRepliesDoNotReviveADialog(t *testing.T) {
	bothWays(t, func(t *testing.T, s *store, _ *miniredis.Miniredis) {
		ctx := t.Context()
		if err := s.addNote(ctx, testDialog, note{ticketID(1), "a", "太晚了"}, s.now().Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n := s.rdb.Exists(ctx, listKey(testDialog)).Val(); n != 0 {
			t.Error("the dialog is back")
		}
	})
}

func TestNotesInAPrompt(t *testing.T) {
	e := exchangeOf(&record{user: "投诉", response: []byte(`{"answer":"已转人工"}`), degraded: true, notes: []note{{ticketID(1), "a", "处理好了 ⟦c:AAAAAAAA.1⟧"}}})
	if e.User != "投诉" || len(e.Replies) != 1 || e.Replies[0] != "处理好了" {
		t.Errorf("a degraded turn with a reply is put before the model as %+v", e)
	}
	e = exchangeOf(&record{user: "运费", response: []byte(`{"answer":"包邮 ⟦seen c:A.1⟧"}`)})
	if len(e.Replies) != 1 || e.Replies[0] != "包邮" {
		t.Errorf("an answered turn is put before the model as %+v", e)
	}
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
		if !ok || back.ticket != n.ticket {
			t.Errorf("%q became %+v, %v", s, back, ok)
		}
		if f := foldRecords([]string{s, s}); len(f.turns) != 0 || f.lost {
			t.Errorf("%q alone makes a dialog: %+v", s, f)
		}
	})
}

func FuzzAgentRequests(f *testing.F) {
	for _, s := range []string{`{"type":"subscribe","queues":["*"]}`, `{"type":"claim","ticket_id":"x"}`, `null`, "\xff", `{"queues":[1]}`, `{"type":"a"}{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, ok, code := decodeAgentRequest(b)
		if code != 0 && code != closePayload {
			t.Fatalf("close code %d", code)
		}
		if code != 0 && ok {
			t.Fatal("accepted and refused")
		}
		if ok && len(q.Queues) > 64 {
			t.Fatalf("%d queues", len(q.Queues))
		}
		for _, m := range [][]byte{outcomeMessage(outcomeClaimed, bounded(q.TicketID)), errorMessage(codeBadMessage, bounded(q.TicketID)), helloMessage(q.Text, time.Second)} {
			if !gjson.ValidBytes(m) || len(m) > 8*len(b)+256 {
				t.Fatalf("answer %q", m)
			}
		}
	})
}
