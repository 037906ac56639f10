package refserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/unit"
)

// backflowKnobs ask again at once, and as fast as it goes.
func backflowKnobs(more ...string) map[string]string {
	k := map[string]string{
		"redis.timeout": "2s", "cache.hot": "0s", "limit.user": "0/s", "limit.global": "0/s", "limit.reads": "0/s",
		"backflow.hold": "0s", "backflow.rate": "10k/s", "backflow.live_max": "0/s", "backflow.draft_after": "2",
	}
	for i := 0; i < len(more); i += 2 {
		k[more[i]] = more[i+1]
	}
	return k
}

func backflowState(t testing.TB, s *Server) reply {
	t.Helper()
	r := send(t, "GET", s.AdminURL()+"/admin/backflow", "", "")
	if r.status != http.StatusOK || !r.get("conserved").Bool() {
		t.Fatalf("backflow: %d %s", r.status, r.body)
	}
	return r
}

// What the FAQ answered in place of the model is asked again afterwards: the dialog
// gets the better answer, told once with its next turn, and the ticket a draft.
func TestBetterAnswersComeAfterwards(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		l.set(func(int, *http.Request, string) (int, string) {
			return 200, "更好的回答,电话13900001111 ⟦seen c:AAAAAAAA.1⟧"
		})
		s := startServer(t, l.url, func(c *Config) { c.Redis, c.Knobs = redisURL, backflowKnobs() })
		force(t, s, "faq")
		faq := say(t, s, "u1", "", "优惠券在哪里领?我的电话13812345678 ⟦c:AAAAAAAA.1⟧")
		faq.want(t, "tier", "faq")
		id := faq.get("dialog_id").String()
		odd := say(t, s, "u2", "", "饺子皮擀多厚")
		odd.want(t, "tier", "handoff")
		angry := say(t, s, "u3", "", "我要投诉")
		angry.want(t, "degraded", "false")
		waitFor(t, func() bool { return backflowState(t, s).get("paused").String() == "model" })
		if got := backflowState(t, s); got.get("in").Int() != 3 || got.get("waiting").Int() != 3 {
			t.Fatalf("%s, want three that wait", got.body)
		}
		for _, raw := range s.redis.XRange(t.Context(), "backflow:{b}", "-", "+").Val() {
			if strings.Contains(fmt.Sprint(raw.Values), "13812345678") || strings.Contains(fmt.Sprint(raw.Values), "⟦") {
				t.Errorf("stored unmasked: %v", raw.Values)
			}
		}
		if n := len(l.asked("backflow")); n != 0 {
			t.Fatalf("%d questions asked again while the model is out of use", n)
		}
		a := dialAgent(t, s, "agent-1", "default")
		a.subscribe("2", "general", "complaint")
		force(t, s, "llm")
		waitFor(t, func() bool { return backflowState(t, s).get("replayed").Int() == 3 })
		if n := len(l.asked("backflow")); n != 3 {
			t.Errorf("%d questions asked again, want 3", n)
		}
		if n := s.caller.Attempts(); n != 0 {
			t.Errorf("%d calls count as users'", n)
		}
		next := say(t, s, "u1", id, "谢谢")
		if next.get("notes.#").Int() != 1 {
			t.Fatalf("the next turn tells nothing: %s", next.body)
		}
		next.want(t, "notes.0.turn_id", faq.get("turn_id").String())
		note := next.get("notes.0.text").String()
		if !strings.Contains(note, "更好的回答") || !strings.Contains(note, "优惠券在哪里领") || strings.Contains(note, "13900001111") || strings.Contains(note, "⟦") {
			t.Errorf("note %q", note)
		}
		if again := say(t, s, "u1", id, "再见"); again.get("notes").Exists() {
			t.Errorf("told twice: %s", again.body)
		}
		h := send(t, "GET", s.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), "")
		h.want(t, "turns.0.replies.0.text", note)
		h.want(t, "turns.0.replies.0.turn_id", faq.get("turn_id").String())
		// The complaint stays with people: they have a draft, its user has nothing.
		quiet := say(t, s, "u3", angry.get("dialog_id").String(), "谢谢")
		if quiet.get("notes").Exists() {
			t.Errorf("the model answered a complaint: %s", quiet.body)
		}
		tickets := map[string]string{angry.get("ticket.id").String(): "", odd.get("ticket.id").String(): ""}
		for want := len(tickets); want > 0; {
			m := a.next()
			ticket := m.Get("ticket.id").String()
			if had, ours := tickets[ticket]; ours && had == "" && m.Get("ticket.draft").Exists() {
				tickets[ticket] = m.Get("ticket.draft").String()
				want--
			}
		}
		for id, draft := range tickets {
			if !strings.Contains(draft, "更好的回答") || strings.Contains(draft, "13900001111") {
				t.Errorf("ticket %s has the draft %q", id, draft)
			}
		}
		own := send(t, "GET", s.URL()+"/v1/tickets/"+angry.get("ticket.id").String(), tokenFor(t, "u3"), "")
		if own.status != 200 || strings.Contains(own.body, "更好的回答") {
			t.Errorf("its user sees the draft: %s", own.body)
		}
	})
}

