package refserver

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/cstest/cstest/reference-server/token"
)

func setSwitch(t *testing.T, s *Server, body string) reply {
	t.Helper()
	cur := send(t, "GET", s.AdminURL()+"/admin/switches", "", "")
	r := send(t, "PUT", s.AdminURL()+"/admin/switches", "", body, "If-Match", cur.header.Get("ETag"))
	if r.status != 200 {
		t.Fatalf("%s: %d %s", body, r.status, r.body)
	}
	return r
}

// The switch is one for all processes: it reaches the others, and the next one that
// starts, and of two who turn it at once one wins.
func TestTheSwitchReachesEveryProcess(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		shared := func(c *Config) { c.Redis, c.Knobs = redisURL, map[string]string{"redis.timeout": "2s"} }
		a, b := startServer(t, l.url, shared), startServer(t, l.url, shared)
		r := setSwitch(t, a, `{"mode":"force","tier":"faq","reason":"model update"}`)
		r.want(t, "scope", "all")
		r.want(t, "shared", "true")
		start := time.Now()
		waitFor(t, func() bool { return b.watch.At().Tier.String() == "faq" })
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("the other process knew after %v, want 2s", took)
		}
		c := startServer(t, l.url, shared)
		waitFor(t, func() bool { return c.watch.At().Tier.String() == "faq" })
		say(t, c, "u1", "", "发货时间").want(t, "source", "faq")
		if r := send(t, "PUT", b.AdminURL()+"/admin/switches", "", `{"mode":"auto"}`, "If-Match", `"0"`); r.status != 412 {
			t.Errorf("a stale version at another process: %d %s", r.status, r.body)
		}
		setSwitch(t, b, `{"mode":"auto"}`).want(t, "version", "2")
		waitFor(t, func() bool { return a.watch.At().Tier.String() == "llm" })
		// What Redis lost it gets again.
		setSwitch(t, a, `{"mode":"force","tier":"handoff","reason":"x"}`)
		a.redis.FlushAll(t.Context())
		d := startServer(t, l.url, shared)
		waitFor(t, func() bool { return d.watch.At().Tier.String() == "handoff" })
		if v := d.watch.CurrentSwitch().Version; v != 3 {
			t.Errorf("version %d, want 3", v)
		}
	})
}

// While Redis is away the last known switch holds, one can be set, and the others
// hear of it afterwards.
func TestTheSwitchWithoutRedis(t *testing.T) {
	l := newScriptedLLM(t)
	m := miniredis.RunT(t)
	shared := func(c *Config) {
		c.Redis, c.Knobs = "redis://"+m.Addr(), map[string]string{"redis.timeout": "200ms"}
	}
	a, b := startServer(t, l.url, shared), startServer(t, l.url, shared)
	setSwitch(t, a, `{"mode":"force","tier":"faq","reason":"x"}`)
	waitFor(t, func() bool { return b.watch.At().Tier.String() == "faq" })
	m.SetError("LOADING")
	waitFor(t, func() bool { return !b.watch.SwitchShared() })
	if got := b.watch.At().Tier.String(); got != "faq" {
		t.Errorf("without Redis tier %s, want the last known", got)
	}
	setSwitch(t, a, `{"mode":"force","tier":"handoff","reason":"worse"}`).want(t, "shared", "false")
	m.SetError("")
	waitFor(t, func() bool { return b.watch.At().Tier.String() == "handoff" && a.watch.SwitchShared() })
}

// A switch for one tenant or one group leaves the others alone.
func TestTheScopeOfTheSwitch(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "gray.share", "0%", "cache.hot", "0s"))
	ask := func(tenant string) reply {
		return send(t, "POST", s.URL()+"/v1/chat", signed(t, tenant, "u1", token.User), `{"text":"优惠券在哪里领"}`)
	}
	setSwitch(t, s, `{"mode":"force","tier":"faq","scope":"tenant:t2","reason":"their model"}`).want(t, "scope", "tenant:t2")
	ask("t2").want(t, "tier", "faq")
	ask("default").want(t, "tier", "llm")
	setSwitch(t, s, `{"mode":"force","tier":"faq","scope":"group:gray","reason":"roll back"}`)
	ask("t2").want(t, "tier", "llm")
	if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"gray.share":"100%"}`); r.status != 200 {
		t.Fatal(r.body)
	}
	ask("t2").want(t, "tier", "faq")
	for _, bad := range []string{`{"mode":"force","tier":"faq","scope":"t2","reason":"x"}`, `{"mode":"force","tier":"faq","scope":"tenant:","reason":"x"}`, `{"mode":"freeze","scope":"tenant:t2","reason":"x"}`} {
		if r := send(t, "PUT", s.AdminURL()+"/admin/switches", "", bad, "If-Match", `"2"`); r.status != 422 {
			t.Errorf("%s: %d, want 422", bad, r.status)
		}
	}
}
