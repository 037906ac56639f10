package refserver

import (
	"fmt"
	"testing"
	"time"

	"github.com/cstest/cstest/internal/redistest"
	"github.com/cstest/cstest/reference-server/dialog"
)

// What is seen from outside is the same on a real Redis as on the embedded one.
func TestRealRedisBehavesLikeTheEmbeddedOne(t *testing.T) {
	url := redistest.Start(t).URL()
	var seen [2][]string
	for i, redisURL := range []string{"", url} {
		l := newScriptedLLM(t)
		s := startServer(t, l.url, func(c *Config) {
			c.Redis = redisURL
			c.Knobs = map[string]string{"redis.timeout": "2s", "history.messages": "6"}
		})
		note := func(r reply) reply {
			seen[i] = append(seen[i], fmt.Sprint(r.status, r.get("seq"), r.get("context"), r.get("persisted"), r.get("code"), r.get("tier")))
			return r
		}
		id := note(say(t, s, "u1", "", "第1句话")).get("dialog_id").String()
		for n := 2; n <= 6; n++ {
			note(say(t, s, "u1", id, fmt.Sprintf("第%d句话", n)))
		}
		body := fmt.Sprintf(`{"text":"又一句话","dialog_id":%q,"turn_id":"t-7"}`, id)
		first := note(send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), body))
		if again := note(send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), body)); again.body != first.body {
			t.Errorf("replay %s of %s", again.body, first.body)
		}
		job := send(t, "POST", s.URL()+"/v1/chat/async", tokenFor(t, "u1"), fmt.Sprintf(`{"text":"排队的话","dialog_id":%q}`, id))
		done := send(t, "GET", s.URL()+job.header.Get("Location"), tokenFor(t, "u1"), "")
		seen[i] = append(seen[i], done.get("status").String()+done.get("result.seq").String())
		ticket := note(say(t, s, "u1", id, "转人工")).get("ticket.id").String()
		note(send(t, "GET", s.URL()+"/v1/tickets/"+ticket, tokenFor(t, "u1"), ""))
		if n := s.redis.LLen(t.Context(), dialog.ListKey(id)).Val(); n != 3 {
			t.Errorf("%d elements, want 3", n)
		}
		if ttl := s.redis.TTL(t.Context(), dialog.ListKey(id)).Val(); ttl < 29*time.Minute || ttl > 30*time.Minute {
			t.Errorf("ttl %v", ttl)
		}
		s.redis.FlushAll(t.Context())
		note(say(t, s, "u1", id, "还记得吗"))
		note(send(t, "DELETE", s.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), ""))
		note(send(t, "GET", s.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), ""))
	}
	for i := range seen[0] {
		if seen[0][i] != seen[1][i] {
			t.Errorf("step %d: embedded %s, real %s", i+1, seen[0][i], seen[1][i])
		}
	}
}