// asked are the bodies of the calls for this purpose.
func (l *scriptedLLM) asked(purpose string) (bodies []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.bodies {
		if l.heads[i].Get("X-Request-Purpose") == purpose {
			bodies = append(bodies, l.bodies[i])
		}
	}
	return bodies
}

// The question is asked as it was: behind the turns before it, not those after it.
func TestAQuestionIsAskedAgainInItsPlace(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.Knobs = backflowKnobs() })
	id := say(t, s, "u1", "", "双十一的赠品什么颜色").get("dialog_id").String()
	force(t, s, "faq")
	say(t, s, "u1", id, "优惠券在哪里领").want(t, "degraded", "true")
	say(t, s, "u1", id, "我要投诉你们的赠品").want(t, "source", "handoff")
	force(t, s, "llm")
	waitFor(t, func() bool { return backflowState(t, s).get("replayed").Int() == 2 })
	found := false
	for _, body := range l.asked("backflow") {
		if strings.HasSuffix(strings.TrimRight(body, "\"}]"), "优惠券在哪里领") {
			found = true
			if !strings.Contains(body, "双十一的赠品什么颜色") || !strings.Contains(body, "answer 1") || strings.Contains(body, "投诉") {
				t.Errorf("prompt %s", body)
			}
		}
	}
	if !found {
		t.Errorf("the question was not asked: %v", l.asked("backflow"))
	}
}

