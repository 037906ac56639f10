package refserver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func grayOf(t testing.TB, s *Server) reply {
	t.Helper()
	r := send(t, "GET", s.AdminURL()+"/admin/gray", "", "")
	if r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	return r
}

// changeGray puts or posts a change with the version that is shown.
func changeGray(t testing.TB, s *Server, method, path, body string) reply {
	t.Helper()
	return send(t, method, s.AdminURL()+"/admin/gray"+path, "", body, "If-Match", grayOf(t, s).header.Get("ETag"))
}

// usersOf are n users of a group.
func usersOf(t testing.TB, s *Server, group string, n int) (uids []string) {
	t.Helper()
	for i := 0; len(uids) < n; i++ {
		if i > 20_000 {
			t.Fatalf("only %d of group %s", len(uids), group)
		}
		uid := fmt.Sprintf("u%d", i)
		if g, _ := s.gray.Of(uid); g.String() == group {
			uids = append(uids, uid)
		}
	}
	return uids
}

// A release reaches the group on every server, with a model, a prompt and a deadline
// of its own; promoted, it is everybody's, on the next server too; rolled back, it is
// nobody's.
func TestAReleaseGoesItsWay(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		shared := func(c *Config) {
			c.Redis, c.Knobs = redisURL, map[string]string{"redis.timeout": "2s", "cache.hot": "0s", "gray.share": "0%", "limit.user": "0/s"}
		}
		a, b := startServer(t, l.url, shared), startServer(t, l.url, shared)
		r := changeGray(t, a, "PUT", "", `{"share":"30%","knobs":{"llm.model":"chat-2","llm.prompt":"brief"},"reason":"try the new model"}`)
		if r.status != http.StatusOK {
			t.Fatal(r.body)
		}
		r.want(t, "state", "running")
		r.want(t, "shared", "true")
		waitFor(t, func() bool { return grayOf(t, b).get("version").Int() == 1 })
		few, rest := usersOf(t, a, "gray", 1)[0], usersOf(t, a, "base", 1)[0]
		asked := func(s *Server, uid string) (reply, string) {
			r := say(t, s, uid, "", "随便问一个问题")
			return r, l.body(l.calls() - 1)
		}
		for _, s := range []*Server{a, b} {
			got, body := asked(s, few)
			got.want(t, "group", "gray")
			if got.header.Get("X-Release-Group") != "gray" || gjson.Get(body, "model").Str != "chat-2" || strings.Contains(body, "电商平台的在线客服助手") {
				t.Errorf("the group gets %v %s", got.header, body)
			}
			got, body = asked(s, rest)
			got.want(t, "group", "base")
			if gjson.Get(body, "model").Str != "chat" || !strings.Contains(body, "电商平台的在线客服助手") {
				t.Errorf("the rest gets %s", body)
			}
		}
		if r := changeGray(t, b, "PUT", "", `{"share":"50%","knobs":{"llm.model":"chat-2","llm.prompt":"brief"},"reason":"more"}`); r.status != http.StatusOK {
			t.Fatal(r.body)
		}
		if got, _ := asked(b, few); got.get("group").String() != "gray" {
			t.Error("who was in the group is out when it grows")
		}
		waitFor(t, func() bool { return grayOf(t, a).get("version").Int() == 2 })
		changeGray(t, a, "POST", "/promote", `{"reason":"good"}`).want(t, "state", "promoted")
		waitFor(t, func() bool { return grayOf(t, b).get("version").Int() == 3 })
		c := startServer(t, l.url, shared)
		waitFor(t, func() bool { return grayOf(t, c).get("version").Int() == 3 })
		for _, s := range []*Server{a, b, c} {
			got, body := asked(s, rest)
			got.want(t, "group", "base")
			if gjson.Get(body, "model").Str != "chat-2" {
				t.Errorf("promoted, the rest gets %s", body)
			}
		}
		changeGray(t, c, "POST", "/rollback", `{"reason":"not so good"}`).want(t, "state", "rolled_back")
		for _, s := range []*Server{a, b, c} {
			waitFor(t, func() bool { return grayOf(t, s).get("version").Int() == 4 })
			for _, uid := range []string{few, rest} {
				if got, body := asked(s, uid); got.get("group").String() != "base" || gjson.Get(body, "model").Str != "chat" {
					t.Errorf("rolled back, %s gets %s", uid, body)
				}
			}
		}
		if r := changeGray(t, a, "POST", "/rollback", `{"reason":"again"}`); r.status != http.StatusConflict {
			t.Errorf("rolled back twice: %d %s", r.status, r.body)
		}
		if r := send(t, "POST", a.AdminURL()+"/admin/gray/rollback", "", `{"reason":"x"}`, "If-Match", `"1"`); r.status != http.StatusPreconditionFailed {
			t.Errorf("a stale version: %d %s", r.status, r.body)
		}
	})
}

