package refserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// agentFrame is how many bytes of one message the server takes.
const agentFrame = 16 << 10

// rawSocket speaks WebSocket on a bare connection, byte by byte.
type rawSocket struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// upgradeRaw sends a request for an upgrade and returns the answer.
func upgradeRaw(t testing.TB, s *Server, head ...string) (*rawSocket, *http.Response) {
	t.Helper()
	return upgradeRawAt(t, s, "/v1/agent/ws", head...)
}

func upgradeRawAt(t testing.TB, s *Server, path string, head ...string) (*rawSocket, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", s.publicAddr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	lines := append([]string{"GET " + path + " HTTP/1.1", "Host: " + s.publicAddr}, head...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := &rawSocket{t, conn, bufio.NewReader(conn)}
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r, resp
}

func upgradeHead(token string) []string {
	return []string{
		"Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Protocol: other, cs.agent.v1", "Sec-WebSocket-Extensions: permessage-deflate", "Authorization: Bearer " + token,
	}
}

// rawAgent is an upgraded raw socket behind its hello.
func rawAgent(t testing.TB, s *Server) *rawSocket {
	t.Helper()
	r, resp := upgradeRaw(t, s, upgradeHead(tokenOf(t, "agent-1", "default", "agent"))...)
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || resp.Header.Get("Sec-Websocket-Protocol") != "cs.agent.v1" || resp.Header.Get("Sec-Websocket-Extensions") != "" {
		t.Fatalf("upgrade: %d %v", resp.StatusCode, resp.Header)
	}
	if op, body := r.frame(); op != 1 || !bytes.Contains(body, []byte(`"hello"`)) {
		t.Fatalf("first frame %d %q", op, body)
	}
	return r
}

// frame reads one frame of the server, which must not be masked.
func (r *rawSocket) frame() (op byte, body []byte) {
	r.t.Helper()
	op, body, err := r.tryFrame()
	if err != nil {
		r.t.Fatalf("read: %v", err)
	}
	return op, body
}

func (r *rawSocket) tryFrame() (op byte, body []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, err
	}
	if head[1]&0x80 != 0 || head[0]&0x70 != 0 {
		return 0, nil, fmt.Errorf("server sent header %x", head)
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(r.in, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(r.in, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err == nil {
		body = make([]byte, n)
		_, err = io.ReadFull(r.in, body)
	}
	return head[0] & 0x0f, body, err
}

// masked is a client's frame; first holds FIN, RSV and opcode.
func masked(first byte, body []byte) []byte {
	return maskedWithLength(first, uint64(len(body)), body)
}

// maskedWithLength claims any length, in the form it needs.
func maskedWithLength(first byte, length uint64, body []byte) []byte {
	b := []byte{first}
	switch {
	case length < 126:
		b = append(b, 0x80|byte(length))
	case length <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), length)
	}
	key := []byte{1, 2, 3, 4}
	b = append(b, key...)
	for i, c := range body {
		b = append(b, c^key[i%4])
	}
	return b
}

const (
	opFin  = 0x80
	opCont = 0
	opText = 1
	opBin  = 2
	opEnd  = 8
	opPing = 9
	opPong = 10
)