// Who asked again and got the model, or was answered by a person, needs nothing more.
func TestAnsweredQuestionsAreSuperseded(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.Knobs = backflowKnobs("backflow.live_max", "1/m") })
	force(t, s, "faq")
	one := say(t, s, "u1", "", "优惠券在哪里领?")
	angry := say(t, s, "u2", "", "我要投诉")
	a := dialAgent(t, s, "agent-1", "default")
	a.subscribe("1", "complaint")
	a.want("type", "ticket")
	a.claim(angry.get("ticket.id").String())
	a.want("type", "claimed")
	a.reply(angry.get("ticket.id").String(), "处理好了")
	a.want("type", "replied")
	force(t, s, "llm")
	say(t, s, "u1", one.get("dialog_id").String(), "请问优惠券在哪里领").want(t, "tier", "llm")
	if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"backflow.live_max":"0/s"}`); r.status != 200 {
		t.Fatal(r.body)
	}
	waitFor(t, func() bool { return backflowState(t, s).get("waiting").Int() == 0 })
	backflowState(t, s).want(t, "superseded", "2")
	if n := len(l.asked("backflow")); n != 0 {
		t.Errorf("%d questions were asked again", n)
	}
}

// Erasure takes what waits, and what is under way adds nothing to the dialog.
func TestErasureTakesTheBackflow(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.Knobs = backflowKnobs() })
	asking, erased := make(chan struct{}), make(chan struct{})
	l.set(func(_ int, r *http.Request, _ string) (int, string) {
		if r.Header.Get("X-Request-Purpose") == "backflow" {
			close(asking)
			<-erased
		}
		return 200, "紫色的伞的回答"
	})
	force(t, s, "faq")
	const said = "紫色的伞在哪里领"
	id := say(t, s, "u1", "", "优惠券和"+said).get("dialog_id").String()
	if !strings.Contains(kept(t, s), said) {
		t.Fatal("nothing to erase")
	}
	force(t, s, "llm")
	<-asking
	if r := send(t, "DELETE", s.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), ""); r.status != http.StatusNoContent {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if dump := kept(t, s); strings.Contains(dump, said) {
		t.Errorf("left: %s", dump)
	}
	close(erased)
	waitFor(t, func() bool {
		return strings.Contains(send(t, "GET", s.AdminURL()+"/metrics", "", "").body, `backflow_calls_total{outcome="ok"} 1`)
	})
	backflowState(t, s).want(t, "erased", "1")
	if r := say(t, s, "u1", id, "还有吗"); r.status != http.StatusNotFound {
		t.Errorf("a turn of what was erased: %d %s", r.status, r.body)
	}
	if dump := kept(t, s); strings.Contains(dump, "「优惠券") || strings.Contains(dump, said) {
		t.Errorf("left: %s", dump)
	}
}

// kept is everything that Redis has.
func kept(t testing.TB, s *Server) string {
	t.Helper()
	var all strings.Builder
	for _, key := range s.redis.Keys(t.Context(), "*").Val() {
		var v any
		switch kind := s.redis.Type(t.Context(), key).Val(); kind {
		case "string":
			v = s.redis.Get(t.Context(), key).Val()
		case "list":
			v = s.redis.LRange(t.Context(), key, 0, -1).Val()
		case "hash":
			v = s.redis.HGetAll(t.Context(), key).Val()
		case "set":
			v = s.redis.SMembers(t.Context(), key).Val()
		case "zset":
			v = s.redis.ZRange(t.Context(), key, 0, -1).Val()
		case "stream":
			v = s.redis.XRange(t.Context(), key, "-", "+").Val()
		default:
			t.Fatalf("%s is a %s", key, kind)
		}
		fmt.Fprintln(&all, key, v)
	}
	return all.String()
}

// Drafts of what many ask are reviewed over HTTP and answered from the FAQ then.
func TestDraftsBecomeFAQ(t *testing.T) {
	l := newScriptedLLM(t)
	l.set(func(int, *http.Request, string) (int, string) {
		return 200, "礼品卡在「我的-卡包」里绑定。"
	})
	s := startServer(t, l.url, func(c *Config) { c.Knobs = backflowKnobs() })
	force(t, s, "faq")
	const text = "超级礼品卡如何绑到账户"
	for i := range 3 {
		say(t, s, fmt.Sprintf("u%d", i), "", text).want(t, "degraded", "true")
	}
	force(t, s, "llm")
	waitFor(t, func() bool { return backflowState(t, s).get("replayed").Int() == 3 })
	force(t, s, "faq")
	list := send(t, "GET", s.AdminURL()+"/admin/backflow/drafts?ready=true", "", "")
	list.want(t, "drafts.#", "1")
	list.want(t, "drafts.0.users", "3")
	list.want(t, "drafts.0.question", text)
	id := list.get("drafts.0.id").String()
	at := s.AdminURL() + "/admin/backflow/drafts/" + id
	if r := send(t, "POST", at+"/accept", "", `{"unknown":1}`); r.status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown field: %d", r.status)
	}
	accepted := send(t, "POST", at+"/accept", "", `{"answer":"在「我的-卡包-添加」里输入卡号即可。"}`)
	accepted.want(t, "id", answer.Accepted+id)
	waitFor(t, func() bool { return say(t, s, "u9", "", text).get("faq_id").String() == answer.Accepted+id })
	say(t, s, "u9", "", "请问超级礼品卡如何绑到账户呢").want(t, "answer", "在「我的-卡包-添加」里输入卡号即可。")
	export := send(t, "GET", s.AdminURL()+"/admin/backflow/faq", "", "")
	var entries []answer.Entry
	if err := json.Unmarshal([]byte(export.body), &entries); err != nil || len(entries) != 1 || entries[0].Q[0] != text {
		t.Errorf("export %s: %v", export.body, err)
	}
	if r := send(t, "POST", at+"/reject", "", ""); r.status != http.StatusNotFound {
		t.Errorf("rejected after it was accepted: %d", r.status)
	}
	if r := send(t, "DELETE", s.AdminURL()+"/admin/backflow/faq/"+answer.Accepted+id, "", ""); r.status != http.StatusNoContent {
		t.Errorf("taken back: %d %s", r.status, r.body)
	}
	waitFor(t, func() bool { return say(t, s, "u9", "", text).get("faq_id").String() != answer.Accepted+id })
}

// A storm on real sockets: what it degraded is answered by the model afterwards, each
// question once, by two servers that share the work, and never during it.
func TestAfterAStormEverythingIsAskedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("a storm and its end take half a minute")
	}
	mock := mockllm.RunT(t, mockllm.Config{Latency: mockllm.Constant(5 * time.Millisecond)})
	m := miniredis.RunT(t)
	shared := func(c *Config) {
		c.Redis, c.Knobs = "redis://"+m.Addr(), backflowKnobs("backflow.hold", "3s", "tiers.dwell", "500ms", "tiers.step", "200ms", "tiers.probe_rate", "40/s", "backflow.rate", "200/s")
	}
	servers := []*Server{startServer(t, mock.URL(), shared), startServer(t, mock.URL(), shared)}
	if err := mock.SetFaults([]mockllm.Fault{{Name: "storm", Kind: "status", Status: 503, RetryAfter: unit.Duration(time.Second)}}, 0); err != nil {
		t.Fatal(err)
	}
	type asked struct{ uid, dialog, turn string }
	var degraded []asked
	for i := 0; len(degraded) < 60; i++ {
		uid := fmt.Sprintf("u%d", i)
		r := say(t, servers[i%2], uid, "", "优惠券在哪里领")
		if r.status != http.StatusOK {
			t.Fatalf("a user sees %d %s", r.status, r.body)
		}
		if r.get("degraded").Bool() {
			degraded = append(degraded, asked{uid, r.get("dialog_id").String(), r.get("turn_id").String()})
		}
	}
	if n := mock.Facts().Backflow; n != 0 {
		t.Errorf("%d questions were asked again in the storm", n)
	}
	if err := mock.SetFaults(nil, 0); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		for end := time.Now().Add(time.Minute); s.watch.At().ModelSince().IsZero(); {
			if time.Now().After(end) {
				t.Fatal("the model did not come back")
			}
			say(t, s, "other", "", "随便问问")
			time.Sleep(5 * time.Millisecond) // pace, not synchronisation
		}
	}
	waitFor(t, func() bool { return backflowState(t, servers[0]).get("waiting").Int() == 0 })
	state := backflowState(t, servers[0])
	if in := state.get("in").Int(); in < 60 || in != state.get("replayed").Int() {
		t.Errorf("not everything was replayed: %s", state.body)
	}
	for _, q := range degraded {
		next := say(t, servers[0], q.uid, q.dialog, "谢谢")
		if next.get("notes.#").Int() != 1 || next.get("notes.0.turn_id").String() != q.turn {
			t.Errorf("the next turn tells %s, want one note of %s", next.get("notes"), q.turn)
		}
	}
}
