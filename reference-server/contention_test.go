package refserver

import (
	"net/http"
	"sync"
	"testing"
)

func TestFiftyTurnsAtOnceHaveOneWinner(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.user", "0/s"))
	id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
	gate := make(chan struct{})
	var open sync.Once
	l.set(func(int, *http.Request, string) (int, string) { <-gate; return 200, "ok" })
	tok := tokenFor(t, "u1")
	var mu sync.Mutex
	status := map[int]int{}
	bodies := map[string]int{}
	var all sync.WaitGroup
	shoot := func(turnID string) {
		all.Go(func() {
			r := send(t, "POST", s.URL()+"/v1/chat", tok, `{"text":"第二句话","dialog_id":"`+id+`"`+turnID+`}`)
			mu.Lock()
			defer mu.Unlock()
			status[r.status]++
			if r.status == 200 {
				bodies[r.body]++
			} else if r.get("code").String() != "turn-in-progress" {
				t.Errorf("%d %s", r.status, r.body)
			}
			if status[409] == 49 {
				open.Do(func() { close(gate) })
			}
		})
	}
	for range 50 {
		shoot("")
	}
	all.Wait()
	if status[200] != 1 || status[409] != 49 {
		t.Errorf("statuses %v, want one 200 and 49 409", status)
	}
	if n := l.calls(); n != 2 {
		t.Errorf("%d model calls, want 2", n)
	}
	// The same turn_id 50 times: one call to the model, 50 equal answers.
	status, bodies = map[int]int{}, map[string]int{}
	l.set(func(int, *http.Request, string) (int, string) { return 200, "ok" })
	for range 50 {
		shoot(`,"turn_id":"same"`)
	}
	all.Wait()
	if status[200] != 50 || len(bodies) != 1 {
		t.Errorf("statuses %v with %d different bodies, want 50 equal 200", status, len(bodies))
	}
	if n := l.calls(); n != 3 {
		t.Errorf("%d model calls, want 3", n)
	}
	r := send(t, "POST", s.URL()+"/v1/chat", tok, `{"text":"别的话","dialog_id":"`+id+`","turn_id":"same"}`)
	if r.status != 422 || r.get("code").String() != "turn-id-reused" {
		t.Errorf("same turn_id, other text: %d %s", r.status, r.body)
	}
}
