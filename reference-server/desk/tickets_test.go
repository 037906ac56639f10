package desk

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	testKey    = "0123456789abcdef0123456789abcdef"
	testDialog = "0123456789abcdef0123456789abcdef"
)

func user(tenant string) dialog.Owner { return dialog.Owner{Tenant: tenant, UID: "u1"} }

// onEachRedis runs a test on a miniredis, and on a redis-server where there is one.
func onEachRedis(t *testing.T, f func(t *testing.T, redisURL string)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) { f(t, "redis://"+startRedis(t)) })
	t.Run("redis-server", func(t *testing.T) { f(t, redistest.Start(t).URL()) })
}

func startRedis(t testing.TB) string { return miniredis.RunT(t).Addr() }

var storeOptions = dialog.StoreOptions{Timeout: 2 * time.Second, Pool: 50, Attempts: 2, RoundTrips: 2}

// testTickets are tickets on a store of their own, with a clock to turn.
func testTickets(t *testing.T, redisURL string) (*tickets, *time.Time) {
	t.Helper()
	opt, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	rdb := dialog.Connect(opt, storeOptions)
	t.Cleanup(func() { rdb.Close() })
	now := time.Now()
	ts := newTickets(rdb, dialog.NewMinter([]byte(testKey)), func() Live { return Live{Hold: 10 * time.Minute, PerHour: 2000} }, nil)
	ts.now = func() time.Time { return now }
	return ts, &now
}

func ask(t *testing.T, ts *tickets, local bool) Ticket {
	t.Helper()
	tk, stored, _ := ts.open(t.Context(), Question{Owner: user("default"), Queue: "order", DialogID: testDialog, Text: "帮我取消订单", TraceID: "tr"}, local)
	if stored == local {
		t.Fatalf("stored %v with local %v", stored, local)
	}
	return tk
}

func agentAt(uid, socket string) claimant {
	return claimant{dialog.Owner{Tenant: "default", UID: uid}, socket}
}

func TestClaimsWithoutAReplyRunOut(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, now := testTickets(t, redisURL)
		ctx := t.Context()
		tk := ask(t, ts, false)
		want := func(got, want outcome) {
			t.Helper()
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		want(ts.claim(ctx, agentAt("a1", "s1"), tk.ID), outcomeClaimed)
		want(ts.claim(ctx, agentAt("a1", "s1"), tk.ID), outcomeClaimed) // the answer may have got lost
		want(ts.claim(ctx, agentAt("a1", "s2"), tk.ID), outcomeLost)
		want(ts.claim(ctx, agentAt("a2", "s3"), tk.ID), outcomeLost)
		if n := ts.count(ctx, "default", queueNames()); n != 0 {
			t.Errorf("%d waiting while it is claimed, want 0", n)
		}
		*now = now.Add(10*time.Minute - time.Second)
		if freed := ts.release(ctx); len(freed) != 0 {
			t.Errorf("%d released a second early", len(freed))
		}
		*now = now.Add(2 * time.Second)
		freed := ts.release(ctx)
		if len(freed) != 1 || freed[0].ID != tk.ID || freed[0].State != stateOpen || freed[0].Text != tk.Text || freed[0].Agent != "" {
			t.Fatalf("released %+v, want the ticket, open", freed)
		}
		if again := ts.release(ctx); len(again) != 0 {
			t.Errorf("released twice")
		}
		if list := ts.waitingIn(ctx, "default", queueNames()); len(list) != 1 || list[0].ID != tk.ID {
			t.Errorf("waiting %+v, want the ticket", list)
		}
		outcome, _ := ts.reply(ctx, dialog.Owner{Tenant: "default", UID: "a1"}, tk.ID, "太晚了")
		want(outcome, outcomeNotClaimed)
		want(ts.claim(ctx, agentAt("a2", "s3"), tk.ID), outcomeClaimed)
		outcome, r := ts.reply(ctx, dialog.Owner{Tenant: "default", UID: "a2"}, tk.ID, "好了")
		want(outcome, outcomeReplied)
		if r.dialogID != testDialog || !r.asked.Equal(tk.asked()) {
			t.Errorf("replied %+v, want dialog %s asked %v", r, testDialog, tk.asked())
		}
		*now = now.Add(time.Hour)
		if freed := ts.release(ctx); len(freed) != 0 {
			t.Errorf("a closed ticket was released")
		}
		if got, ok, err := ts.get(ctx, tk.ID); err != nil || !ok || got.State != stateClosed || got.Reply != "好了" {
			t.Errorf("%+v %v %v", got, ok, err)
		}
	})
}

