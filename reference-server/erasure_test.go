package refserver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/cstest/cstest/reference-server/dialog"
)

// Erasing a dialog leaves nothing of what was said, in tickets and jobs either.
func TestErasureTakesTicketsAndJobs(t *testing.T) {
	l := newScriptedLLM(t)
	m := miniredis.RunT(t)
	s := startServer(t, l.url, func(c *Config) {
		c.Redis, c.Knobs = "redis://"+m.Addr(), map[string]string{"redis.timeout": "2s", "limit.user": "0/s"}
	})
	tok := tokenFor(t, "u1")
	const said = "紫色的伞"
	one := say(t, s, "u1", "", "我要投诉"+said)
	id, ticket := one.get("dialog_id").String(), one.get("ticket.id").String()
	job := send(t, "POST", s.URL()+"/v1/chat/async", tok, `{"text":"排队问`+said+`","dialog_id":"`+id+`"}`).get("job").String()
	send(t, "GET", s.URL()+"/v1/jobs/"+job+"?wait=10s", tok, "").want(t, "status", "done")
	waitFor(t, func() bool { return s.jobs.Length(t.Context()) == 0 })
	other := say(t, s, "u1", "", "我要投诉别的").get("ticket.id").String()
	if !strings.Contains(m.Dump(), said) {
		t.Fatal("nothing to erase")
	}
	if r := send(t, "DELETE", s.URL()+"/v1/dialogs/"+id, tok, ""); r.status != http.StatusNoContent {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if dump := m.Dump(); strings.Contains(dump, said) || strings.Contains(dump, ticket) {
		t.Errorf("left: %s", dump)
	}
	if r := send(t, "GET", s.URL()+"/v1/tickets/"+ticket, tok, ""); r.status != http.StatusGone || r.get("code").String() != "lost" {
		t.Errorf("its ticket: %d %s", r.status, r.body)
	}
	send(t, "GET", s.URL()+"/v1/jobs/"+job, tok, "").want(t, "status", "cancelled")
	if r := send(t, "GET", s.URL()+"/v1/tickets/"+other, tok, ""); r.status != http.StatusOK {
		t.Errorf("the ticket of another dialog: %d", r.status)
	}
	if r := send(t, "GET", s.URL()+"/v1/tickets/"+ticket, tokenFor(t, "u2"), ""); r.status != http.StatusNotFound {
		t.Errorf("a stranger: %d, want 404 as ever", r.status)
	}
}

// A job that runs while its dialog is erased does not bring it back.
func TestErasureStopsTheJobUnderWay(t *testing.T) {
	l := newScriptedLLM(t)
	m := miniredis.RunT(t)
	s := startServer(t, l.url, func(c *Config) {
		c.Redis = "redis://" + m.Addr()
		c.Knobs = map[string]string{"redis.timeout": "2s", "llm.timeout": "20s", "chat.degrade_at": "20s", "chat.deadline": "20s"}
	})
	entered := make(chan struct{})
	l.set(func(_ int, r *http.Request, _ string) (int, string) {
		close(entered)
		<-r.Context().Done()
		return 200, "太晚了"
	})
	tok := tokenFor(t, "u1")
	job := send(t, "POST", s.URL()+"/v1/chat/async", tok, `{"text":"紫色的伞"}`)
	<-entered
	if r := send(t, "DELETE", s.URL()+"/v1/dialogs/"+job.get("dialog_id").String(), tok, ""); r.status != http.StatusNoContent {
		t.Fatalf("%d %s", r.status, r.body)
	}
	send(t, "GET", s.URL()+job.get("url").String(), tok, "").want(t, "status", "cancelled")
	waitFor(t, func() bool { return s.jobs.Length(t.Context()) == 0 })
	if dump := m.Dump(); strings.Contains(dump, "紫色的伞") {
		t.Errorf("left: %s", dump)
	}
}

// erase deletes a dialog of u1 at a server.
func erase(t *testing.T, s *Server, id string) {
	t.Helper()
	if r := send(t, "DELETE", s.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), ""); r.status != http.StatusNoContent {
		t.Fatalf("erase: %d %s", r.status, r.body)
	}
}

