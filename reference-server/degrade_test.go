package refserver

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/reference-server/answer"
)

// force sets the tier by hand.
func force(t *testing.T, s *Server, tier string) {
	t.Helper()
	cur := send(t, "GET", s.AdminURL()+"/admin/switches", "", "")
	r := send(t, "PUT", s.AdminURL()+"/admin/switches", "", `{"mode":"force","tier":"`+tier+`","reason":"test"}`, "If-Match", cur.header.Get("ETag"))
	if r.status != 200 || r.get("tier").String() != tier {
		t.Fatalf("force %s: %d %s", tier, r.status, r.body)
	}
}

func TestAnswersByTier(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	force(t, s, "faq")
	one := say(t, s, "u1", "", "我有一张满减优惠券,怎么用? ⟦c:AAAAAAAA.1⟧")
	one.want(t, "tier", "faq")
	one.want(t, "source", "faq")
	one.want(t, "faq_id", "coupon-use")
	one.want(t, "degraded", "true")
	one.want(t, "degrade_reason", "tier")
	one.want(t, "persisted", "true")
	one.want(t, "seq", "1")
	id := one.get("dialog_id").String()
	bare := say(t, s, "u1", id, "还能用吗? ⟦c:AAAAAAAA.2⟧")
	bare.want(t, "faq_id", "coupon-still-valid")
	order := say(t, s, "u1", id, "我的订单20261111000123到哪了")
	order.want(t, "source", "template")
	order.want(t, "tier", "faq")
	angry := say(t, s, "u1", id, "我要投诉")
	angry.want(t, "tier", "handoff")
	angry.want(t, "degraded", "false")
	angry.want(t, "ticket.queue", "complaint")
	if eta := angry.get("ticket.eta_s").Int(); eta < 30 || eta > 3600 {
		t.Errorf("eta %d s", eta)
	}
	lost := say(t, s, "u1", "", "那还能吗")
	lost.want(t, "answer", answer.AskBackText)
	odd := say(t, s, "u1", "", "饺子皮擀多厚")
	odd.want(t, "tier", "handoff")
	odd.want(t, "degraded", "true")
	if l.calls() != 0 {
		t.Errorf("%d calls to the model at tier faq", l.calls())
	}
	force(t, s, "handoff")
	say(t, s, "u1", "", "发货时间").want(t, "source", "handoff")
	force(t, s, "llm")
	back := say(t, s, "u1", id, "那运费呢 ⟦c:AAAAAAAA.5⟧")
	back.want(t, "tier", "llm")
	back.want(t, "context.turns", "5")
	prompt := l.body(0)
	for _, want := range []string{"⟦c:AAAAAAAA.1⟧", "⟦c:AAAAAAAA.2⟧", "⟦c:AAAAAAAA.5⟧", "我的订单20261111000123到哪了"} {
		if !strings.Contains(prompt, want) {
			t.Errorf("the prompt lacks the user's %q of a degraded turn", want)
		}
	}
	for _, not := range []string{"结算页的「优惠」一栏", answer.OrderNoText} {
		if strings.Contains(prompt, not) {
			t.Errorf("the prompt repeats the degraded answer %q", not)
		}
	}
	force(t, s, "static")
	static := say(t, s, "u1", id, "还在吗")
	static.want(t, "tier", "static")
	static.want(t, "persisted", "false")
	static.want(t, "context.status", "unavailable")
	static.want(t, "dialog_id", id)
	force(t, s, "llm")
	if n := s.desk.Journaled(); n != 1 {
		t.Errorf("%d tickets in the journal, want 1", n)
	}
}

func TestModelFailuresAreAnsweredFromFAQ(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(n int, r *http.Request, body string) (int, string)
		reason string
		calls  int
	}{
		"503 twice":     {func(int, *http.Request, string) (int, string) { return 503, "" }, "llm_transient", 2},
		"400":           {func(int, *http.Request, string) (int, string) { return 400, "" }, "llm_permanent", 1},
		"401":           {func(int, *http.Request, string) (int, string) { return 401, "" }, "llm_config", 1},
		"empty answer":  {func(int, *http.Request, string) (int, string) { return 200, " " }, "llm_garbage", 1},
		"hang":          {func(_ int, r *http.Request, _ string) (int, string) { <-r.Context().Done(); return 200, "late" }, "llm_timeout", 1},
		"huge":          {func(int, *http.Request, string) (int, string) { return 200, strings.Repeat("x", 300<<10) }, "llm_garbage", 1},
		"long":          {func(int, *http.Request, string) (int, string) { return 200, strings.Repeat("x", 20<<10) }, "llm_garbage", 1},
		"redirect away": {func(int, *http.Request, string) (int, string) { return 302, "" }, "llm_garbage", 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := newScriptedLLM(t)
			l.set(c.answer)
			s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "cache.hot", "0s"))
			r := say(t, s, "u1", "", "优惠券在哪里领?")
			if r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
			r.want(t, "source", "faq")
			r.want(t, "degrade_reason", c.reason)
			if n := int(s.caller.Attempts()); n != c.calls {
				t.Errorf("%d attempts, want %d", n, c.calls)
			}
		})
	}
}

