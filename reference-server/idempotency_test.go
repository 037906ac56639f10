package refserver

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cstest/cstest/reference-server/dialog"
)

// firstTurn sends a turn that begins a dialog, with a turn_id.
func firstTurn(t testing.TB, s *Server, uid, turnID, text string) reply {
	t.Helper()
	return send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, uid), fmt.Sprintf(`{"text":%q,"turn_id":%q}`, text, turnID))
}

// G3: whoever repeats the turn that begins a dialog gets that dialog and the same
// bytes, at once, later and from another server.
func TestARepeatedFirstTurnFindsItsDialog(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		shared := func(c *Config) {
			c.Redis, c.Knobs = redisURL, map[string]string{"redis.timeout": "2s", "limit.user": "0/s", "llm.timeout": "5s", "chat.deadline": "5s", "chat.degrade_at": "5s"}
		}
		s, other := startServer(t, l.url, shared), startServer(t, l.url, shared)
		var mu sync.Mutex
		bodies := map[string]int{}
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				r := firstTurn(t, []*Server{s, other}[i%2], "u1", "t-1", "第一句话")
				mu.Lock()
				defer mu.Unlock()
				bodies[r.body]++
				if r.status != http.StatusOK {
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		all.Wait()
		if len(bodies) != 1 || l.calls() != 1 {
			t.Fatalf("%d different answers of %d model calls, want one of one: %v", len(bodies), l.calls(), bodies)
		}
		again := firstTurn(t, other, "u1", "t-1", "第一句话")
		again.want(t, "context.status", "new")
		again.want(t, "seq", "1")
		if bodies[again.body] == 0 || again.header.Get("Idempotent-Replay") != "true" || again.header.Get("X-Degrade-Tier") != "llm" {
			t.Errorf("later: %s %v", again.body, again.header)
		}
		id := again.get("dialog_id").String()
		say(t, s, "u1", id, "第二句话").want(t, "seq", "2")
		if r := firstTurn(t, s, "u1", "t-1", "别的话"); r.status != 422 || r.get("code").String() != "turn-id-reused" {
			t.Errorf("another text: %d %s", r.status, r.body)
		}
		for name, r := range map[string]reply{"another turn": firstTurn(t, s, "u1", "t-2", "第一句话"), "another user": firstTurn(t, s, "u2", "t-1", "第一句话")} {
			if r.status != 200 || r.get("dialog_id").String() == id {
				t.Errorf("%s: %d %s", name, r.status, r.body)
			}
		}
	})
}

// G3: Redis has committed the turn, its reply was lost, and the caller was told that
// nothing is kept. That answer stands, on every server.
func TestACommitWithoutAReplyAnswersTheSameBytes(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		deaf := newDeafRedis(t, redisURL)
		s := startServer(t, l.url, func(c *Config) {
			c.Redis, c.Knobs = deaf.url, map[string]string{"redis.timeout": "100ms", "chat.deadline": "800ms", "chat.degrade_at": "300ms"}
		})
		other := startServer(t, l.url, func(c *Config) {
			c.Redis, c.Knobs = redisURL, map[string]string{"redis.timeout": "2s"}
		})
		id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
		l.set(func(int, *http.Request, string) (int, string) { deaf.deaf.Store(true); return 200, "好的" })
		body := fmt.Sprintf(`{"text":"第二句话","dialog_id":%q,"turn_id":"t-2"}`, id)
		first := send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), body)
		first.want(t, "persisted", "false")
		first.want(t, "answer", "好的")
		l.set(func(int, *http.Request, string) (int, string) { return 200, "换一种说法" })
		if r := send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), body); r.body != first.body {
			t.Errorf("while Redis is deaf: %s, before %s", r.body, first.body)
		}
		deaf.deaf.Store(false)
		waitFor(t, func() bool {
			return send(t, "POST", other.URL()+"/v1/chat", tokenFor(t, "u1"), body).body == first.body
		})
		next := say(t, other, "u1", id, "第三句话")
		next.want(t, "seq", "3")
		next.want(t, "context.status", "ok")
		if h := send(t, "GET", other.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), ""); h.get("turns.#").Int() != 3 || h.get("turns.1.answer").String() != "好的" {
			t.Errorf("the dialog: %s", h.body)
		}
	})
}

// G3 without Redis: the same turn is answered once, with one ticket, and whoever
// repeats it when Redis is back gets the same bytes.
func TestRepeatsWithoutRedis(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		deaf := newDeafRedis(t, redisURL)
		s := startServer(t, l.url, func(c *Config) {
			c.Redis, c.Knobs = deaf.url, map[string]string{"redis.timeout": "50ms", "limit.user": "0/s", "chat.deadline": "2s", "chat.degrade_at": "1s", "llm.timeout": "1s"}
		})
		id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
		deaf.deaf.Store(true)
		for name, body := range map[string]string{
			"a question":  fmt.Sprintf(`{"text":"优惠券在哪里领","dialog_id":%q,"turn_id":"t-2"}`, id),
			"a complaint": fmt.Sprintf(`{"text":"我要投诉","dialog_id":%q,"turn_id":"t-3"}`, id),
			"a beginning": `{"text":"我要投诉","turn_id":"t-4"}`,
		} {
			var mu sync.Mutex
			bodies := map[string]int{}
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					r := send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), body)
					mu.Lock()
					defer mu.Unlock()
					bodies[r.body]++
					if r.status != 200 || r.get("persisted").Bool() {
						t.Errorf("%s: %d %s", name, r.status, r.body)
					}
				})
			}
			all.Wait()
			if len(bodies) != 1 {
				t.Errorf("%s: %d different answers: %v", name, len(bodies), bodies)
			}
		}
		if n := s.desk.Journaled(); n != 2 {
			t.Errorf("%d tickets, want one for each complaint", n)
		}
		first := firstTurn(t, s, "u1", "t-4", "我要投诉")
		deaf.deaf.Store(false)
		waitFor(t, func() bool { return s.watch.At().Shown().String() == "llm" })
		if again := firstTurn(t, s, "u1", "t-4", "我要投诉"); again.body != first.body {
			t.Errorf("when Redis is back: %s, before %s", again.body, first.body)
		}
	})
}

// A3 of the guarantees: a tail that was lost is told as a new epoch.
func TestALostTailIsTold(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		s := startServer(t, l.url, func(c *Config) { c.Redis, c.Knobs = redisURL, map[string]string{"redis.timeout": "2s"} })
		one := say(t, s, "u1", "", "第一句话")
		id := one.get("dialog_id").String()
		say(t, s, "u1", id, "第二句话").want(t, "seq", "2")
		if err := s.redis.RPop(t.Context(), dialog.ListKey(id)).Err(); err != nil {
			t.Fatal(err)
		}
		r := say(t, s, "u1", id, "第三句话")
		r.want(t, "context.status", "expired")
		r.want(t, "seq", "1")
		if r.get("epoch").Int() <= one.get("epoch").Int() {
			t.Errorf("the epoch is not new: %s after %s", r.body, one.body)
		}
		if prompt := l.body(l.calls() - 1); strings.Contains(prompt, "第一句话") {
			t.Errorf("half of a dialog was put before the model: %s", prompt)
		}
		say(t, s, "u1", id, "第四句话").want(t, "context.status", "ok")
	})
}