// What no release may be, and who may not choose a group.
func TestWhatIsNoRelease(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "cache.hot", "0s"))
	for _, bad := range []string{
		`{}`, `{"share":"60%","knobs":{"llm.model":"x"},"reason":"x"}`, `{"share":"0%","knobs":{"llm.model":"x"},"reason":"x"}`,
		`{"share":"5%","knobs":{},"reason":"x"}`, `{"share":"5%","knobs":{"llm.model":"x"}}`, `{"share":"5%","knobs":{"limit.global":"1/s"},"reason":"x"}`,
		`{"share":"5%","knobs":{"llm.timeout":"0s"},"reason":"x"}`, `{"share":"5%","knobs":{"gray.salt":"x"},"reason":"x"}`, `{"share":"5%","knobs":{"llm.prompt":"tell all"},"reason":"x"}`,
		`{"share":"5%","knobs":{"chat.degrade_at":"10s"},"reason":"x"}`,
	} {
		if r := changeGray(t, s, "PUT", "", bad); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", bad, r.status, r.body)
		}
	}
	if r := send(t, "PUT", s.AdminURL()+"/admin/gray", "", `{"share":"5%","knobs":{"llm.model":"x"},"reason":"x"}`); r.status != http.StatusPreconditionRequired {
		t.Errorf("without a version: %d", r.status)
	}
	rest := usersOf(t, s, "base", 1)[0]
	for _, try := range []struct{ body, name, value string }{
		{`{"text":"你好","group":"gray"}`, "", ""}, {`{"text":"你好"}`, "X-Release-Group", "gray"}, {`{"text":"你好"}`, "Cookie", "group=gray"},
	} {
		head := []string{}
		if try.name != "" {
			head = append(head, try.name, try.value)
		}
		r := send(t, "POST", s.URL()+"/v1/chat?group=gray", tokenFor(t, rest), try.body, head...)
		if r.status == http.StatusOK && r.get("group").String() != "base" {
			t.Errorf("%v: in group %s", try, r.get("group"))
		}
	}
	for _, knob := range []string{"llm.model", "llm.model=x llm.model=y", "redis.pool=1", "llm.timeout=soon"} {
		if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"gray.knobs":"`+knob+`"}`); r.status != http.StatusUnprocessableEntity {
			t.Errorf("gray.knobs %s: %d", knob, r.status)
		}
	}
}

// A bad release is rolled back by itself, on all servers, and has taken nothing from
// the rest: neither the model nor the tier.
func TestABadReleaseIsRolledBackByItself(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		l.set(func(_ int, _ *http.Request, body string) (int, string) {
			if gjson.Get(body, "model").Str == "chat-bad" {
				return 500, ""
			}
			return 200, "好的"
		})
		shared := func(c *Config) {
			c.Redis, c.Knobs = redisURL, map[string]string{
				"redis.timeout": "2s", "cache.hot": "0s", "gray.share": "30%", "gray.knobs": "llm.model=chat-bad", "gray.samples": "20", "gray.late": "0s", "limit.user": "0/s", "limit.global": "0/s",
			}
		}
		a, b := startServer(t, l.url, shared), startServer(t, l.url, shared)
		grayOf(t, a).want(t, "by", "knobs")
		few, rest := usersOf(t, a, "gray", 15), usersOf(t, a, "base", 15)
		for i := range 15 { // each server alone has too few samples to judge by
			say(t, a, few[i], "", "优惠券在哪里领").want(t, "source", "faq")
			say(t, b, few[i], "", "优惠券在哪里领").want(t, "group", "gray")
			for _, s := range []*Server{a, b} {
				good := say(t, s, rest[i], "", "优惠券在哪里领")
				good.want(t, "tier", "llm")
				good.want(t, "group", "base")
			}
		}
		for _, s := range []*Server{a, b} {
			waitFor(t, func() bool { return grayOf(t, s).get("state").String() == "rolled_back" })
			got := grayOf(t, s)
			got.want(t, "by", "budget")
			if !strings.Contains(got.get("reason").String(), "100.0% of 30 turns") {
				t.Errorf("reason %s", got.get("reason"))
			}
			say(t, s, few[0], "", "优惠券在哪里领").want(t, "tier", "llm")
			if at := s.watch.At(); at.Shown().String() != "llm" {
				t.Errorf("the release moved everybody to tier %s", at.Shown())
			}
		}
		if m := send(t, "GET", a.AdminURL()+"/metrics", "", "").body; !strings.Contains(m, `gray_rollbacks_total{by="budget"} 1`) || !strings.Contains(m, `chat_group_turns_total{group="gray",result="bad"} 15`) {
			t.Error("the metrics do not tell of it")
		}
		// A good one of the same size stays.
		if r := changeGray(t, a, "PUT", "", `{"share":"30%","knobs":{"llm.model":"chat-good"},"reason":"next"}`); r.status != http.StatusOK {
			t.Fatal(r.body)
		}
		for i := range 15 {
			for range 2 {
				say(t, a, few[i], "", "优惠券在哪里领").want(t, "group", "gray")
				say(t, a, rest[i], "", "优惠券在哪里领")
			}
		}
		waitFor(t, func() bool { return grayOf(t, a).get("groups.gray.turns").Int() == 30 })
		grayOf(t, a).want(t, "state", "running")
	})
}

// While Redis is away the last known release holds, and one that is rolled back is
// rolled back everywhere afterwards.
func TestAReleaseWithoutRedis(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "200ms", "cache.hot", "0s"))
	if r := changeGray(t, s, "PUT", "", `{"share":"30%","knobs":{"llm.model":"chat-2"},"reason":"x"}`); r.status != http.StatusOK {
		t.Fatal(r.body)
	}
	s.embedded.mini.SetError("LOADING")
	waitFor(t, func() bool { return !s.gray.Shared() })
	grayOf(t, s).want(t, "state", "running")
	changeGray(t, s, "POST", "/rollback", `{"reason":"not now"}`).want(t, "shared", "false")
	s.embedded.mini.SetError("")
	waitFor(t, func() bool { return s.gray.Shared() })
	// What Redis lost it gets again.
	s.redis.FlushAll(t.Context())
	waitFor(t, func() bool { return s.redis.HGet(t.Context(), "gray:{g}:release", "version").Val() == "2" })
}
