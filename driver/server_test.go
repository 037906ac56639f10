package driver

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// chatServer is a chat system for tests: it keeps dialogs, speaks every framing,
// and does what a turn's text asks it to.
type chatServer struct {
	*httptest.Server
	ca    string // file with its certificate
	turns atomic.Int64
	conns atomic.Int64
	hold  chan struct{} // closed: held turns go on
	desk  *deskServer
	asked atomic.Int64 // tickets

	mu      sync.Mutex
	dialogs map[string][]string
	jobs    map[string]string
}

func newChatServer(t testing.TB, secure bool) *chatServer {
	t.Helper()
	s := &chatServer{dialogs: map[string][]string{}, jobs: map[string]string{}, hold: make(chan struct{}), desk: newDesk(t)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat", s.sync)
	mux.HandleFunc("POST /v1/chat/stream", s.stream)
	mux.HandleFunc("POST /v1/chat/async", s.async)
	mux.HandleFunc("GET /v1/jobs/{id}", s.job)
	mux.HandleFunc("POST /v1/chat/completions", s.openai)
	mux.Handle("GET /v1/agent/ws", s.desk)
	s.Server = httptest.NewUnstartedServer(mux)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.Protocols.SetHTTP2(true)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	if secure {
		s.StartTLS()
		s.ca = filepath.Join(t.TempDir(), "ca.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
		if err := os.WriteFile(s.ca, block, 0o600); err != nil {
			t.Fatal(err)
		}
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		select {
		case <-s.hold:
		default:
			close(s.hold)
		}
		s.Close()
	})
	return s
}

// say keeps the turn and gives the answer: what was said so far in the dialog.
func (s *chatServer) say(r *http.Request, text, dialog string) (id, answer string, n int) {
	s.turns.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if id = dialog; id == "" {
		id = fmt.Sprintf("%032x", len(s.dialogs)+1)
	}
	s.dialogs[id] = append(s.dialogs[id], text)
	return id, fmt.Sprintf("听到 %q", s.dialogs[id]), len(s.dialogs[id])
}

type chatRequest struct {
	DialogID string `json:"dialog_id"`
	TurnID   string `json:"turn_id"`
	Text     string `json:"text"`
}

// read decodes a turn and does what its text asks for; false: the answer is given.
func (s *chatServer) read(w http.ResponseWriter, r *http.Request) (q chatRequest, ok bool) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &q)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return q, false
	}
	switch {
	case strings.HasPrefix(q.Text, "refuse"):
		s.turns.Add(1)
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"code":"shed","trace_id":"x"}`)
	case strings.HasPrefix(q.Text, "hold"):
		s.turns.Add(1)
		select {
		case <-s.hold:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	case strings.HasPrefix(q.Text, "abort"):
		s.turns.Add(1)
		panic(http.ErrAbortHandler)
	case strings.HasPrefix(q.Text, "huge"):
		s.turns.Add(1)
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 << 10 {
			if _, err := w.Write([]byte(": " + strings.Repeat("x", 1021) + "\n")); err != nil {
				return q, false
			}
		}
	case strings.HasPrefix(q.Text, "moved"):
		s.turns.Add(1)
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
	case strings.HasPrefix(q.Text, "html"):
		s.turns.Add(1)
		fmt.Fprint(w, "<html>welcome</html>")
	default:
		return q, true
	}
	return q, false
}

func (s *chatServer) sync(w http.ResponseWriter, r *http.Request) {
	q, ok := s.read(w, r)
	if !ok {
		return
	}
	id, answer, n := s.say(r, q.Text, q.DialogID)
	w.Header().Set("Set-Cookie", "a=b")
	ticket := fmt.Sprintf("t%d", s.asked.Add(1))
	s.desk.open(ticket, q.Text)
	s.answer(w, id, answer, q.TurnID, ticket, n)
}

func (s *chatServer) answer(w io.Writer, id, answer, turn, ticket string, n int) {
	json.NewEncoder(w).Encode(map[string]any{ //nolint:errcheck // the client may be gone
		"ticket":    map[string]any{"id": ticket, "eta_s": 30},
		"dialog_id": id, "answer": answer, "tier": "llm", "degraded": false, "source": "llm", "turn_id": turn,
		"context": map[string]any{"status": "ok", "turns": n},
	})
}

func (s *chatServer) stream(w http.ResponseWriter, r *http.Request) {
	q, ok := s.read(w, r)
	if !ok {
		return
	}
	id, answer, n := s.say(r, q.Text, q.DialogID)
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	fmt.Fprintf(w, ": hello\n\nevent: meta\ndata: {\"dialog_id\":%q,\"turn_id\":%q}\n\n", id, q.TurnID)
	for i, c := range []rune(answer) {
		if strings.HasPrefix(q.Text, "cut") && i == 3 {
			return
		}
		if strings.HasPrefix(q.Text, "fail") && i == 3 {
			fmt.Fprint(w, "event: error\ndata: {\"code\":\"llm\",\"title\":\"model gone\"}\n\n")
			return
		}
		if strings.HasPrefix(q.Text, "gap") && i == 3 {
			continue
		}
		text, _ := json.Marshal(string(c))
		fmt.Fprintf(w, "event: delta\ndata: {\"i\":%d,\"text\":%s}\n\n", i, text)
		w.(http.Flusher).Flush()
	}
	fmt.Fprintf(w, "event: tier\ndata: {\"tier\":\"llm\"}\n\nevent: done\ndata: {\"tier\":\"llm\",\"degraded\":false,\"source\":\"llm\",\"context\":{\"status\":\"ok\",\"turns\":%d}}\n\n", n)
}

func (s *chatServer) async(w http.ResponseWriter, r *http.Request) {
	q, ok := s.read(w, r)
	if !ok {
		return
	}
	id, answer, n := s.say(r, q.Text, q.DialogID)
	var b strings.Builder
	s.answer(&b, id, answer, q.TurnID, "t", n)
	s.mu.Lock()
	job := fmt.Sprint(len(s.jobs))
	s.jobs[job] = b.String()
	s.mu.Unlock()
	w.Header().Set("Location", "/v1/jobs/"+job)
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"dialog_id":%q,"status":"queued"}`, id)
}