func TestOneRetryCuresATransientFailure(t *testing.T) {
	l := newScriptedLLM(t)
	l.set(func(n int, _ *http.Request, _ string) (int, string) {
		if n == 1 {
			return 500, ""
		}
		return 200, "好的"
	})
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	r := say(t, s, "u1", "", "随便聊两句")
	r.want(t, "tier", "llm")
	r.want(t, "degraded", "false")
	first, second := l.head(0).Get("Traceparent"), l.head(1).Get("Traceparent")
	if first[:35] != second[:35] || first == second {
		t.Errorf("attempts under %s and %s, want one trace and two spans", first, second)
	}
}

func TestArticleProfileSaysTheCannedLine(t *testing.T) {
	l := newScriptedLLM(t)
	l.set(func(int, *http.Request, string) (int, string) { return 503, "" })
	s := startServer(t, l.url, func(c *Config) {
		c.Profile = "article-2"
		c.Knobs = map[string]string{"llm.backoff_base": "1ms"}
	})
	r := say(t, s, "u1", "", "发货时间")
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	r.want(t, "answer", "系统繁忙,请稍后再试")
	if l.calls() != 3 {
		t.Errorf("%d attempts, want 3", l.calls())
	}
	say(t, s, "u1", "", "发货时间").want(t, "answer", "系统繁忙,请稍后再试")
	if l.calls() != 3 {
		t.Errorf("%d attempts: the breaker should have opened after 3 failures in a row", l.calls())
	}
}

func TestHotAnswersAreShared(t *testing.T) {
	l := newScriptedLLM(t)
	l.set(func(int, *http.Request, string) (int, string) {
		return 200, "48 小时内发货 ⟦seen c:AAAAAAAA.1⟧"
	})
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	one := say(t, s, "u1", "", "发货时间? ⟦c:AAAAAAAA.1⟧")
	one.want(t, "source", "llm")
	two := say(t, s, "u2", "", "发货时间!! ⟦c:BBBBBBBB.1⟧")
	two.want(t, "source", "cache")
	two.want(t, "tier", "llm")
	two.want(t, "answer", "48 小时内发货")
	two.want(t, "persisted", "true")
	three := say(t, s, "u2", two.get("dialog_id").String(), "发货时间 ⟦c:BBBBBBBB.2⟧")
	three.want(t, "source", "cache") // at any turn: the question stands for itself
	three.want(t, "seq", "2")
	say(t, s, "u2", two.get("dialog_id").String(), "那件外套有红的吗").want(t, "context.turns", "3")
	if body := l.body(1); !strings.Contains(body, "⟦c:BBBBBBBB.1⟧") || !strings.Contains(body, "⟦c:BBBBBBBB.2⟧") || !strings.Contains(body, "48 小时内发货") {
		t.Errorf("the cached turns are not in the prompt: %s", body)
	}
	for _, text := range []string{"发货时间,我叫张伟", "我的会员等级是什么", "优惠券还能用吗"} {
		calls := l.calls()
		say(t, s, "u3", "", text)
		say(t, s, "u4", "", text)
		if l.calls() != calls+2 {
			t.Errorf("%q was shared between users", text)
		}
	}
	send(t, "POST", s.AdminURL()+"/admin/cache/purge", "", "")
	say(t, s, "u5", "", "发货时间").want(t, "source", "llm")
}

