package refserver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
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
