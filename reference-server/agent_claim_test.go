package refserver

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/tidwall/gjson"
)

// onEachRedis runs f on an embedded-style Redis and on a real one.
func onEachRedis(t *testing.T, f func(t *testing.T, redisURL string)) {
	t.Run("miniredis", func(t *testing.T) { f(t, "redis://"+miniredis.RunT(t).Addr()) })
	t.Run("redis-server", func(t *testing.T) { f(t, realRedis(t)) })
}

// startOn starts a server on a given Redis.
func startOn(t *testing.T, llm, redisURL string) *Server {
	t.Helper()
	return startServer(t, llm, func(c *Config) {
		c.Redis = redisURL
		c.Knobs = map[string]string{"redis.timeout": "2s", "limit.user": "0/s", "limit.global": "0/s"}
	})
}

// Fifty agents on two servers ask for one ticket: one gets it.
func TestOfFiftyAgentsOneWins(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		servers := [2]*Server{startOn(t, l.url, redisURL), startOn(t, l.url, redisURL)}
		var agents []*desk
		for i := range 50 {
			a := dialAgent(t, servers[i%2], fmt.Sprint("agent-", i), "default")
			a.subscribe("0", "*")
			agents = append(agents, a)
		}
		for round := range 5 {
			id := say(t, servers[round%2], "u1", "", "我要投诉").get("ticket.id").String()
			raceFor(t, agents, id, func(winner int) {
				r := send(t, "GET", servers[0].URL()+"/v1/tickets/"+id, tokenFor(t, "u1"), "")
				r.want(t, "state", "claimed")
				r.want(t, "agent", fmt.Sprint("agent-", winner))
			})
		}
	})
}

// raceFor lets every agent read the push of a ticket and claim it at once, and
// checks that one wins.
func raceFor(t *testing.T, agents []*desk, id string, then func(winner int)) {
	t.Helper()
	for _, a := range agents {
		a.want("type", "ticket", "ticket.id", id)
	}
	start, got := make(chan struct{}), make([]gjson.Result, len(agents))
	var all sync.WaitGroup
	for i, a := range agents {
		all.Go(func() {
			<-start
			a.claim(id)
			got[i], _ = a.read()
		})
	}
	close(start)
	all.Wait()
	winner, won, lost := -1, 0, 0
	for i, r := range got {
		switch {
		case r.Get("ticket_id").Str != id:
			t.Errorf("agent %d was told %s", i, r.Raw)
		case r.Get("type").Str == "claimed":
			winner, won = i, won+1
		case r.Get("type").Str == "lost":
			lost++
		}
	}
	if won != 1 || lost != len(agents)-1 {
		t.Fatalf("%d won and %d lost of %d", won, lost, len(agents))
	}
	then(winner)
}

// A ticket that is only in the journal has one winner, too, whose claim holds
// when the ticket moves to Redis.
func TestOneWinsATicketThatIsOnlyInTheJournal(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		s, other := startOn(t, l.url, redisURL), startOn(t, l.url, redisURL)
		dialog := say(t, s, "u1", "", "先说一句").get("dialog_id").String()
		var agents []*desk
		for i := range 50 {
			a := dialAgent(t, s, fmt.Sprint("agent-", i), "default")
			a.subscribe("0", "*")
			agents = append(agents, a)
		}
		elsewhere := dialAgent(t, other, "agent-99", "default")
		elsewhere.subscribe("0", "*")
		force(t, s, "static")
		held := say(t, s, "u1", dialog, "我要投诉第一件事").get("ticket.id").String()
		if n := s.tickets.waiting(); n != 1 {
			t.Fatalf("%d in the journal, want 1", n)
		}
		winner := -1
		raceFor(t, agents, held, func(i int) { winner = i })
		loser := agents[(winner+1)%len(agents)]
		loser.reply(held, "是我的")
		loser.want("type", "error", "code", "not-claimed")
		agents[winner].reply(held, "已为您处理")
		agents[winner].want("type", "replied", "ticket_id", held)
		claimed := say(t, s, "u1", dialog, "我要投诉第二件事").get("ticket.id").String()
		raceFor(t, agents, claimed, func(i int) { winner = i })
		waiting := say(t, s, "u1", dialog, "我要投诉第三件事").get("ticket.id").String()
		for _, a := range agents {
			a.want("type", "ticket", "ticket.id", waiting)
		}
		elsewhere.claim(waiting)
		elsewhere.want("type", "error", "code", "not-found", "ticket_id", waiting)

		force(t, s, "llm") // the journal moves within a second
		elsewhere.want("type", "ticket", "ticket.id", waiting)
		elsewhere.claim(held)
		elsewhere.want("type", "lost")
		elsewhere.claim(claimed)
		elsewhere.want("type", "lost")
		elsewhere.claim(waiting)
		elsewhere.want("type", "claimed")
		agents[0].claim(waiting)
		agents[0].want("type", "lost")
		agents[winner].reply(claimed, "第二件也好了")
		agents[winner].want("type", "replied", "ticket_id", claimed)
		r := send(t, "GET", other.URL()+"/v1/tickets/"+held, tokenFor(t, "u1"), "")
		r.want(t, "state", "closed")
		r.want(t, "reply", "已为您处理")
		h := send(t, "GET", other.URL()+"/v1/dialogs/"+dialog, tokenFor(t, "u1"), "")
		h.want(t, "turns.0.replies.#.text", `["已为您处理","第二件也好了"]`)
		if n := s.tickets.waiting(); n != 0 {
			t.Errorf("%d in the journal, want 0", n)
		}
	})
}

