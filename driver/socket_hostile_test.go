package driver

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// rawSocket serves connections one after the other: handshake is written in answer to
// the upgrade, with the right Sec-WebSocket-Accept for %s, and then behind each
// message what say writes.
func rawSocket(t testing.TB, handshake string, say func(c net.Conn, n int)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	serve := func(c net.Conn) {
		defer c.Close()
		in := bufio.NewReader(c)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		text := handshake
		if strings.Contains(text, "%s") {
			sum := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
			text = fmt.Sprintf(text, base64.StdEncoding.EncodeToString(sum[:]))
		}
		io.WriteString(c, text) //nolint:errcheck // the client may be gone
		for n := 0; ; n++ {
			if op, _, err := clientFrame(in); err != nil || op == 8 {
				return
			}
			say(c, n)
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return "http://" + l.Addr().String()
}

const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"

// socketTarget answers with the text of the first message.
func socketTarget(url string) *scenario.Target {
	return &scenario.Target{
		URL: url, API: scenario.APICustom, Mode: scenario.ModeWebSocket,
		Socket:   &scenario.Socket{Path: "/", Protocol: scenario.PlainMessages},
		Request:  &scenario.Request{As: scenario.AsText, Body: []byte(`"${turn.text}"`)},
		Response: &scenario.Response{Answer: "text"},
	}
}

// What servers do that they must not, and what a turn over it is.
func TestHostileSockets(t *testing.T) {
	const good = `{"text":"ok"}`
	for _, tt := range []struct {
		name, handshake, frames string
		reason                  Reason
		message                 string
		status                  int
	}{
		{"a good answer", "", frame(0x81, good), Complete, "", 101},
		{"pings before it", "", strings.Repeat(frame(0x89, "x"), 900) + frame(0x81, good), Complete, "", 101},
		{"in pieces, with a ping among them", "", frame(0x01, `{"te`) + frame(0x89, "") + frame(0x00, `xt":`) + frame(0x80, `"ok"}`), Complete, "", 101},
		{"binary", "", frame(0x82, good), Complete, "", 101},
		{"a flood of pings", "", strings.Repeat(frame(0x89, ""), 2000), Broken, "protocol error: too many control frames in a row", 101},
		{"a masked frame", "", "\x81\x8d\x00\x00\x00\x00" + good, Broken, "protocol error: a masked frame from the server", 101},
		{"compressed", "", frame(0xc1, good), Broken, "protocol error: a frame with reserved bits set, though no extension was agreed on", 101},
		{"an unknown opcode", "", frame(0x83, good), Broken, "protocol error: a frame of an unknown opcode", 101},
		{"an unknown control frame", "", frame(0x8b, ""), Broken, "protocol error: a frame of an unknown opcode", 101},
		{"a ping in pieces", "", frame(0x09, "a"), Broken, "protocol error: a control frame that is longer than 125 bytes or in pieces", 101},
		{"a long ping", "", frame(0x89, strings.Repeat("a", 126)), Broken, "protocol error: a control frame that is longer than 125 bytes or in pieces", 101},
		{"a continuation of nothing", "", frame(0x80, good), Broken, "protocol error: frames of a message out of order", 101},
		{"a message within one", "", frame(0x01, "a") + frame(0x81, good), Broken, "protocol error: frames of a message out of order", 101},
		{"a length that is too long for it", "", "\x81\x7e\x00\x0d" + good, Broken, "protocol error: a frame whose length is not written as it must be", 101},
		{"a length of 2^63", "", "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", Broken, "protocol error: a frame whose length is not written as it must be", 101},
		{"a message of a terabyte", "", "\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00", Oversized, "a message is longer than the limit", 101},
		{"a message too long in pieces", "", strings.Repeat(frame(0x01, strings.Repeat("a", 60_000))[:0], 1) + frame(0x01, strings.Repeat("a", 60_000)) + strings.Repeat(frame(0x00, strings.Repeat("a", 60_000)), 20), Oversized, "a message is longer than the limit", 101},
		{"empty frames without end", "", frame(0x01, "") + strings.Repeat(frame(0x00, ""), 5000), Broken, "protocol error: a message of too many frames", 101},
		{"no UTF-8", "", frame(0x81, "{\"text\":\"\xff\"}"), Broken, "protocol error: a text message that is not UTF-8", 101},
		{"a close code that none may have", "", frame(0x88, "\x03\xed"), Broken, "protocol error: a close frame with a code that none may have", 101},
		{"a close of one byte", "", frame(0x88, "\x03"), Broken, "protocol error: a close frame with a code that none may have", 101},
		{"closed with 1013", "", frame(0x88, "\x03\xf5try later"), Broken, "closed by the server with code 1013", 101},
		{"closed without a code", "", frame(0x88, ""), Broken, "closed by the server", 101},
		{"no JSON", "", frame(0x81, "<html>"), Malformed, "the answer is a page of HTML or XML, not a JSON document", 101},
		{"nothing in it", "", frame(0x81, `{"x":1}`), Malformed, "no answer in the response: there is no text at text", 101},
		{"two answers", "", frame(0x81, good) + frame(0x81, good), Complete, "", 101},

		{"503", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 15\r\n\r\n{\"code\":\"shed\"}", "", Complete, "", 503},
		{"401", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "", Complete, "", 401},
		{"a redirect", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", "", Complete, "", 302},
		{"200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "", Malformed, "the upgrade was answered with a status below 300, and no socket", 200},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "", Broken, "protocol error: the upgrade: it switches to another protocol than websocket", 101},
		{"a wrong key", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "", Broken, "protocol error: the upgrade: its Sec-WebSocket-Accept is not the one for our key", 101},
		{"compression unasked", switching + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "", Broken, "protocol error: the upgrade: it chooses an extension that was not offered", 101},
		{"a subprotocol unasked", switching + "Sec-WebSocket-Protocol: x\r\n\r\n", "", Broken, "protocol error: the upgrade: it chooses a subprotocol that was not offered", 101},
		{"headers without end", "HTTP/1.1 101 Switching Protocols\r\n" + strings.Repeat("X: y\r\n", 20_000), "", Oversized, "the headers are longer than the limit", 0},
		{"no HTTP", "SSH-2.0-x\r\n\r\n", "", Broken, "protocol error: not an HTTP/1.1 status line", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.handshake == "" {
				tt.handshake = switching + "\r\n"
			}
			url := rawSocket(t, tt.handshake, func(c net.Conn, _ int) { io.WriteString(c, tt.frames) }) //nolint:errcheck // the client may be gone
			d := open(t, socketTarget(url), Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			for range 2 { // whatever it was, the line goes on
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				if r.Reason != tt.reason || r.Message != tt.message || r.Status != tt.status {
					t.Errorf("%d %q status %d, want %d %q status %d", r.Reason, r.Message, r.Status, tt.reason, tt.message, tt.status)
				}
				if tt.status == 503 && string(r.Code) != "shed" {
					t.Errorf("code %q", r.Code)
				}
				line.Free(&r)
			}
		})
	}
}

// A server that takes the connection and says nothing costs the timeout, before the
// upgrade and behind it; both times the line goes on.
func TestSilentSockets(t *testing.T) {
	for name, handshake := range map[string]string{"no upgrade": "", "no answer": switching + "\r\n"} {
		t.Run(name, func(t *testing.T) {
			target := socketTarget(rawSocket(t, handshake, func(net.Conn, int) {}))
			target.Timeout = 60e6
			d := open(t, target, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			for range 2 {
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				if r.Reason != TimedOut || r.Done-r.Begun < 60*time.Millisecond {
					t.Errorf("%d %q after %s", r.Reason, r.Message, r.Done-r.Begun)
				}
				line.Free(&r)
			}
			if n := d.Traffic(); n.SocketsOpened != n.SocketsReopened+1 && name == "no answer" {
				t.Errorf("%+v: what came late over the socket would be taken for the next answer", n)
			}
		})
	}
}

// What servers do between two turns costs the next one nothing.
func TestHostileBetweenTurns(t *testing.T) {
	for name, frames := range map[string]string{
		"a masked frame": "\x81\x80\x00\x00\x00\x00", "pings without end": strings.Repeat(frame(0x89, ""), 5000), "half a frame": "\x81\x7e\x10",
		"half a message": frame(0x01, "{"), "a close": frame(0x88, "\x03\xe9"), "messages": strings.Repeat(frame(0x81, `{"text":"spam"}`), 500),
	} {
		t.Run(name, func(t *testing.T) {
			url := rawSocket(t, switching+"\r\n", func(c net.Conn, n int) {
				io.WriteString(c, frame(0x81, `{"text":"ok"}`)) //nolint:errcheck // the client may be gone
				if n == 0 {
					io.WriteString(c, frames) //nolint:errcheck // the client may be gone
				}
			})
			d := open(t, socketTarget(url), Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			for i := range 2 {
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				half := strings.HasPrefix(name, "half") && i == 1 // is found out when more comes
				if (r.Reason != Complete || string(r.Answer) != "ok") != half && !half {
					t.Errorf("%d %q %q", r.Reason, r.Message, r.Answer)
				}
				line.Free(&r)
				if name == "messages" {
					eventually(t, "all are counted", func() bool { return d.Traffic().Unsolicited == 500 })
				}
				if strings.HasPrefix(name, "a ") || strings.HasPrefix(name, "pings") {
					eventually(t, "the socket is closed", func() bool { return d.Connections() == 0 || i == 1 })
				}
			}
		})
	}
}
