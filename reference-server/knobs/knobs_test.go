package knobs

import (
	"strings"
	"testing"
)

func TestDefaultsAreReadBack(t *testing.T) {
	for _, k := range List() {
		base := hardened()
		if _, err := base.Apply(map[string]string{k.Name: k.Default}, false); err != nil {
			t.Errorf("the default of %s cannot be read back: %v", k.Name, err)
		}
		if k.Unit == "" || k.About == "" {
			t.Errorf("%s is not described", k.Name)
		}
	}
}

func TestProfilesFollowTheTable(t *testing.T) {
	for name, want := range map[string][6]string{
		"article-0": {"128", "false", "0", "4", "0s", "0s"},
		"article-1": {"128", "true", "50", "4", "0s", "0s"},
		"article-2": {"0", "true", "50", "4", "0s", "0s"},
		"article-3": {"0", "true", "50", "2", "1m", "0s"},
		"hardened":  {"0", "true", "50", "2", "1m", "1ms"},
	} {
		p, err := Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		v := p.Values()
		got := [6]string{v["chat.blocking_workers"], v["llm.keepalive"], v["redis.pool"], v["redis.roundtrips"], v["cache.hot"], v["redis.gather"]}
		if got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if name != Hardened && (v["llm.attempts"] != "3" || v["llm.backoff"] != "linear" || v["llm.backoff_base"] != "500ms" || v["llm.timeout"] != "5s" || v["llm.breaker"] != "consecutive" || v["chat.deadline"] != "0s" || v["tiers.enabled"] != "false") {
			t.Errorf("%s: %v", name, v)
		}
	}
}

func TestDegradingAfterTheDeadlineIsRefused(t *testing.T) {
	if _, err := hardened().Apply(map[string]string{"chat.degrade_at": "500ms"}, false); err == nil || !strings.Contains(err.Error(), "chat.degrade_at") {
		t.Errorf("degrade_at above the deadline: %v, want it refused", err)
	}
}

func TestProblemsOfKnobs(t *testing.T) {
	for _, c := range []struct {
		profile string
		set     map[string]string
		want    map[string]string
	}{
		{Hardened, nil, map[string]string{}},
		{"none", map[string]string{"x.y": "1"}, map[string]string{}},
		{Hardened, map[string]string{"x.y": "1", "redis.pool": "many", "llm.keepalive": "off"}, map[string]string{"x.y": "is not known", "redis.pool": `"many"`}},
		{Hardened, map[string]string{"redis.gather": "1s"}, map[string]string{"": "redis.gather: must be 0s to 100ms"}},
		// Together they are fine, whatever each is alone; and the other way round.
		{Hardened, map[string]string{"chat.degrade_at": "2s", "chat.deadline": "3s"}, map[string]string{}},
		{Hardened, map[string]string{"chat.degrade_at": "2s"}, map[string]string{"": "chat.degrade_at"}},
		{"article-0", map[string]string{"chat.degrade_at": "2s"}, map[string]string{}},
		// With these every customer's socket would be closed at the first ping.
		{Hardened, map[string]string{"customer.pong": "0s"}, map[string]string{"": "customer.pong"}},
		{Hardened, map[string]string{"customer.ping": "0s"}, map[string]string{"": "customer.ping"}},
		{Hardened, map[string]string{"customer.idle": "0s"}, map[string]string{}},
		{Hardened, map[string]string{"customer.max_sockets": "11000k"}, map[string]string{"": "customer.max_sockets"}},
	} {
		got := Problems(c.profile, c.set)
		for name, want := range c.want {
			if got[name] == nil || !strings.Contains(got[name].Error(), want) {
				t.Errorf("%s %v: %s is %v, want %s", c.profile, c.set, name, got[name], want)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s %v: %v, want %v", c.profile, c.set, got, c.want)
		}
	}
}
