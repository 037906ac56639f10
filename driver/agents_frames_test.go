package driver

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// rawAgents takes an agent's socket by hand: after hello and subscription it
// hands the connection to then, which may write whatever it likes.
func rawAgents(t testing.TB, then func(c net.Conn, client *bufio.Reader, n int64)) http.Handler {
	var count atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // tests end
		write(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: cs.agent.v1\r\nSec-WebSocket-Accept: "+
			base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
		write(c, frame(0x81, `{"type":"hello"}`))
		if _, _, err := clientFrame(rw.Reader); err != nil {
			return
		}
		write(c, frame(0x81, `{"type":"subscribed"}`))
		then(c, rw.Reader, count.Add(1))
	})
}

// frame is one frame of a server.
func frame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return string(b) + payload
}

// clientFrame reads one frame of a client, which must be masked.
func clientFrame(r *bufio.Reader) (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int64(head[1] & 0x7f)
	if head[1]&0x80 == 0 {
		return 0, nil, errors.New("a client's frame without a mask")
	}
	if n == 126 {
		var length [2]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return 0, nil, err
		}
		n = int64(binary.BigEndian.Uint16(length[:]))
	}
	rest := make([]byte, 4+n)
	if _, err := io.ReadFull(r, rest); err != nil {
		return 0, nil, err
	}
	for i := range rest[4:] {
		rest[4+i] ^= rest[i%4]
	}
	return head[0] & 0x0f, rest[4:], nil
}

// closeCode reads until the client closes and gives the code it says, 0 when it
// says none.
func closeCode(r *bufio.Reader) int {
	for {
		opcode, payload, err := clientFrame(r)
		switch {
		case err != nil:
			return 0
		case opcode == 8 && len(payload) >= 2:
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// What a server may send over an agent's socket that is not WebSocket, or not
// within the limits: the turn that waits says why, the server is told the code,
// and the socket is dialled again.
func TestHostileFrames(t *testing.T) {
	masked := func(key string) string {
		text := []byte(ticketPush("t"))
		for i := range text {
			text[i] ^= key[i%4]
		}
		return string([]byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text))}) + key + string(text)
	}
	const protocol = "agent's socket: protocol error"
	const reserved = protocol + ": a frame with reserved bits set, though no extension was agreed on"
	for _, c := range []struct {
		name, frames string
		endless      string // sent until nobody takes it
		reason       Reason
		message      string
		code         int
	}{
		{"masked", masked("abcd"), "", Broken, protocol + ": a masked frame from the server", 1002},
		{"masked with nothing", masked("\x00\x00\x00\x00"), "", Broken, protocol + ": a masked frame from the server", 1002},
		{"fragmented ping", frame(0x09, "x"), "", Broken, protocol + ": a control frame that is longer than 125 bytes or in pieces", 1002},
		{"long ping", frame(0x89, strings.Repeat("x", 126)), "", Broken, protocol + ": a control frame that is longer than 125 bytes or in pieces", 1002},
		{"reserved opcode", frame(0x83, "x"), "", Broken, protocol + ": a frame of an unknown opcode", 1002},
		{"reserved control opcode", frame(0x8b, "x"), "", Broken, protocol + ": a frame of an unknown opcode", 1002},
		{"compressed", frame(0xc1, "\xaa\x56\x2a\xa9\x2c\x48"), "", Broken, reserved, 1002},
		{"compressed bomb", string([]byte{0xc1, 127, 0, 0, 0, 0, 0x40, 0, 0, 0}), strings.Repeat("\x00", 1<<16), Broken, reserved, 1002},
		{"reserved bits", frame(0xb1, "x"), "", Broken, reserved, 1002},
		{"continuation of nothing", frame(0x80, "x"), "", Broken, protocol + ": frames of a message out of order", 1002},
		{"a message inside of another", frame(0x01, "{") + frame(0x81, "{}"), "", Broken, protocol + ": frames of a message out of order", 1002},
		{"empty fragments", frame(0x01, ""), strings.Repeat(frame(0x00, ""), 1<<10), Broken, protocol + ": a message of too many frames", 1002},
		{"negative length", string([]byte{0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}), "", Broken, protocol + ": a frame whose length is not written as it must be", 1002},
		{"length of 2^63-1", string([]byte{0x81, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255}), strings.Repeat("x", 1<<16), Oversized, "agent's socket: a message is longer than the limit of a line", 1009},
		{"1 GiB", string([]byte{0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0}), strings.Repeat("x", 1<<16), Oversized, "agent's socket: a message is longer than the limit of a line", 1009},
		{"fragments without end", frame(0x01, ""), frame(0x00, strings.Repeat("x", 1<<10)), Oversized, "agent's socket: a message is longer than the limit of a line", 1009},
		{"bad UTF-8", frame(0x81, "{\"type\":\"\xff\"}"), "", Broken, protocol + ": a text message that is not UTF-8", 1007},
		{"not JSON", frame(0x81, "ticket"), "", Broken, "agent's socket: a message that is not one valid JSON document", 1007},
		{"nothing", frame(0x81, ""), "", Broken, "agent's socket: a message that is not one valid JSON document", 1007},
		{"deep", frame(0x81, strings.Repeat("[", 1<<12)), "", Broken, "agent's socket: a message that is not one valid JSON document", 1007},
		{"type twice", frame(0x81, `{"type":"ticket","type":"ticket"}`), "", Broken, "agent's socket: a message that is not one valid JSON document", 1007},
		{"binary", frame(0x82, "{}"), "", Broken, "agent's socket: a message that is not text", 1003},
		{"close of one byte", frame(0x88, "x"), "", Broken, protocol + ": a close frame with a code that none may have", 1002},
		{"close without a code", frame(0x88, ""), "", Broken, "agent's socket: closed by the server with code 1005", 0},
		{"close 1005", frame(0x88, "\x03\xed"), "", Broken, protocol + ": a close frame with a code that none may have", 1002},
		{"close 1013", frame(0x88, "\x03\xf5slow \x1b[31m"), "", Broken, "agent's socket: closed by the server with code 1013", 1013},
		{"closes without end", frame(0x88, "\x03\xe8"), frame(0x88, "\x03\xe8"), Broken, "agent's socket: closed by the server with code 1000", 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := make(chan struct{}, 1)
			codes := make(chan int, 1)
			agents := rawAgents(t, func(conn net.Conn, client *bufio.Reader, n int64) {
				if n > 1 {
					io.Copy(io.Discard, client) //nolint:errcheck // until the driver goes
					return
				}
				<-asked
				write(conn, c.frames)
				told := make(chan int, 1)
				go func() { told <- closeCode(client) }()
				for c.endless != "" {
					if _, err := io.WriteString(conn, c.endless); err != nil {
						break
					}
				}
				codes <- <-told
			})
			url := deskOnly(t, agents, answerWith(`{"answer":"ok","ticket":{"id":"t"}}`))
			d := open(t, &scenario.Target{URL: url, Mode: "agents", Agents: &scenario.Agents{Sockets: 1}, Timeout: unit.Duration(time.Minute)}, Options{Base: time.Now()})
			if err := d.Prepare(0); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			answer := make(chan Reply)
			go func() { answer <- ask(d, "hi") }()
			awaited(t, d, 1)
			asked <- struct{}{}
			r := <-answer
			runtime.ReadMemStats(&after)
			says(t, r, c.reason, c.message)
			// A close frame behind data nobody reads may be lost with a reset.
			if got := <-codes; got != c.code && (c.endless == "" || got != 0) {
				t.Errorf("close code %d, want %d", got, c.code)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			eventually(t, "the socket is dialled again", func() bool { return d.(*client).agents.State().Open == 1 })
		})
	}
}

