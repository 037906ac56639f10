package refserver

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/internal/redistest"
)

// onEachRedis runs f on an embedded-style Redis and on a real one.
func onEachRedis(t *testing.T, f func(t *testing.T, redisURL string)) {
	t.Run("miniredis", func(t *testing.T) { f(t, "redis://"+miniredis.RunT(t).Addr()) })
	t.Run("redis-server", func(t *testing.T) { f(t, redistest.Start(t).URL()) })
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
		var agents []*testAgent
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
func raceFor(t *testing.T, agents []*testAgent, id string, then func(winner int)) {
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
		var agents []*testAgent
		for i := range 50 {
			a := dialAgent(t, s, fmt.Sprint("agent-", i), "default")
			a.subscribe("0", "*")
			agents = append(agents, a)
		}
		elsewhere := dialAgent(t, other, "agent-99", "default")
		elsewhere.subscribe("0", "*")
		force(t, s, "static")
		held := say(t, s, "u1", dialog, "我要投诉第一件事").get("ticket.id").String()
		if n := s.desk.Journaled(); n != 1 {
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
		if n := s.desk.Journaled(); n != 0 {
			t.Errorf("%d in the journal, want 0", n)
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
		for _, d := range []*testAgent{a, b} {
			d.subscribe("1", "*")
			d.want("type", "ticket", "ticket.id", first, "ticket.queue", "general")
		}
		for i := range 20 {
			from := []*Server{one, two}[i%2]
			r := say(t, from, "u1", "", "我要投诉")
			for _, d := range []*testAgent{a, b} {
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
