package refserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

// redisProcess is a redis-server of a test's own.
type redisProcess struct {
	url, port, dir string
	args           []string
	cmd            *exec.Cmd
}

// realRedis starts a redis-server that keeps nothing, or skips.
func realRedis(t testing.TB) string {
	t.Helper()
	return startRedis(t, "--appendonly", "no").url
}

// startRedis starts a redis-server, or skips.
func startRedis(t testing.TB, args ...string) *redisProcess {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server here")
	}
	ln := listenLoopback(t)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ln.Close()
	p := &redisProcess{url: "redis://127.0.0.1:" + port, port: port, dir: t.TempDir()}
	p.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", p.dir}, args...)
	p.start(t)
	t.Cleanup(p.kill)
	return p
}

// start starts it, again too, and waits until it answers.
func (p *redisProcess) start(t testing.TB) {
	t.Helper()
	p.cmd = exec.Command("redis-server", p.args...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + p.port})
	defer c.Close()
	for end := time.Now().Add(30 * time.Second); c.Ping(t.Context()).Err() != nil; {
		if time.Now().After(end) {
			t.Fatal("redis-server does not answer")
		}
		time.Sleep(20 * time.Millisecond) // another process: nothing to wait on
	}
}

// kill ends it at once, whatever it is doing.
func (p *redisProcess) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // killed is no success
}

// tell gives it a command that it must obey.
func (p *redisProcess) tell(t testing.TB, command ...any) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + p.port, ReadTimeout: 30 * time.Second})
	defer c.Close()
	if err := c.Do(t.Context(), command...).Err(); err != nil {
		t.Fatalf("%v: %v", command, err)
	}
}

func (p *redisProcess) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// forget takes away what it wrote, while it is not running.
func (p *redisProcess) forget(t testing.TB) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(p.dir, "appendonlydir")); err != nil {
		t.Fatal(err)
	}
}

// What is seen from outside is the same on a real Redis as on the embedded one.
func TestRealRedisBehavesLikeTheEmbeddedOne(t *testing.T) {
	url := realRedis(t)
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
