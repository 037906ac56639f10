package mockllm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/unit"
)

func TestMain(m *testing.M) {
	if config := os.Getenv(childConfig); config != "" {
		if err := serveChild(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { os.Exit(code) }))
}

const (
	chatPath = "/v1/chat/completions"
	textPath = "/v1/completions"
	hello    = `{"model":"m","messages":[{"role":"user","content":"你好"}]}`
	helloSSE = `{"model":"m","stream":true,"messages":[{"role":"user","content":"你好"}]}`
)

// dialer opens a connection to a server under test.
type dialer func(t *testing.T) net.Conn

// tcp starts a server and dials it over real sockets.
func tcp(t *testing.T, cfg Config) (*Server, dialer) {
	t.Helper()
	s := RunT(t, cfg)
	return s, func(t *testing.T) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", s.listen.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

// piped starts a server without sockets, for fake time. The caller closes it.
func piped(t *testing.T, cfg Config) (*Server, dialer) {
	t.Helper()
	set, err := newSetup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(set)
	s.apply(set, 0)
	s.spawn(func() { s.schedule.Run(s.done) })
	s.public = transport.Serve(nil, handler{s})
	return s, func(t *testing.T) net.Conn {
		t.Helper()
		client, server := net.Pipe()
		s.public.ServeConn(server)
		return client
	}
}

// stop ends a piped server.
func (s *Server) stop() {
	close(s.done)
	s.public.Close()
	s.work.Wait()
}

// send writes a request as HTTP/1.1.
func send(t *testing.T, c net.Conn, method, path, body string, headers ...string) {
	t.Helper()
	if _, err := io.WriteString(c, wireForm(method, path, body, headers...)); err != nil {
		t.Fatal(err)
	}
}

func wireForm(method, path, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: mock\r\nContent-Length: %d\r\n", method, path, len(body))
	for i := 0; i < len(headers); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", headers[i], headers[i+1])
	}
	return b.String() + "\r\n" + body
}

// answerOf reads one response completely; err is that of reading the body.
func answerOf(t *testing.T, r *bufio.Reader) (*http.Response, string, error) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("response: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	return res, string(body), err
}

// ask sends one request on a connection of its own and reads the answer.
func ask(t *testing.T, dial dialer, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	c := dial(t)
	defer c.Close()
	send(t, c, "POST", path, body, headers...)
	res, text, err := answerOf(t, bufio.NewReader(c))
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	return res, text
}

// events splits an event stream into the data of its events; it fails on any
// byte that is not "data: ...\n\n".
func events(t *testing.T, stream string) []string {
	t.Helper()
	var out []string
	for stream != "" {
		event, rest, ok := strings.Cut(stream, "\n\n")
		data, isData := strings.CutPrefix(event, "data: ")
		if !ok || !isData || strings.Contains(data, "\n") {
			t.Fatalf("not an event: %q", event)
		}
		out = append(out, data)
		stream = rest
	}
	return out
}

// chunk is a streamed or plain completion of either API.
type chunk struct {
	ID      string
	Object  string
	Model   string
	Choices []struct {
		Text    *string
		Delta   map[string]any
		Message struct {
			Role, Content string
		}
		FinishReason *string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
}

func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// said puts the content of a stream's events together.
func said(t *testing.T, list []string) string {
	t.Helper()
	var b bytes.Buffer
	for _, e := range list {
		if e == "[DONE]" {
			continue
		}
		for _, c := range parse[chunk](t, e).Choices {
			if text, ok := c.Delta["content"].(string); ok {
				b.WriteString(text)
			}
			if c.Text != nil {
				b.WriteString(*c.Text)
			}
		}
	}
	return b.String()
}

// trace is the traceparent of turn i.
func trace(i int) string { return fmt.Sprintf("00-%032x-%016x-01", i+1, i+1) }

// records reads the whole journal.
func records(s *Server) []Record {
	list, _ := s.Journal(0, 1<<20)
	return list
}

func ms(n int) unit.Duration { return unit.Duration(n) * 1e6 }

const (
	turnA = "0af7651916cd43dd8448eb211c80319c"
	turnB = "1bf7651916cd43dd8448eb211c80319c"
)

var errTimeout = os.ErrDeadlineExceeded

// waitFor polls for a condition that another goroutine brings about.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("condition not met within 10s")
		}
	}
}

// roundTrip sends a request with a client and reads the whole answer.
func roundTrip(t *testing.T, client *http.Client, req *http.Request) (string, *http.Response) {
	t.Helper()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), res
}

// testSetup is the setup of a server without configuration.
func testSetup(t *testing.T) *setup {
	t.Helper()
	set, err := newSetup(Config{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
