package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
)

// slowness is how long a server that is slow now and then takes.
const slowness = 900 * time.Millisecond

// wait is the fault under test.
func wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	<-t.C
}

// lateListener has the server begin with every so many connections only after a while:
// what the client sees is a TLS handshake that takes so long.
type lateListener struct {
	net.Listener
	every, n atomic.Int64
}

func (l *lateListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.n.Add(1)%l.every.Load() == 0 {
		return &lateConn{Conn: c}, nil
	}
	return c, err
}

type lateConn struct {
	net.Conn
	once sync.Once
}

func (c *lateConn) Read(b []byte) (int, error) {
	c.once.Do(func() { wait(slowness) })
	return c.Conn.Read(b)
}

// asked is what the server of TestSlowestTurnsAreExplained is sent.
type asked struct {
	Turn string `json:"turn"`
}

// A server that is slow now and then, each time in another thing, is explained so: by
// the phase, its own word, and what the slow turns have in common.
func TestSlowestTurnsAreExplained(t *testing.T) {
	t.Parallel()
	now := func(n *atomic.Int64, every int64) bool { return n.Add(1)%every == 0 }
	answer := func(w http.ResponseWriter, more string) { fmt.Fprintf(w, `{"answer": "券可以用"%s}`, more) }
	thirdTurn := func(n *atomic.Int64, w http.ResponseWriter, q asked) {
		spent := time.Duration(0)
		if q.Turn == "2" && now(n, 8) {
			spent = slowness
			wait(spent)
		}
		w.Header().Set("Server-Timing", fmt.Sprintf(`redis;dur=0.1, llm;desc="the model, asked";dur=%d`, spent.Milliseconds()))
		answer(w, "")
	}
	thirdSays := []string{"waiting for the first byte", `of their time to "llm": `, "are turn 3 of a conversation"}
	for _, c := range []struct {
		name    string
		version string // of HTTP, over TLS
		target  string // more of the scenario's target
		serve   func(n *atomic.Int64, w http.ResponseWriter, q asked)
		late    int64 // every so many connections have a late handshake
		says    []string
		zh      []string
		// alone: nothing is said to be common to them.
		alone bool
	}{
		{name: "third turn", version: "1.1", serve: thirdTurn, says: thirdSays, zh: []string{"的时间用于等待首字节", `服务端自报其中`, "是会话的第 3 轮"}},
		{name: "third turn over HTTP 2", version: "2", serve: thirdTurn, says: thirdSays, zh: []string{"是会话的第 3 轮"}},
		{
			name: "TLS handshake", version: "1.1", target: "  connections: per-user\n", late: 12,
			serve: func(_ *atomic.Int64, w http.ResponseWriter, _ asked) { answer(w, "") },
			says:  []string{"of their time connecting (DNS, TCP, TLS): 9", "are turn 1 of a conversation"}, zh: []string{"的时间用于建立连接（DNS、TCP、TLS）"},
		},
		{
			name: "first byte", version: "1.1", alone: true,
			serve: func(n *atomic.Int64, w http.ResponseWriter, _ asked) {
				if now(n, 25) {
					wait(slowness)
				}
				answer(w, "")
			},
			says: []string{"of their time waiting for the first byte: 9"}, zh: []string{"的时间用于等待首字节：每轮 9"},
		},
		{
			name: "body", version: "1.1", alone: true,
			serve: func(n *atomic.Int64, w http.ResponseWriter, _ asked) {
				fmt.Fprint(w, `{"answer": "券可`)
				if now(n, 25) {
					_ = http.NewResponseController(w).Flush() // a client that is gone fails its own turn
					wait(slowness)
				}
				fmt.Fprint(w, `以用"}`)
			},
			says: []string{"of their time between the first byte and the last: 9"}, zh: []string{"的时间用于从首字节到末字节：每轮 9"},
		},
		{
			name: "one tier", version: "1.1",
			serve: func(n *atomic.Int64, w http.ResponseWriter, _ asked) {
				switch at := n.Add(1); {
				case at%25 == 0:
					wait(slowness)
					answer(w, `, "src": "agent"`)
				case at%10 == 0:
					answer(w, `, "src": "agent"`)
				default:
					answer(w, `, "src": "model"`)
				}
			},
			says: []string{"of their time waiting for the first byte: 9", "100 % of them were answered by handoff"}, zh: []string{"100 % 由转人工应答"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var q asked
				if err := json.NewDecoder(r.Body).Decode(&q); err != nil && r.Method == http.MethodPost {
					http.Error(w, err.Error(), http.StatusBadRequest)
					return
				}
				c.serve(&n, w, q)
			}))
			s.EnableHTTP2 = c.version == "2"
			if c.late > 0 {
				l := &lateListener{Listener: s.Listener}
				l.every.Store(c.late)
				s.Listener = l
			}
			s.StartTLS()
			t.Cleanup(s.Close)
			dir := t.TempDir()
			file := write(t, fmt.Sprintf(`version: 1
name: slow-now-and-then
target:
  url: %s
  http: %q
  tls: {insecure: true}
  api: custom
  request: {path: /, body: {text: "${turn.text}", turn: "${turn.index}"}}
  response: {answer: answer, tier: {from: src, map: {model: llm, agent: handoff}}}
%sload: {stages: [{name: all, for: 4s, starts: 45/s}]}
conversations:
  - name: 退货
    turns: [{say: 优惠券怎么用}, {say: 我要退货}, {say: 优惠券还能用吗}]
sla: {latency: {p99: 100ms}}
`, s.URL, c.version, c.target))
			if got := measured(t, "run", file, "--no-tui", "--quiet", "--results-dir", dir); got.code != 10 && got.code != 11 {
				t.Fatalf("exit %d: %s%s", got.code, got.stdout, got.stderr)
			}
			slowest := open(t, dir).Slowest
			if slowest == nil {
				t.Fatal("nothing is said")
			}
			zh := strings.Join(slowest.ReasonCodes.Texts(reason.Chinese), "；")
			for said, wants := range map[string][]string{slowest.Text: c.says, zh: c.zh} {
				for _, want := range wants {
					if !strings.Contains(said, want) {
						t.Errorf("no %q in %q", want, said)
					}
				}
			}
			if c.alone && len(slowest.Together) > 0 {
				t.Errorf("together: %+v", slowest.Together)
			}
		})
	}
}

