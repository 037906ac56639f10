package front

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What is sent is an answer as any client reads it.
func TestAnswersAreWhole(t *testing.T) {
	at := time.Date(2026, 11, 11, 8, 0, 0, 0, time.FixedZone("CST", 8*3600))
	var w writer
	w.Header().Set("Retry-After", "2")
	w.Header().Add("Vary", "A")
	w.Header().Add("Vary", "B")
	w.Header().Set("Content-Length", "8")
	w.WriteHeader(http.StatusServiceUnavailable)
	w.WriteHeader(http.StatusOK) // the first holds
	fmt.Fprint(&w, "too ")
	fmt.Fprint(&w, "much")
	text := w.bytes(at)
	if !bytes.HasPrefix(text, []byte("HTTP/1.1 503 Service Unavailable\r\n")) {
		t.Errorf("it begins with %.60q", text)
	}
	in := bufio.NewReader(bytes.NewReader(text))
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusServiceUnavailable || string(body) != "too much" || r.Header.Get("Retry-After") != "2" || strings.Join(r.Header["Vary"], " ") != "A B" ||
		r.Header.Get("Date") != "Wed, 11 Nov 2026 00:00:00 GMT" || len(r.Header) != 4 {
		t.Errorf("%d %v %q %v", r.StatusCode, r.Header, body, err)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("behind it: %v", err)
	}
	var plain writer
	fmt.Fprint(&plain, "fine")
	if text := plain.bytes(at); !bytes.HasPrefix(text, []byte("HTTP/1.1 200 OK\r\n")) {
		t.Errorf("without a status: %.60q", text)
	}
}