// patient gives a test time to hold a turn at the model.
func patient(redisURL string) func(*Config) {
	return func(c *Config) {
		c.Redis = redisURL
		c.Knobs = backflowKnobs("llm.timeout", "20s", "chat.degrade_at", "20s", "chat.deadline", "20s", "llm.attempts", "1")
	}
}

// A turn that is at the model when its dialog is erased, by this server or another,
// leaves nothing of itself: no turn, no ticket, no question for later. Its caller is told
// that there is no such dialog, then and when the turn is sent again.
func TestErasureWinsAgainstATurnUnderWay(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		s, other := startServer(t, l.url, patient(redisURL)), startServer(t, l.url, patient(redisURL))
		n := 0
		for where, eraser := range map[string]*Server{"here": s, "elsewhere": other} {
			for what, model := range map[string]struct {
				status int
				said   string
			}{"an answer": {200, "紫色的伞"}, "a person": {400, "qwertyuiop"}, "the FAQ": {400, "优惠券和紫色的伞在哪里领"}} {
				for _, first := range []bool{true, false} {
					n++
					name := fmt.Sprintf("%s, %s, first %v", where, what, first)
					l.set(func(int, *http.Request, string) (int, string) { return 200, "好的" })
					turn := fmt.Sprint("t-", n)
					id := s.ids.Derive(dialog.IDDialog, dialog.Owner{Tenant: "default", UID: "u1"}, turn)
					body := fmt.Sprintf(`{"text":%q,"turn_id":%q}`, model.said, turn)
					if !first {
						id = say(t, s, "u1", "", "第一句话").get("dialog_id").String()
						body = fmt.Sprintf(`{"text":%q,"turn_id":%q,"dialog_id":%q}`, model.said, turn, id)
					}
					entered, leave := make(chan struct{}), make(chan struct{})
					l.set(func(_ int, _ *http.Request, prompt string) (int, string) {
						if strings.Contains(prompt, model.said) {
							entered <- struct{}{}
							<-leave
						}
						return model.status, "好的"
					})
					got := make(chan reply, 1)
					go func() { got <- send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), body) }()
					select {
					case <-entered:
					case r := <-got:
						t.Fatalf("%s: answered without the model: %d %s", name, r.status, r.body)
					}
					erase(t, eraser, id)
					close(leave)
					if r := <-got; r.status != http.StatusNotFound || r.get("code").String() != "not-found" {
						t.Errorf("%s: %d %s", name, r.status, r.body)
					}
					for _, at := range []*Server{s, other} {
						if r := send(t, "POST", at.URL()+"/v1/chat", tokenFor(t, "u1"), body); r.status != http.StatusNotFound {
							t.Errorf("%s, sent again: %d %s", name, r.status, r.body)
						}
						if at.desk.Journaled() != 0 || backflowState(t, at).get("outbox").Int() != 0 {
							t.Errorf("%s: something waits in memory", name)
						}
					}
					if all := kept(t, s); strings.Contains(all, model.said) || strings.Contains(all, "tkt:{") {
						t.Fatalf("%s: left: %s", name, all)
					}
				}
			}
		}
	})
}

// A job that runs on another process while its dialog is erased commits nothing, and has
// one end.
func TestErasureWinsAgainstAJobElsewhere(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		worker := startServer(t, l.url, patient(redisURL))
		entered, leave := make(chan struct{}), make(chan struct{})
		l.set(func(int, *http.Request, string) (int, string) {
			close(entered)
			<-leave
			return 200, "关于紫色的伞的回答"
		})
		tok := tokenFor(t, "u1")
		job := send(t, "POST", worker.URL()+"/v1/chat/async", tok, `{"text":"紫色的伞","turn_id":"t-1"}`)
		<-entered // the only server there is has it
		eraser := startServer(t, l.url, patient(redisURL))
		id := job.get("dialog_id").String()
		erase(t, eraser, id)
		close(leave)
		for _, s := range []*Server{worker, eraser} {
			send(t, "GET", s.URL()+job.get("url").String()+"?wait=5s", tok, "").want(t, "status", "cancelled")
			if r := send(t, "GET", s.URL()+"/v1/dialogs/"+id, tok, ""); r.status != http.StatusNotFound {
				t.Errorf("the dialog: %d %s", r.status, r.body)
			}
			if r := send(t, "POST", s.URL()+"/v1/chat/async", tok, `{"text":"紫色的伞","turn_id":"t-1"}`); r.status != http.StatusNotFound {
				t.Errorf("queued again: %d %s", r.status, r.body)
			}
		}
		if err := worker.Close(t.Context()); err != nil { // it finishes the job first
			t.Fatal(err)
		}
		if all := kept(t, eraser); strings.Contains(all, "紫色的伞") {
			t.Errorf("left: %s", all)
		}
		send(t, "GET", eraser.URL()+job.get("url").String(), tok, "").want(t, "status", "cancelled")
	})
}

