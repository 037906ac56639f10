// Package front answers requests before the HTTP server spends a goroutine, buffers and
// timers on them. It is for those that are turned away, of which there may be more than
// the server could otherwise bear. Greet looks at what a connection comes with, Keep at
// what comes behind an answer.
package front

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"time"
)

// most is how many bytes a request may have; a longer one is left to the server.
const most = 4 << 10

// Desk looks at requests. Its methods do not wait, and are safe for concurrent use.
type Desk interface {
	// Crowded says whether requests are to be looked at.
	Crowded() bool
	// Answer answers a request whole, or writes nothing and returns false. The answer is
	// to be sent after hold.
	Answer(w http.ResponseWriter, r *http.Request) (hold time.Duration, answered bool)
	// Expect hears of a request that is on its way to the server; arrived is called once,
	// when it is there or its connection has ended.
	Expect() (arrived func())
}

// ask has a desk answer what was read of a connection: the bytes to send, or nil. What is
// not one whole request of HTTP/1.1 is for the server. last says that the connection ends
// with the answer.
func ask(desk Desk, text []byte, address string, last bool) (answer []byte, hold time.Duration) {
	r := request(text)
	if r == nil {
		return nil, 0
	}
	r.RemoteAddr = address
	var w writer
	hold, answered := desk.Answer(&w, r)
	if !answered {
		return nil, 0
	}
	if last {
		w.Header().Set("Connection", "close")
	}
	return w.bytes(time.Now()), hold
}

func request(text []byte) *http.Request {
	if len(text) >= most {
		return nil
	}
	in := bytes.NewReader(text)
	lines := bufio.NewReaderSize(in, len(text))
	r, err := http.ReadRequest(lines)
	if err != nil || r.Close || r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.Host == "" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || lines.Buffered()+in.Len() > 0 {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}