// Escapes in ids are what they stand for.
func TestTicketIDsWithEscapes(t *testing.T) {
	agents := rawAgents(t, func(c net.Conn, client *bufio.Reader, _ int64) {
		write(c, frame(0x81, `{"type":"ticket","ticket":{"id":"t-\u00e9\"\n"}}`))
		for {
			opcode, payload, err := clientFrame(client)
			if err != nil {
				return
			}
			switch {
			case opcode == 1 && bytes.Equal(payload, []byte(`{"type":"claim","ticket_id":"t-é\"\n"}`)):
				write(c, frame(0x81, `{"type":"claimed","ticket_id":"t-é\"\n"}`))
			case opcode == 1 && bytes.Equal(payload, []byte(`{"type":"reply","ticket_id":"t-é\"\n","text":"您好,已为您处理。"}`)):
				write(c, frame(0x81, `{"type":"replied","ticket_id":"t-\u00e9\u0022\u000a"}`))
			case opcode == 1:
				t.Errorf("the agent says %s", payload)
			}
		}
	})
	url := deskOnly(t, agents, answerWith(`{"answer":"ok","ticket":{"id":"t-\u00e9\"\n"}}`))
	d := open(t, &scenario.Target{URL: url, Mode: "agents", Agents: &scenario.Agents{Sockets: 1}}, Options{Base: time.Now()})
	says(t, ask(d, "hi"), Complete, "")
}