// The agent who holds a ticket of an erased dialog hears of it on whichever server it
// is, and its reply is refused.
func TestErasureReachesTheAgentsOfEveryServer(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		servers := []*Server{startOn(t, l.url, redisURL), startOn(t, l.url, redisURL)}
		var agents []*testAgent
		for i, s := range servers {
			a := dialAgent(t, s, fmt.Sprint("agent-", i), "default")
			a.subscribe("0", "*")
			agents = append(agents, a)
		}
		for holder := range servers {
			one := say(t, servers[0], "u1", "", "我要投诉紫色的伞")
			ticket := one.get("ticket.id").String()
			for _, a := range agents {
				a.wantPast("gone", "type", "ticket", "ticket.id", ticket)
			}
			agents[holder].claim(ticket)
			agents[holder].want("type", "claimed", "ticket_id", ticket)
			erase(t, servers[0], one.get("dialog_id").String())
			for _, a := range agents {
				a.want("type", "gone", "ticket_id", ticket)
			}
			agents[holder].reply(ticket, "您好,关于紫色的伞")
			agents[holder].wantPast("gone", "type", "error", "code", "not-found", "ticket_id", ticket)
			if r := send(t, "GET", servers[1].URL()+"/v1/tickets/"+ticket, tokenFor(t, "u1"), ""); r.status != http.StatusGone {
				t.Errorf("the ticket: %d %s", r.status, r.body)
			}
		}
		if all := kept(t, servers[0]); strings.Contains(all, "紫色的伞") {
			t.Errorf("left: %s", all)
		}
	})
}

// A server that is cut off from Redis claims no erasure, and what it keeps meanwhile of a
// dialog that another server erases does not come back with it.
func TestErasureReachesTheJournalOfAServerThatWasCutOff(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		way := newDeafRedis(t, redisURL)
		knobs := backflowKnobs("redis.timeout", "200ms", "chat.deadline", "2s", "chat.degrade_at", "1s", "llm.timeout", "1s")
		cut := startServer(t, l.url, func(c *Config) { c.Redis, c.Knobs = way.url, knobs })
		eraser := startServer(t, l.url, func(c *Config) { c.Redis, c.Knobs = redisURL, backflowKnobs() })
		id := say(t, cut, "u1", "", "第一句话").get("dialog_id").String()
		other := say(t, cut, "u1", "", "第一句话").get("dialog_id").String()
		way.shut(true)
		ticket := say(t, cut, "u1", id, "我要投诉紫色的伞").get("ticket.id").String()
		stays := say(t, cut, "u1", other, "我要投诉别的").get("ticket.id").String()
		if n := cut.desk.Journaled(); n != 2 {
			t.Fatalf("%d in the journal, want two", n)
		}
		if r := send(t, "DELETE", cut.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), ""); r.status != http.StatusServiceUnavailable || r.get("code").String() != "state-unavailable" {
			t.Errorf("erased without Redis: %d %s", r.status, r.body)
		}
		erase(t, eraser, id)
		way.shut(false)
		waitFor(t, func() bool { return cut.desk.Journaled() == 0 })
		for _, s := range []*Server{cut, eraser} {
			if r := send(t, "GET", s.URL()+"/v1/tickets/"+ticket, tokenFor(t, "u1"), ""); r.status != http.StatusGone {
				t.Errorf("the ticket: %d %s", r.status, r.body)
			}
			waitFor(t, func() bool {
				return send(t, "GET", s.URL()+"/v1/tickets/"+stays, tokenFor(t, "u1"), "").status == http.StatusOK
			})
		}
		if all := kept(t, eraser); strings.Contains(all, "紫色的伞") || !strings.Contains(all, "我要投诉别的") {
			t.Errorf("left: %s", all)
		}
	})
}