// A write whose answer was lost may have come through: the ticket is then in
// the journal and in Redis, where others claim it. The journal must not win it
// again, nor write over it.
func TestATicketInBothPlacesHasOneWinner(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, _ := testTickets(t, redisURL)
		elsewhere, _ := testTickets(t, redisURL)
		ctx := t.Context()
		tk := ask(t, ts, false)
		ts.journal.add(tk, true)
		if list := ts.journal.open("default", queueNames()); len(list) != 0 {
			t.Errorf("the journal offers a ticket that Redis may have")
		}
		if got := elsewhere.claim(ctx, agentAt("a2", "s2"), tk.ID); got != outcomeClaimed {
			t.Fatalf("elsewhere: %s, want claimed", got)
		}
		if got := ts.claim(ctx, agentAt("a1", "s1"), tk.ID); got != outcomeLost {
			t.Errorf("here: %s, want lost", got)
		}
		ts.flush(ctx)
		if n := ts.journal.length(); n != 0 {
			t.Errorf("%d in the journal, want 0", n)
		}
		if got, _, _ := ts.get(ctx, tk.ID); got.State != stateClaimed || got.Agent != "a2" {
			t.Errorf("the journal wrote over %+v", got)
		}
		if n := ts.count(ctx, "default", queueNames()); n != 0 {
			t.Errorf("%d waiting, want 0", n)
		}
	})
}

func TestWaitingTicketsComeOldestFirst(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, now := testTickets(t, redisURL)
		ctx := t.Context()
		var want []string
		for i := range 120 {
			*now = now.Add(time.Millisecond)
			tk, _, _ := ts.open(ctx, Question{Owner: user("default"), Queue: queueNames()[i%5], Text: "问题", TraceID: "tr"}, i%10 == 9)
			want = append(want, tk.ID)
		}
		if _, stored, _ := ts.open(ctx, Question{Owner: user("t2"), Queue: "order", Text: "别家的", TraceID: "tr"}, false); !stored {
			t.Fatal("not stored")
		}
		if n := ts.count(ctx, "default", queueNames()); n != 120 {
			t.Errorf("%d waiting, want 120", n)
		}
		list := ts.waitingIn(ctx, "default", queueNames())
		if len(list) != 100 {
			t.Fatalf("%d listed, want 100", len(list))
		}
		for i := range list {
			if list[i].ID != want[i] {
				t.Fatalf("place %d is taken by another ticket", i)
			}
		}
		if n := len(ts.waitingIn(ctx, "default", []string{"safety"})); n != 24 {
			t.Errorf("%d in one queue, want 24", n)
		}
	})
}

// A turn that is sent again finds its ticket, wherever that is and however far.
func TestATurnHasOneTicket(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, _ := testTickets(t, redisURL)
		elsewhere, _ := testTickets(t, redisURL)
		ctx := t.Context()
		q := Question{Owner: user("default"), Queue: "order", DialogID: testDialog, Text: "帮我取消订单", TraceID: "tr", Turn: testDialog + "t-1"}
		first, _, _ := ts.open(ctx, q, false)
		if got := ts.claim(ctx, agentAt("a1", "s1"), first.ID); got != outcomeClaimed {
			t.Fatalf("claim: %s", got)
		}
		again, stored, _ := elsewhere.open(ctx, q, false)
		if again.ID != first.ID || !stored {
			t.Errorf("again: %s stored %v, want %s", again.ID, stored, first.ID)
		}
		if got, _, _ := ts.get(ctx, first.ID); got.State != stateClaimed || got.Agent != "a1" {
			t.Errorf("the claim was written over: %+v", got)
		}
		if list := elsewhere.waitingIn(ctx, "default", queueNames()); len(list) != 0 {
			t.Errorf("a claimed ticket is offered: %+v", list)
		}
		local, _, _ := ts.open(ctx, Question{Owner: user("default"), Queue: "order", Turn: "t-2"}, true)
		twice, _, _ := ts.open(ctx, Question{Owner: user("default"), Queue: "order", Turn: "t-2"}, true)
		if local.ID != twice.ID || ts.journal.length() != 1 {
			t.Errorf("%s, %s; %d in the journal", local.ID, twice.ID, ts.journal.length())
		}
	})
}

// Redis came back empty: what waits for people is filed again, and what was answered
// is not.
func TestTicketsOutliveALossOfRedis(t *testing.T) {
	d := testDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { d.guard(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	open, _, _ := d.Open(ctx, Question{Owner: user("default"), Queue: "order", Text: "还在等", TraceID: "tr"}, false)
	closed, _, _ := d.Open(ctx, Question{Owner: user("default"), Queue: "order", Text: "答过了", TraceID: "tr"}, false)
	d.tickets.claim(ctx, agentAt("a1", "s1"), closed.ID)
	if got, _ := d.tickets.reply(ctx, dialog.Owner{Tenant: "default", UID: "a1"}, closed.ID, "好了"); got != outcomeReplied {
		t.Fatalf("reply: %s", got)
	}
	until := func(done func() bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("it did not happen")
			}
		}
	}
	marks := func() int { return len(d.tickets.redis.Keys(ctx, markKey+"*").Val()) }
	until(func() bool { return marks() == 1 })
	if err := d.tickets.redis.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	var list []Ticket
	until(func() bool { // the mark comes first
		list = d.tickets.waitingIn(ctx, "default", queueNames())
		return len(list) > 0
	})
	if len(list) != 1 || list[0].ID != open.ID || list[0].Text != "还在等" {
		t.Errorf("waiting %+v, want the open one", list)
	}
	if got := d.tickets.claim(ctx, agentAt("a2", "s2"), open.ID); got != outcomeClaimed {
		t.Errorf("claim: %s", got)
	}
}
