package driver

import (
	"io"
	"net"
	"testing"
	"time"
)

// echoing is a driver of a raw server of sockets, and a line with an open one.
func echoing(tb testing.TB) (Driver, Channel) {
	answer := frame(0x81, `{"text":"this is the answer to your question, customer"}`)
	target := socketTarget(rawSocket(tb, switching+"\r\n", func(c net.Conn, _ int) { io.WriteString(c, answer) })) //nolint:errcheck // the client may be gone
	d := open(tb, target, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	tb.Cleanup(line.Close)
	return d, line
}

// A turn over an open socket costs next to no memory.
func TestSocketTurnAllocates(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates")
	}
	_, line := echoing(t)
	turn, reply := &Turn{Text: []byte("hi")}, &Reply{}
	do := func() {
		line.Do(turn, reply)
		if reply.Reason != Complete {
			t.Fatalf("%d %q", reply.Reason, reply.Message)
		}
		line.Free(reply)
	}
	do()
	// The server in this process reads each frame into memory of its own: two.
	if n := testing.AllocsPerRun(200, do); n > 10 {
		t.Errorf("%v allocations a turn", n)
	}
}

func BenchmarkSocketTurn(b *testing.B) {
	_, line := echoing(b)
	turn, reply := &Turn{Text: []byte("hi")}, &Reply{}
	b.ReportAllocs()
	for b.Loop() {
		line.Do(turn, reply)
		if reply.Reason != Complete {
			b.Fatalf("%d %q", reply.Reason, reply.Message)
		}
		line.Free(reply)
	}
}