// closeCode reads up to the close frame; 0: the connection ended without one.
func (r *rawSocket) closeCode() int {
	for {
		op, body, err := r.tryFrame()
		if err != nil {
			return 0
		}
		if op == opEnd {
			if len(body) < 2 {
				return 1005
			}
			return int(binary.BigEndian.Uint16(body))
		}
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// What no client of the protocol sends ends the socket with the code that RFC
// 6455 has for it, and leaves nothing behind.
func TestHostileFramesEndTheSocket(t *testing.T) {
	big := bytes.Repeat([]byte("x"), agentFrame+1)
	unmasked := []byte{opFin | opText, 2, '{', '}'}
	cases := map[string]struct {
		send []byte
		want int
	}{
		"unmasked frame":                 {unmasked, 1002},
		"fragmented ping":                {masked(opPing, []byte("a")), 1002},
		"fragmented close":               {masked(opEnd, nil), 1002},
		"ping of 126 bytes":              {masked(opFin|opPing, big[:126]), 1002},
		"ping of 64-bit length":          {maskedWithLength(opFin|opPing, 1<<40, nil), 1002},
		"length with the sign bit":       {maskedWithLength(opFin|opText, 1<<63, nil), 1002},
		"64-bit length and no end":       {maskedWithLength(opFin|opText, 1<<40, big), 1009},
		"one byte over the limit":        {masked(opFin|opText, big), 1009},
		"over the limit in fragments":    {join(masked(opText, big[:agentFrame]), masked(opCont, nil), masked(opFin|opCont, []byte("x"))), 1009},
		"continuation of nothing":        {masked(opFin|opCont, []byte("{}")), 1002},
		"text within a text":             {join(masked(opText, []byte("{")), masked(opFin|opText, []byte("}"))), 1002},
		"compressed":                     {masked(opFin|0x40|opText, []byte{0xaa, 0x56, 0x00}), 1002},
		"RSV2":                           {masked(opFin|0x20|opText, []byte("{}")), 1002},
		"RSV3 on a close":                {masked(opFin|0x10|opEnd, nil), 1002},
		"opcode 3":                       {masked(opFin|3, []byte("{}")), 1002},
		"opcode 11":                      {masked(opFin|11, nil), 1002},
		"close of one byte":              {masked(opFin|opEnd, []byte{3}), 1002},
		"close with code 1005":           {masked(opFin|opEnd, []byte{3, 237}), 1002},
		"close with code 0":              {masked(opFin|opEnd, []byte{0, 0}), 1002},
		"close with code 5000":           {masked(opFin|opEnd, []byte{0x13, 0x88}), 1002},
		"binary":                         {masked(opFin|opBin, []byte(`{"type":"subscribe"}`)), 1003},
		"bad UTF-8":                      {masked(opFin|opText, []byte("{\"type\":\"\xff\"}")), 1007},
		"UTF-8 of a surrogate":           {masked(opFin|opText, []byte("{\"type\":\"\xed\xa0\x80\"}")), 1007},
		"character cut by fragments":     {join(masked(opText, []byte("{\"type\":\"\xe5")), masked(opFin|opCont, []byte("\x90\"}"))), 1007},
		"not JSON":                       {masked(opFin|opText, []byte("hello")), 1007},
		"empty":                          {masked(opFin|opText, nil), 1007},
		"two values":                     {masked(opFin|opText, []byte("{}{}")), 1007},
		"deep":                           {masked(opFin|opText, []byte(strings.Repeat("[", 16000))), 1007},
		"normal close":                   {masked(opFin|opEnd, []byte{3, 232}), 1000},
		"close without a code":           {masked(opFin|opEnd, nil), 1005},
		"close with a code of one's own": {masked(opFin|opEnd, join([]byte{0x0f, 0xa0}, []byte("bye"))), 4000},
		"goes without a word":            {nil, 0},
		"goes within a frame":            {maskedWithLength(opFin|opText, 100, []byte("{")), 0},
	}
	l := newScriptedLLM(t)
	ignore := goleak.IgnoreCurrent()
	s, err := Start(context.Background(), Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := rawAgent(t, s)
			if _, err := r.conn.Write(c.send); err != nil {
				t.Fatal(err)
			}
			if c.want == 0 {
				r.conn.Close()
				return
			}
			if got := r.closeCode(); got != c.want {
				t.Errorf("closed with %d, want %d", got, c.want)
			}
			_, _ = r.conn.Write(masked(opFin|opEnd, []byte{3, 232}))
			if n, err := io.Copy(io.Discard, r.in); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("after the close frame: %d bytes, %v", n, err)
			}
			r.conn.Close()
		})
	}
	waitFor(t, func() bool { return s.desk.Sockets() == 0 })
	if n := s.desk.OnDuty(); len(n) != 0 {
		t.Errorf("%v sockets still hear of tickets", n)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, ignore)
}