// What is kept for everybody was made without anybody's dialog, even where it is asked
// in the middle of one, and in a stream.
func TestHotAnswersHoldNothingOfADialog(t *testing.T) {
	for _, path := range []string{"/v1/chat", "/v1/chat/stream"} {
		t.Run(path, func(t *testing.T) {
			mock := mockllm.RunT(t, mockllm.Config{EchoContext: true})
			s := startServer(t, mock.URL(), withKnobs("redis.timeout", "2s"))
			id := say(t, s, "u1", "", "我最近在准备婚礼 ⟦c:AAAAAAAA.1⟧").get("dialog_id").String()
			own := send(t, "POST", s.URL()+path, tokenFor(t, "u1"), `{"dialog_id":"`+id+`","text":"发货时间 ⟦c:AAAAAAAA.2⟧"}`)
			if !strings.Contains(own.body, "AAAAAAAA.1") {
				t.Errorf("the turn's own answer does not know its dialog: %s", own.body)
			}
			var r reply
			waitFor(t, func() bool {
				r = say(t, s, "u1", id, "发货时间 ⟦c:AAAAAAAA.3⟧")
				return r.get("source").String() == "cache"
			})
			r = say(t, s, "u2", "", "发货时间 ⟦c:BBBBBBBB.1⟧")
			r.want(t, "source", "cache")
			if strings.Contains(r.body, "AAAAAAAA") {
				t.Errorf("it holds another's dialog: %s", r.body)
			}
		})
	}
}

// The article's cache goes by the text alone: it tells one user what another was told.
// That is what article-3 is for. With lossy it loses the turn, too.
func TestTheArticlesCacheLeaks(t *testing.T) {
	l := newScriptedLLM(t)
	l.set(func(_ int, _ *http.Request, body string) (int, string) {
		if strings.Contains(body, "我是金卡") {
			return 200, "您是金卡会员"
		}
		return 200, "普通会员"
	})
	for reach, kept := range map[string]bool{"text": true, "lossy": false} {
		t.Run(reach, func(t *testing.T) {
			s := startServer(t, l.url, func(c *Config) { c.Profile, c.Knobs = "article-3", map[string]string{"cache.reach": reach} })
			id := say(t, s, "u1", "", "我是金卡").get("dialog_id").String()
			say(t, s, "u1", id, "会员等级").want(t, "answer", "您是金卡会员")
			other := say(t, s, "u2", "", "会员等级")
			other.want(t, "source", "cache")
			other.want(t, "answer", "您是金卡会员")
			other.want(t, "persisted", strconv.FormatBool(kept))
			next := say(t, s, "u2", other.get("dialog_id").String(), "那怎么升级")
			if strings.Contains(l.body(l.calls()-1), "会员等级") != kept || next.status != http.StatusOK {
				t.Errorf("the cached turn in the history: want %v: %d %s", kept, next.status, l.body(l.calls()-1))
			}
		})
	}
}

func TestForgetKnobForgetsSilently(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "history.forget", "100%"))
	id := say(t, s, "u1", "", "第一句 ⟦c:AAAAAAAA.1⟧").get("dialog_id").String()
	two := say(t, s, "u1", id, "第二句 ⟦c:AAAAAAAA.2⟧")
	two.want(t, "context.turns", "2")
	two.want(t, "context.status", "ok")
	if strings.Contains(l.body(1), "AAAAAAAA.1") {
		t.Error("the first turn is in the second prompt")
	}
}

func TestRedisGone(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "200ms"))
	id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
	s.embedded.mini.SetError("LOADING Redis is loading the dataset in memory")
	r := say(t, s, "u1", id, "第二句话")
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	r.want(t, "tier", "llm")
	r.want(t, "degraded", "false")
	r.want(t, "persisted", "false")
	r.want(t, "context.status", "unavailable")
	r.want(t, "dialog_id", id)
	if prompt := l.body(l.calls() - 1); strings.Contains(prompt, "第一句话") || !strings.Contains(prompt, "第二句话") {
		t.Errorf("prompt without state: %s", prompt)
	}
	calls := l.calls()
	bare := say(t, s, "u1", id, "还能用吗?")
	bare.want(t, "answer", answer.AskBackText)
	bare.want(t, "degrade_reason", "redis_down")
	if l.calls() != calls {
		t.Error("the model was asked what only the lost turns could tell")
	}
	if n := s.desk.Journaled(); n != 0 {
		t.Errorf("%d tickets for questions without risk, want none", n)
	}
	angry := say(t, s, "u1", id, "我要投诉")
	angry.want(t, "tier", "static")
	angry.want(t, "ticket.queue", "complaint")
	if n := s.desk.Journaled(); n != 1 {
		t.Errorf("%d tickets in the journal, want the complaint", n)
	}
	if r := say(t, s, "u2", id, "第二句话"); r.status != 404 {
		t.Errorf("a stranger during the outage: %d, want 404", r.status)
	}
	first := say(t, s, "u1", "", "新的对话")
	first.want(t, "persisted", "false")
	s.embedded.mini.SetError("")
	say(t, s, "u1", id, "第三句话").want(t, "context.status", "ok")
}