// desk-level tickets on a store of their own, with a clock to turn.
func testTickets(t *testing.T, redisURL string) (*tickets, *time.Time) {
	t.Helper()
	opt, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	set := hardened()
	set.redisTimeout = sec(2)
	st := dialog.NewStore(opt, storeOptions(&set, nil, nil))
	t.Cleanup(func() { st.Redis.Close() })
	now := time.Now()
	st.Now = func() time.Time { return now }
	return newTickets(st, dialog.NewMinter([]byte(testSecret)), func() time.Duration { return 10 * time.Minute }), &now
}

func ask(t *testing.T, ts *tickets, local bool) ticket {
	t.Helper()
	tk, stored := ts.open(t.Context(), dialog.Owner{Tenant: "default", UID: "u1"}, "order", testDialog, "帮我取消订单", "tr", local)
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
		want := func(got, want string) {
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
		if len(freed) != 1 || freed[0].ID != tk.ID || freed[0].State != ticketOpen || freed[0].Text != tk.Text || freed[0].Agent != "" {
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
		if got, ok, err := ts.get(ctx, tk.ID); err != nil || !ok || got.State != ticketClosed || got.Reply != "好了" {
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
		ts.journal.keep(tk, true)
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
		if n := ts.waiting(); n != 0 {
			t.Errorf("%d in the journal, want 0", n)
		}
		if got, _, _ := ts.get(ctx, tk.ID); got.State != ticketClaimed || got.Agent != "a2" {
			t.Errorf("the journal wrote over %+v", got)
		}
		if n := ts.count(ctx, "default", queueNames()); n != 0 {
			t.Errorf("%d waiting, want 0", n)
		}
	})
}

func TestTheJournalIsBounded(t *testing.T) {
	var j journal
	for i := range journalCap + 5 {
		j.keep(ticket{ID: fmt.Sprint(i), Tenant: "default", Queue: "order", State: ticketOpen}, false)
	}
	if j.length() != journalCap || len(j.byID) != journalCap || j.dropped != 5 {
		t.Errorf("%d entries, %d by id, %d dropped; want %d, %d, 5", j.length(), len(j.byID), j.dropped, journalCap, journalCap)
	}
	if _, ok := j.get("4"); ok {
		t.Error("the oldest stayed")
	}
	if _, ok := j.get("5"); !ok {
		t.Error("one too many went")
	}
}

func TestWaitingTicketsComeOldestFirst(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		ts, now := testTickets(t, redisURL)
		ctx := t.Context()
		var want []string
		for i := range 120 {
			*now = now.Add(time.Millisecond)
			tk, _ := ts.open(ctx, dialog.Owner{Tenant: "default", UID: "u1"}, queueNames()[i%5], "", "问题", "tr", i%10 == 9)
			want = append(want, tk.ID)
		}
		if _, stored := ts.open(ctx, dialog.Owner{Tenant: "t2", UID: "u1"}, "order", "", "别家的", "tr", false); !stored {
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

// Across servers a ticket is pushed once to each agent, whoever opened it.
func TestTicketsReachAgentsOnOtherServers(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		one, two := startOn(t, l.url, redisURL), startOn(t, l.url, redisURL)
		first := say(t, one, "u1", "", "转人工").get("ticket.id").String()
		a, b := dialAgent(t, one, "agent-1", "default"), dialAgent(t, two, "agent-2", "default")
		for _, d := range []*desk{a, b} {
			d.subscribe("1", "*")
			d.want("type", "ticket", "ticket.id", first, "ticket.queue", "general")
		}
		for i := range 20 {
			from := []*Server{one, two}[i%2]
			r := say(t, from, "u1", "", "我要投诉")
			for _, d := range []*desk{a, b} {
				d.want("type", "ticket", "ticket.id", r.get("ticket.id").String(), "ticket.text", "我要投诉", "ticket.eta_s", r.get("ticket.eta_s").String())
			}
		}
		b.claim(first)
		b.want("type", "claimed")
		b.reply(first, "您好")
		b.want("type", "replied")
		r := send(t, "GET", one.URL()+"/v1/tickets/"+first, tokenFor(t, "u1"), "")
		r.want(t, "reply", "您好")
		a.subscribe("20", "*")
		for range 20 {
			a.want("type", "ticket")
		}
	})
}

func TestTicketsOpenedWhileRedisWasAwayReachOtherServers(t *testing.T) {
	m := miniredis.RunT(t)
	l := newScriptedLLM(t)
	url := "redis://" + m.Addr()
	one, two := startOn(t, l.url, url), startOn(t, l.url, url)
	a, b := dialAgent(t, one, "agent-1", "default"), dialAgent(t, two, "agent-2", "default")
	a.subscribe("0", "*")
	b.subscribe("0", "*")
	m.Close()
	id := say(t, one, "u1", "", "我要投诉").get("ticket.id").String()
	a.want("type", "ticket", "ticket.id", id)
	a.claim(id)
	a.want("type", "claimed", "ticket_id", id)
	waiting := say(t, one, "u1", "", "我要投诉第二次").get("ticket.id").String()
	a.want("type", "ticket", "ticket.id", waiting)
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	b.want("type", "ticket", "ticket.id", waiting)
	b.claim(id)
	b.want("type", "lost")
	b.claim(waiting)
	b.want("type", "claimed")
	a.reply(id, "已处理")
	a.want("type", "replied")
	if r := send(t, "GET", two.URL()+"/v1/tickets/"+id, tokenFor(t, "u1"), ""); r.status != http.StatusOK || r.get("reply").String() != "已处理" {
		t.Errorf("%d %s", r.status, r.body)
	}
}
