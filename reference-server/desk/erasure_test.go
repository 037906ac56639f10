package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

const erasedText = "紫色的伞"

// erasable is the dialog of another server, to be erased there.
func erasable(t *testing.T, ts *tickets) *dialog.Store {
	t.Helper()
	return dialog.NewStore(ts.redis.(*redis.Client), storeOptions)
}

func aboutIt(turn string) Question {
	return Question{Owner: user("default"), Queue: "order", DialogID: testDialog, Text: erasedText, TraceID: "tr", Turn: turn}
}

// waits puts a ticket into the journal.
func waits(t *testing.T, ts *tickets) {
	t.Helper()
	if _, _, err := ts.open(t.Context(), aboutIt("t-1"), true); err != nil {
		t.Fatal(err)
	}
}

// leftOf is where Redis still has a text or an id.
func leftOf(t *testing.T, ts *tickets, texts ...string) (places []string) {
	t.Helper()
	ctx := t.Context()
	for _, key := range ts.redis.Keys(ctx, "*").Val() {
		var held string
		switch kind := ts.redis.Type(ctx, key).Val(); kind {
		case "hash":
			held = fmt.Sprint(ts.redis.HGetAll(ctx, key).Val())
		case "zset":
			held = fmt.Sprint(ts.redis.ZRange(ctx, key, 0, -1).Val())
		case "set":
			held = fmt.Sprint(ts.redis.SMembers(ctx, key).Val())
		case "list":
			held = fmt.Sprint(ts.redis.LRange(ctx, key, 0, -1).Val())
		}
		for _, text := range texts {
			if strings.Contains(key+held, text) {
				places = append(places, key+" "+held)
			}
		}
	}
	return places
}

// A ticket that is written behind the erasure of its dialog is taken back, whichever way
// it comes: opened, from the journal, or filed again after a loss.
func TestATicketDoesNotOutliveItsDialog(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, _ := testTickets(t, redisURL)
		before, _, _ := ts.open(t.Context(), aboutIt("t-0"), false)
		waiting, _, _ := ts.open(t.Context(), aboutIt("t-1"), true) // in the journal
		other, _, _ := ts.open(t.Context(), Question{Owner: user("default"), Queue: "order", DialogID: strings.Repeat("e", dialog.IDLen), Text: "别的", TraceID: "tr", Turn: "t-9"}, true)
		if err := erasable(t, ts).Erase(t.Context(), testDialog); err != nil {
			t.Fatal(err)
		}
		elsewhere, _ := testTickets(t, redisURL) // the server that erases: it knows nothing of the journal here
		if err := elsewhere.erase(t.Context(), testDialog); err != nil {
			t.Fatal(err)
		}
		late, stored, err := ts.open(t.Context(), aboutIt("t-2"), false)
		if !errors.Is(err, dialog.ErrErased) || stored || late.ID != "" {
			t.Errorf("opened: %+v, stored %v, %v; want ErrErased", late, stored, err)
		}
		ts.flush(t.Context())
		if n := ts.journal.length(); n != 0 {
			t.Errorf("%d in the journal", n)
		}
		for _, k := range ts.kept.all() {
			if k.ID != before.ID && k.ID != other.ID {
				t.Errorf("kept: %+v", k)
			}
			if err := ts.move(t.Context(), k); (k.ID == before.ID) != errors.Is(err, dialog.ErrErased) {
				t.Errorf("filed again: %v", err)
			}
		}
		if left := leftOf(t, ts, erasedText, before.ID, waiting.ID); left != nil {
			t.Errorf("left: %v", left)
		}
		if got, ok, _ := ts.get(t.Context(), other.ID); !ok || got.Text != "别的" {
			t.Errorf("the ticket of another dialog: %+v", got)
		}
	})
}

// With the mark long gone, what has waited here since before the erasure still does not
// come back: the server hears of it first.
func TestTheJournalHearsOfOldErasures(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, _ := testTickets(t, redisURL)
		o := storeOptions
		o.Erased = func(list dialog.Erasures) {
			ts.forget(func(k Ticket) bool { return list.Cover(k.DialogID, k.asked()) })
		}
		ts.catchUp = dialog.NewStore(ts.redis.(*redis.Client), o).CatchUp
		waits(t, ts)
		ts.kept.put(Ticket{ID: ticketID(1), Queue: "order", State: stateOpen, DialogID: testDialog, Tenant: "default", Text: erasedText, AskedNS: ts.now().UnixNano()})
		if err := erasable(t, ts).Erase(t.Context(), testDialog); err != nil {
			t.Fatal(err)
		}
		ts.redis.Del(t.Context(), dialog.ListKey(testDialog)) // its time is over
		ts.flush(t.Context())
		if left := leftOf(t, ts, erasedText); left != nil || ts.journal.length() != 0 || len(ts.kept.all()) != 0 {
			t.Errorf("left: %v, %d in the journal, %d kept", left, ts.journal.length(), len(ts.kept.all()))
		}
		// A ticket of the next life is one like any.
		next := Ticket{ID: ticketID(2), Queue: "order", State: stateOpen, DialogID: testDialog, Tenant: "default", Text: "新的", AskedNS: ts.now().Add(time.Hour).UnixNano()}
		ts.journal.add(next, false)
		ts.flush(t.Context())
		if got, ok, _ := ts.get(t.Context(), next.ID); !ok || got.Text != "新的" {
			t.Errorf("the next life's: %+v", got)
		}
	})
}