func TestPersonalDataStaysOut(t *testing.T) {
	l := newScriptedLLM(t)
	l.set(func(int, *http.Request, string) (int, string) { return 200, "请拨打13900001111" })
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	r := say(t, s, "u1", "", "我的电话是13812345678 ⟦c:AAAAAAAA.1⟧")
	r.want(t, "pii.in", "1")
	r.want(t, "pii.out", "1")
	if strings.Contains(r.body, "13900001111") {
		t.Errorf("the answer shows a number: %s", r.body)
	}
	if b := l.body(0); strings.Contains(b, "13812345678") || !strings.Contains(b, "⟦c:AAAAAAAA.1⟧") {
		t.Errorf("prompt %s", b)
	}
	history := send(t, "GET", s.URL()+"/v1/dialogs/"+r.get("dialog_id").String(), tokenFor(t, "u1"), "")
	if history.status != 200 || strings.Contains(history.body, "1381234") || strings.Contains(history.body, "1390000") || history.get("turns.#").Int() != 1 {
		t.Errorf("history %d %s", history.status, history.body)
	}
	url := s.URL() + "/v1/dialogs/" + r.get("dialog_id").String()
	if d := send(t, "DELETE", url, tokenFor(t, "u1"), ""); d.status != 204 {
		t.Errorf("erase: %d", d.status)
	}
	if d := send(t, "GET", url, tokenFor(t, "u1"), ""); d.status != 404 {
		t.Errorf("after erasing: %d", d.status)
	}
}

// Redis fails at the commit only: the turn is finished as soon as it answers
// again, and the next turn sees it.
func TestLateCommit(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "1s"))
	mini := s.embedded.mini
	l.set(func(int, *http.Request, string) (int, string) { mini.SetError("LOADING"); return 200, "好" })
	r := say(t, s, "u1", "", "第一句话 ⟦c:AAAAAAAA.1⟧")
	r.want(t, "tier", "llm")
	r.want(t, "persisted", "false")
	l.set(func(int, *http.Request, string) (int, string) { return 200, "好" })
	mini.SetError("")
	two := say(t, s, "u1", r.get("dialog_id").String(), "第二句话 ⟦c:AAAAAAAA.2⟧")
	two.want(t, "context.status", "ok")
	two.want(t, "context.turns", "2")
	two.want(t, "seq", "2")
	if !strings.Contains(l.body(1), "⟦c:AAAAAAAA.1⟧") {
		t.Errorf("the first turn is missing: %s", l.body(1))
	}
}

// Where turns at once are allowed, all of them are kept, one after the other.
func TestTurnsAtOnceAreAllKeptWhereAllowed(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.Profile = "article-3" })
	id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if r := say(t, s, "u1", id, "同时说的话"); r.status != http.StatusOK || !r.get("persisted").Bool() {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	all.Wait()
	h := send(t, "GET", s.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), "")
	if n := h.get("turns.#").Int(); n != 5 {
		t.Errorf("%d turns kept, want 5: %s", n, h.body)
	}
}

// The embedded Redis goes away when it was told to, and comes back with what it
// held.
func TestEmbeddedRedisGoesAwayAndComesBack(t *testing.T) {
	e, err := startEmbedded(time.Millisecond, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if err := e.mini.Set("kept", "yes"); err != nil {
		t.Fatal(err)
	}
	addr := e.mini.Addr()
	reached := func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
	waitFor(t, func() bool { return !reached() })
	waitFor(t, reached)
	if v, err := e.mini.Get("kept"); v != "yes" || err != nil {
		t.Errorf("after the outage %q, %v", v, err)
	}
}

func TestOnlyTheEmbeddedRedisGoesAway(t *testing.T) {
	_, err := Start(t.Context(), Config{LLM: "http://127.0.0.1:1", Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Redis: "redis://127.0.0.1:1", Knobs: map[string]string{"redis.away_for": "1s"}})
	if err == nil || !strings.Contains(err.Error(), "redis.away_for") {
		t.Errorf("started with %v", err)
	}
}