// Pushes of tickets that are no turn's are kept within bounds, however many; an
// own one among them is found.
func TestForeignPushes(t *testing.T) {
	const most = 8192 // kept at a time
	const foreign = 3 * most
	sent := make(chan struct{})
	ids := "0123456789abcdef"
	agents := rawAgents(t, func(c net.Conn, client *bufio.Reader, n int64) {
		if n == 1 {
			w := bufio.NewWriterSize(c, 1<<16)
			for i := range foreign {
				io.WriteString(w, frame(0x81, fmt.Sprintf(`{"type":"ticket","ticket":{"id":"%s%d"}}`, strings.Repeat(ids, 10), i))) //nolint:errcheck // Flush tells
			}
			io.WriteString(w, frame(0x81, ticketPush("mine"))) //nolint:errcheck // Flush tells
			if err := w.Flush(); err != nil {
				t.Error(err)
			}
			close(sent)
		}
		for {
			opcode, payload, err := clientFrame(client)
			if err != nil {
				return
			}
			kind := "claimed"
			if bytes.Contains(payload, []byte(`"reply"`)) {
				kind = "replied"
			}
			if opcode == 1 && !bytes.Contains(payload, []byte(`"mine"`)) {
				t.Errorf("the agent says %s of somebody else's ticket", payload)
			}
			write(c, frame(0x81, `{"type":"`+kind+`","ticket_id":"mine"}`))
		}
	})
	url := deskOnly(t, agents, func(w http.ResponseWriter, r *http.Request) {
		<-sent
		answerWith(`{"answer":"ok","ticket":{"id":"mine"}}`)(w, r)
	})
	d := open(t, &scenario.Target{URL: url, Mode: "agents", Agents: &scenario.Agents{Sockets: 1}, Timeout: unit.Duration(time.Minute)}, Options{Base: time.Now()})
	says(t, ask(d, "hi"), Complete, "")
	if n := d.(*client).agents.State().Early; n > most || n < most-1 {
		t.Errorf("%d pushes kept, at most %d", n, most)
	}
}

// A server that closes every socket at once is dialled again, each time later.
func TestCloseLoop(t *testing.T) {
	var closed atomic.Int64
	agents := rawAgents(t, func(c net.Conn, client *bufio.Reader, _ int64) {
		closed.Add(1)
		write(c, frame(0x88, "\x03\xe8"))
		closeCode(client)
	})
	base := time.Now()
	d := open(t, &scenario.Target{URL: deskOnly(t, agents, answerWith("{}")), Mode: "agents", Agents: &scenario.Agents{Sockets: 1}}, Options{Base: base})
	if err := d.Prepare(0); err != nil && closed.Load() == 0 {
		t.Fatal(err)
	}
	eventually(t, "four sockets", func() bool { return closed.Load() >= 4 })
	// Three waits of at least half of 100, 200 and 400 ms are behind it.
	if took := time.Since(base); took < 350*time.Millisecond {
		t.Errorf("four sockets within %s", took)
	}
}

// A server that asks for pongs and takes nothing keeps nobody waiting longer
// than a write may take.
func TestServerThatDoesNotRead(t *testing.T) {
	var dialled atomic.Int64
	agents := rawAgents(t, func(c net.Conn, _ *bufio.Reader, n int64) {
		dialled.Store(n)
		flood := strings.Repeat(frame(0x89, strings.Repeat("x", 125)), 500)
		for n == 1 {
			if _, err := io.WriteString(c, flood); err != nil {
				return
			}
		}
	})
	d := open(t, &scenario.Target{
		URL: deskOnly(t, agents, answerWith(`{"answer":"ok","ticket":{"id":"t"}}`)), Mode: "agents",
		Agents: &scenario.Agents{Sockets: 1}, Timeout: unit.Duration(300 * time.Millisecond),
	}, Options{Base: time.Now()})
	r := ask(d, "hi")
	if r.Reason != TimedOut && r.Reason != Broken {
		t.Errorf("reason %d %q", r.Reason, r.Message)
	}
	eventually(t, "the socket that takes nothing is given up", func() bool { return dialled.Load() > 1 })
}

// The end does not wait for a server that takes nothing.
func TestInterruptWhileWriting(t *testing.T) {
	stuck := make(chan struct{})
	agents := rawAgents(t, func(c net.Conn, client *bufio.Reader, _ int64) {
		flood := strings.Repeat(frame(0x89, strings.Repeat("x", 125)), 500)
		c.SetWriteDeadline(time.Now().Add(time.Second)) //nolint:errcheck // the write tells
		for {
			if _, err := io.WriteString(c, flood); err != nil {
				break // the driver is busy with pongs that nobody reads, and reads no more
			}
		}
		close(stuck)
		<-t.Context().Done()
	})
	url := deskOnly(t, agents, answerWith(`{"answer":"ok","ticket":{"id":"t"}}`))
	d, err := New(given(&scenario.Target{URL: url, Mode: "agents", Agents: &scenario.Agents{Sockets: 1}, Timeout: unit.Duration(time.Hour)}), Options{Base: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan Reply)
	go func() { over <- ask(d, "hi") }()
	<-stuck
	d.Interrupt()
	if r := <-over; r.Reason != Interrupted && r.Reason != Broken {
		t.Errorf("reason %d %q", r.Reason, r.Message)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
