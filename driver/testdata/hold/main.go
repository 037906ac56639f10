// Command hold is an HTTP/2 server without TLS that answers every request after
// a fixed time, at little cost of its own: it shows what a driver pays for turns
// in flight.
//
//	go run ./driver/testdata/hold -listen 127.0.0.1:18090 -for 20s
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

const body = `{"dialog_id":"0123456789abcdef0123456789abcdef","answer":"this is the answer to your question, customer","cost_ms":1.00}`

func main() {
	listen := flag.String("listen", "127.0.0.1:18090", "where")
	hold := flag.Duration("for", 20*time.Second, "how long each answer is held")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c, *hold)
	}
}

type due struct {
	at time.Time
	id uint32
}

func serve(c net.Conn, hold time.Duration) {
	defer c.Close()
	if _, err := io.CopyN(io.Discard, c, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	var mu sync.Mutex
	queue := make(chan due, 1<<16)
	defer close(queue)
	go func() {
		for d := range queue {
			time.Sleep(time.Until(d.at))
			mu.Lock()
			// :status 200, then the body.
			err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: d.id, BlockFragment: []byte{0x88}, EndHeaders: true})
			if err == nil {
				err = f.WriteData(d.id, true, []byte(body))
			}
			mu.Unlock()
			if err != nil {
				c.Close()
			}
		}
	}()
	mu.Lock()
	if err := f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1000}); err != nil {
		return
	}
	if err := f.WriteWindowUpdate(0, 1<<30); err != nil {
		return
	}
	mu.Unlock()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		if d, ok := frame.(*http2.DataFrame); ok && d.StreamEnded() {
			queue <- due{time.Now().Add(hold), d.StreamID}
		}
	}
}
