package driver

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// librarySocket starts a chat server on a library from npm and gives its address.
func librarySocket(t *testing.T, library string) string {
	t.Helper()
	dir := filepath.Join("testdata", "socket-servers")
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed: make deps")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", library)); err != nil {
		t.Skip("the libraries from npm are not installed: make deps")
	}
	cmd := exec.CommandContext(t.Context(), "node", "server.mjs", library)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait() //nolint:errcheck // it ends with its input, or is killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(line)
}

// mappedAt is a driver of the server at url, by a target as a scenario writes it.
func mappedAt(t testing.TB, url, target string) Driver {
	t.Helper()
	text := "version: 1\nname: x\nload: {users: 1, for: 1s}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n" +
		"target:\n  url: " + url + "\n  api: custom\n  mode: websocket\n" + indented(target)
	s, err := scenario.Parse("x.yaml", []byte(text), scenario.Options{Dir: "testdata"})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	d, err := New(&s.Target, Options{Base: time.Now(), RunID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

var toldTurns atomic.Int64

// told has one turn after the other, each with an id of its own.
func told(line Channel, texts ...string) string {
	var all []string
	for i, text := range texts {
		var r Reply
		line.Do(&Turn{Text: []byte(text), Index: i, TurnID: fmt.Appendf(nil, "t-%d", toldTurns.Add(1))}, &r)
		switch {
		case r.Reason != Complete:
			all = append(all, "! "+r.Message)
		case r.Status >= 300:
			all = append(all, fmt.Sprintf("%d %s", r.Status, r.Code))
		default:
			all = append(all, string(r.Answer))
		}
		line.Free(&r)
	}
	return strings.Join(all, " | ")
}

func checkTold(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// resting lets a socket wait for its next turn for several of its server's pings.
func resting() { time.Sleep(time.Second) } // the servers' own clock is what is waited for

// The server library ws: its pings between two turns and within one, its refusal at
// the upgrade, its close codes, late, second and unasked messages.
func TestLibraryWS(t *testing.T) {
	url := librarySocket(t, "ws")
	d := mappedAt(t, url, `
timeout: 300ms
socket:
  path: "/?token=secret"
  subprotocols: [chat.v1]
  first: [{name: join, body: {type: join}, is_answer: {path: type, equals: joined}, save: {seat: seat}}]
request: {body: {type: say, text: "${turn.text}", id: "${turn.id}", seat: "${saved.seat}"}}
response: {is_answer: {path: type, equals: reply}, error: {path: type, equals: failed}, error_message: message, turn_id: turn, answer: text}
`)
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	checkTold(t, told(line, "a", "error", "b"), "you said: a | ! backend down | you said: b")
	resting()
	checkTold(t, told(line, "c"), "you said: c")
	if n := d.Traffic(); n.SocketsOpened != 1 {
		t.Errorf("%+v: the socket did not live through its server's pings", n)
	}
	checkTold(t, told(line, "late", "d", "never", "twice", "e", "unasked"), "! no whole answer within the timeout | you said: d | ! no whole answer within the timeout | twice | you said: e | unasked")
	eventually(t, "late, second and unasked messages are counted", func() bool {
		n := d.Traffic()
		return n.LateAnswers == 1 && n.RepeatedAnswers == 1 && n.Unsolicited == 1
	})
	if n := d.Traffic(); n.SocketsOpened != 1 {
		t.Errorf("%+v: a turn that timed out cost the socket, though answers name their turn", n)
	}
	checkTold(t, told(line, "close", "f", "gone", "g"), "! closed by the server with code 1013 | you said: f | ! connection closed by the server before the answer was whole | you said: g")
	if n := d.Traffic(); n.SocketsOpened != 3 || n.SocketsReopened != 2 {
		t.Errorf("%+v", n)
	}
	refused := mappedAt(t, url, "socket: {path: \"/?token=wrong\"}\nrequest: {body: {text: \"${turn.text}\"}}\nresponse: {answer: text}")
	line = refused.Open(&User{ID: "u"})
	defer line.Close()
	checkTold(t, told(line, "a"), "401 token")
}

// The server library socket.io: a namespace with a token, a room joined with an
// acknowledgement, events to it, pieces, attachments, heartbeats of engine.io.
func TestLibrarySocketIO(t *testing.T) {
	url := librarySocket(t, "socket.io")
	const socketIO = `
timeout: 1s
socket:
  protocol: socket.io
  namespace: /chat
  auth: {token: secret}
  first: [{name: join, event: join, body: {room: "${user.id}"}, ack: true, ok: joined, save: {seat: seat}}]
`
	d := mappedAt(t, url, socketIO+`
request: {event: say, body: {text: "${turn.text}", id: "${turn.id}", room: "${user.id}"}}
response: {is_answer: {path: "socket:event", equals: reply}, error: {path: "socket:event", equals: failed}, error_message: message, turn_id: turn, answer: text}
`)
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	checkTold(t, told(line, "a", "error", "binary", "receipt"), `you said: a | ! backend down | you said: binary | acknowledged with null`)
	resting()
	checkTold(t, told(line, "b", "twice", "c"), "you said: b | twice | you said: c")
	if n := d.Traffic(); n.SocketsOpened != 1 || n.RepeatedAnswers != 1 {
		t.Errorf("%+v: the socket did not live through its server's pings", n)
	}
	checkTold(t, told(line, "leave", "d", "gone", "e"), "! disconnected from its namespace by the server | you said: d | ! disconnected from its namespace by the server | you said: e")

	d = mappedAt(t, url, socketIO+`
request: {event: say, body: {text: "${turn.text}", id: "${turn.id}", room: "${user.id}"}}
response: {stream: {delta: text, delta_when: {path: "socket:event", equals: delta}, done: reply}}
`)
	line = d.Open(&User{ID: "v"})
	defer line.Close()
	checkTold(t, told(line, "pieces", "pieces"), "abc | abc")
}

// An acknowledgement as the answer says by its number whose it is.
func TestLibrarySocketIOAcknowledgement(t *testing.T) {
	url := librarySocket(t, "socket.io")
	d := mappedAt(t, url, `
timeout: 300ms
socket: {protocol: socket.io, namespace: /chat, auth: {token: secret}}
request: {event: ask, ack: true, body: {text: "${turn.text}"}}
response: {answer: text}
`)
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	checkTold(t, told(line, "a", "late", "b", "never", "c"), "you said: a | ! no whole answer within the timeout | you said: b | ! no whole answer within the timeout | you said: c")
	if n := d.Traffic(); n.LateAnswers != 1 || n.SocketsOpened != 1 {
		t.Errorf("%+v", n)
	}
	refused := mappedAt(t, url, `
socket: {protocol: socket.io, namespace: /chat, auth: {token: wrong}}
request: {event: ask, ack: true, body: {text: "${turn.text}"}}
response: {answer: text}
`)
	line = refused.Open(&User{ID: "u"})
	defer line.Close()
	checkTold(t, told(line, "a"), "! socket.io: the server refuses the connection: not authorized")
}