// jobs is a server that takes turns and is polled for their answers; late tells which
// turn, from 1, waits in its queue, and which login takes long.
func jobs(late func(login bool, n int64) bool) http.Handler {
	var logins, turns atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) {
		if late(true, logins.Add(1)) {
			wait(slowness)
		}
		fmt.Fprint(w, `{"token": "t"}`)
	})
	var queued sync.Map // jobs by path, when each is done
	mux.HandleFunc("POST /chat", func(w http.ResponseWriter, _ *http.Request) {
		n, done := turns.Add(1), time.Now()
		if late(false, n) {
			done = done.Add(slowness)
		}
		path := fmt.Sprintf("/jobs/%d", n)
		queued.Store(path, done)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"job": %q}`, path)
	})
	mux.HandleFunc("GET /jobs/{n}", func(w http.ResponseWriter, r *http.Request) {
		done, _ := queued.Load(r.URL.Path)
		if at, ok := done.(time.Time); !ok || time.Now().Before(at) {
			fmt.Fprint(w, `{"state": "waiting"}`)
			return
		}
		n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
		spent := time.Duration(0)
		if err == nil && late(false, n) {
			spent = slowness
		}
		w.Header().Set("Server-Timing", fmt.Sprintf("queue;dur=%d", spent.Milliseconds()))
		fmt.Fprint(w, `{"state": "finished", "answer": "券可以用"}`)
	})
	return mux
}

// What lies before a turn is not the turn's: a slow login is told of by itself. What a
// job waits for in a queue is the turn's, and the server's own word says what it was.
func TestSlowLoginsAndQueuesAreExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		late     func(login bool, n int64) bool
		says     []string // of the slowest turns
		warns    string
		excluded bool // nothing of the slowness is in any turn
	}{
		{
			name: "login", late: func(login bool, n int64) bool { return login && n%12 == 0 },
			warns: "slowest 9", excluded: true,
		},
		{
			name: "queue", late: func(login bool, n int64) bool { return !login && n%25 == 0 },
			says: []string{"of their time between the first byte and the last: ", `of their time to "queue": 900 ms each, all others 0 s`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(jobs(c.late))
			t.Cleanup(s.Close)
			dir := t.TempDir()
			file := write(t, fmt.Sprintf(`version: 1
name: slow-now-and-then
target:
  url: %s
  api: custom
  mode: async
  login: {path: /login, body: {user: "${user.id}"}, save: {token: token}}
  auth: {bearer: "${login.token}"}
  request: {path: /chat, body: {text: "${turn.text}"}}
  response: {answer: answer, job: {url: job, status: state, done: finished}}
load: {stages: [{name: all, for: 4s, starts: 45/s}]}
conversations:
  - name: 退货
    turns: [{say: 优惠券怎么用}, {say: 我要退货}, {say: 优惠券还能用吗}]
sla: {latency: {p99: 500ms}}
`, s.URL))
			if got := measured(t, "run", file, "--no-tui", "--quiet", "--results-dir", dir); got.code != 10 && got.code != 11 && got.code != 0 {
				t.Fatalf("exit %d: %s%s", got.code, got.stdout, got.stderr)
			}
			doc := open(t, dir)
			said := ""
			if doc.Slowest != nil {
				said = doc.Slowest.Text
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in %q", want, said)
				}
			}
			if c.excluded && doc.Slowest != nil && time.Duration(doc.Slowest.FromNs) > slowness/2 {
				t.Errorf("turns of %s are told of: %s", time.Duration(doc.Slowest.FromNs), said)
			}
			if told := strings.Join(doc.Warnings, "\n"); !strings.Contains(told, c.warns) {
				t.Errorf("no %q in %q", c.warns, told)
			}
		})
	}
}