// While Redis cannot be asked what was erased, nothing is written from the journal.
func TestNothingIsFiledUnheard(t *testing.T) {
	ts, _ := testTickets(t, "redis://"+startRedis(t))
	waits(t, ts)
	ts.catchUp = func(context.Context) error { return dialog.ErrState }
	ts.flush(t.Context())
	if left := leftOf(t, ts, erasedText); left != nil || ts.journal.length() != 1 {
		t.Errorf("written: %v; %d in the journal", left, ts.journal.length())
	}
}

// Agents who know of a ticket hear that it is gone, once; whoever has claimed it can
// reply no more; and nobody is told of it again.
func TestAgentsHearThatATicketIsGone(t *testing.T) {
	d := testDesk(t)
	conn := subscribedAgent(t, d)
	var mine []Ticket
	for n := range 2 {
		tk, stored, err := d.Open(t.Context(), aboutIt(fmt.Sprint("t-", n)), false)
		if err != nil {
			t.Fatal(err)
		}
		d.Announce(tk, stored)
		if m := next(t, conn); m.Get("ticket.id").Str != tk.ID {
			t.Fatalf("%s", m.Raw)
		}
		mine = append(mine, tk)
	}
	say(t, conn, map[string]string{"type": "claim", "ticket_id": mine[0].ID})
	if m := next(t, conn); m.Get("type").Str != "claimed" {
		t.Fatalf("%s", m.Raw)
	}
	// More come than are remembered as told of: the claimed one is known all the same.
	other := Question{Owner: user("default"), Queue: "order", DialogID: strings.Repeat("e", dialog.IDLen), Text: "别的", TraceID: "tr"}
	for n := range socketSeen - 1 {
		d.deliver(Ticket{ID: ticketID(n), Queue: "order", State: stateOpen, Tenant: "default", DialogID: other.DialogID, AskedNS: 1}, false)
		if m := next(t, conn); m.Get("ticket.id").Str != ticketID(n) {
			t.Fatalf("%s", m.Raw)
		}
	}
	if err := erasable(t, d.tickets).Erase(t.Context(), testDialog); err != nil {
		t.Fatal(err)
	}
	if err := d.Erase(t.Context(), testDialog); err != nil {
		t.Fatal(err)
	}
	list := dialog.Erasures{testDialog: time.Now().Add(time.Minute)}
	d.Forget(list)
	d.Forget(list)
	gone := map[string]bool{}
	for range mine {
		m := next(t, conn)
		if m.Get("type").Str != "gone" {
			t.Fatalf("%s, want gone", m.Raw)
		}
		gone[m.Get("ticket_id").Str] = true
	}
	if !gone[mine[0].ID] || !gone[mine[1].ID] {
		t.Errorf("gone: %v, want both", gone)
	}
	say(t, conn, map[string]string{"type": "reply", "ticket_id": mine[0].ID, "text": "好了"})
	if m := next(t, conn); m.Raw != `{"type":"error","code":"not-found","ticket_id":"`+mine[0].ID+`"}` {
		t.Errorf("a reply: %s", m.Raw)
	}
	if err := d.dialogs.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.deliver(mine[1], true) // another server's message, late
	say(t, conn, map[string]string{"type": "claim", "ticket_id": mine[1].ID})
	if m := next(t, conn); m.Raw != `{"type":"error","code":"not-found","ticket_id":"`+mine[1].ID+`"}` {
		t.Errorf("told again: %s", m.Raw)
	}
	if _, _, err := d.Open(t.Context(), aboutIt("t-5"), true); !errors.Is(err, dialog.ErrErased) || d.Journaled() != 0 {
		t.Errorf("a ticket that would wait here: %v, %d in the journal", err, d.Journaled())
	}
}

// before does something right before the first script goes to Redis.
type before struct {
	once sync.Once
	do   func()
}

func (*before) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.Name(), "eval") {
			b.once.Do(b.do)
		}
		return next(ctx, cmd)
	}
}

func (*before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A dialog that is erased while its ticket is on the way from the journal, behind the
// last look, has none in the end.
func TestATicketOnItsWayIsTakenBack(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, _ := testTickets(t, redisURL)
		elsewhere, _ := testTickets(t, redisURL)
		ts.redis.(*redis.Client).AddHook(&before{do: func() {
			if err := erasable(t, elsewhere).Erase(t.Context(), testDialog); err != nil {
				t.Error(err)
			}
			if err := elsewhere.erase(t.Context(), testDialog); err != nil {
				t.Error(err)
			}
		}})
		waits(t, ts)
		ts.flush(t.Context())
		if left := leftOf(t, ts, erasedText); left != nil || ts.journal.length() != 0 {
			t.Errorf("left: %v, %d in the journal", left, ts.journal.length())
		}
	})
}