// Nobody may keep a socket half closed by sending on: the server's patience
// ends by the clock.
func TestACloseIsNotHeldUp(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	r := rawAgent(t, s)
	stopped := make(chan error)
	go func() {
		// A frame of a terabyte, sent for as long as anybody takes it.
		b := maskedWithLength(opFin|opText, 1<<40, bytes.Repeat([]byte("x"), 32<<10))
		for {
			if _, err := r.conn.Write(b); err != nil {
				stopped <- err
				return
			}
			b = b[:1024]
		}
	}()
	if got := r.closeCode(); got != 1009 {
		t.Errorf("closed with %d, want 1009", got)
	}
	var timeout net.Error
	if err := <-stopped; errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the server took it all: %v", err)
	}
	waitFor(t, func() bool { return s.desk.Sockets() == 0 })
}

// What is only unusual is answered.
func TestUnusualFramesAreAnswered(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	r := rawAgent(t, s)
	send := func(b ...[]byte) {
		t.Helper()
		if _, err := r.conn.Write(join(b...)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(op byte, body string) {
		t.Helper()
		if gotOp, got := r.frame(); gotOp != op || string(got) != body {
			t.Errorf("got %d %s, want %d %s", gotOp, got, op, body)
		}
	}
	send(masked(opFin|opPing, []byte("are you there")))
	want(opPong, "are you there")
	send(masked(opFin|opPong, []byte("nobody asked")))
	// A ping between fragments is answered before the message.
	send(masked(opText, []byte(`{"type":`)), masked(opFin|opPing, nil), masked(opCont, []byte(`"subsc`)), masked(opFin|opCont, []byte(`ribe","queues":["order"]}`)))
	want(opPong, "")
	want(opText, `{"type":"subscribed","queues":["order"],"waiting":0}`)
	full := `{"type":"dance","text":"` + strings.Repeat("x", agentFrame-len(`{"type":"dance","text":""}`)) + `"}`
	send(masked(opFin|opText, []byte(full)))
	want(opText, `{"type":"error","code":"unknown-type"}`)
	for sent, answer := range map[string]string{
		`{"type":"subscribe","queues":["gold"]}`: `{"type":"error","code":"unknown-queue"}`,
		`{"type":"subscribe","queues":"order"}`:  `{"type":"error","code":"bad-message"}`,
		`{"type":5}`:                             `{"type":"error","code":"bad-message"}`,
		`[]`:                                     `{"type":"error","code":"bad-message"}`,
		`{"type":"claim"}`:                       `{"type":"error","code":"not-found"}`,
		`{"type":"claim","ticket_id":"tkq:{default}:order"}`:              `{"type":"error","code":"not-found","ticket_id":"tkq:{default}:order"}`,
		`{"type":"claim","ticket_id":"` + strings.Repeat("a", 999) + `"}`: `{"type":"error","code":"not-found","ticket_id":"` + strings.Repeat("a", 64) + `"}`,
		`{"type":"reply","ticket_id":"` + testDialog + `","text":"x"}`:    `{"type":"error","code":"not-found","ticket_id":"` + testDialog + `"}`,
		`{"type":"subscribe","queues":["order","*","order"]}`:             `{"type":"subscribed","queues":["safety","payment","complaint","order","general"],"waiting":0}`,
		`{"type":"subscribe","queues":[]}`:                                `{"type":"subscribed","queues":[],"waiting":0}`,
		`{"type":"subscribe","queues":["order","order"]}`:                 `{"type":"subscribed","queues":["order"],"waiting":0}`,
	} {
		send(masked(opFin|opText, []byte(sent)))
		want(opText, answer)
	}
	send(masked(opFin|opEnd, []byte{3, 232}))
	if got := r.closeCode(); got != 1000 {
		t.Errorf("closed with %d, want 1000", got)
	}
}