func (s *chatServer) job(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PathValue("id")
	if first, ok := s.jobs[id+"asked"]; !ok {
		s.jobs[id+"asked"] = first
		fmt.Fprint(w, `{"status":"running"}`)
		return
	}
	fmt.Fprintf(w, `{"status":"done","result":%s}`, s.jobs[id])
}

func (s *chatServer) openai(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Model    string
		Stream   bool
		Messages []struct{ Role, Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Model != "m1" {
		http.Error(w, `{"error":{"message":"bad","type":"invalid_request_error","code":null}}`, http.StatusBadRequest)
		return
	}
	s.turns.Add(1)
	var said []string
	for i, m := range q.Messages {
		if m.Role == "user" {
			said = append(said, m.Content)
		}
		if want := [2]string{"user", "assistant"}[i%2]; m.Role != want {
			http.Error(w, `{"error":{"message":"roles","type":"invalid_request_error"}}`, http.StatusBadRequest)
			return
		}
	}
	answer := fmt.Sprintf("听到 %q", said)
	if !q.Stream {
		text, _ := json.Marshal(answer)
		fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":%s}}]}`, text)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n")
	for _, c := range answer {
		text, _ := json.Marshal(string(c))
		fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%s}}]}\n\n", text)
		w.(http.Flusher).Flush()
	}
	fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{}}\n\ndata: [DONE]\n\n")
}

// way is one way to talk to a chatServer.
type way struct {
	name   string
	target scenario.Target
}

// wires are all of them: HTTP version, mode, policy.
func wires(t testing.TB) ([]way, [2]*chatServer) {
	t.Helper()
	servers := [2]*chatServer{newChatServer(t, false), newChatServer(t, true)}
	var all []way
	for _, version := range []string{"1.1", "1.1 tls", "h2c", "2"} {
		for _, mode := range []string{"sync", "stream", "async", "agents"} {
			if mode == "agents" && !strings.HasPrefix(version, "1.1") {
				continue
			}
			for _, policy := range []string{"per-user", "per-conversation", "per-turn", "shared"} {
				target := scenario.Target{Mode: scenario.Mode(mode), Connections: scenario.Connections(policy), Pool: 2, Timeout: unit.Duration(5 * time.Second), URL: servers[0].URL, HTTP: scenario.HTTPVersion(version)}
				if version == "1.1 tls" || version == "2" {
					target.URL, target.TLS = servers[1].URL, &scenario.TLS{CA: servers[1].ca}
				}
				if version == "1.1 tls" {
					target.HTTP = "1.1"
				}
				all = append(all, way{version + " " + mode + " " + policy, target})
			}
		}
	}
	return all, servers
}
