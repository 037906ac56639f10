package driver

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/cstest/cstest/scenario"
	"github.com/klauspost/compress/zstd"
)

// coded are the codings that can be read.
var coded = map[string]func(text string) string{
	"gzip": gz, "x-gzip": gz,
	"deflate": func(text string) string {
		return packed(text, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	},
	"br": func(text string) string {
		return packed(text, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
	},
	"zstd": func(text string) string {
		return packed(text, func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z })
	},
}

// A body or a stream in any coding that the scenario asks for is read, on every
// wire, and shown decoded to who looks over HTTP/2.
func TestCodings(t *testing.T) {
	const events = "event: delta\ndata: {\"text\":\"o\"}\n\nevent: delta\ndata: {\"text\":\"k\"}\n\nevent: done\ndata: {}\n\n"
	for coding, pack := range coded {
		for _, wire := range []string{"1.1", "TLS", "h2c"} {
			for mode, plain := range map[scenario.Mode]string{scenario.ModeSync: okBody, scenario.ModeStream: events} {
				for _, asked := range []bool{true, false} {
					for _, looked := range []bool{false, true} {
						a := answer{200, []string{"Content-Encoding", coding}, pack(plain)}
						if mode == scenario.ModeStream {
							a.headers = append(a.headers, "Content-Type", "text/event-stream")
						}
						target := a.wire(t, wire)
						target.Mode = mode
						if asked {
							target.Headers = map[string]string{"Accept-Encoding": "gzip, deflate, br, zstd"}
						}
						var shown string
						opts := Options{Base: time.Now()}
						if looked {
							opts.Capture = func(_, response []byte) { shown = string(response) }
						}
						d := open(t, target, opts)
						line := d.Open(&User{ID: "u"})
						for range 2 {
							var r Reply
							line.Do(&Turn{Text: []byte("hi")}, &r)
							name := fmt.Sprintf("%s %s %s, asked for: %t", coding, wire, mode, asked)
							switch {
							case !asked && (coding == "br" || coding == "zstd"):
								if r.Reason != Malformed || !strings.Contains(r.Message, "add it to accept-encoding in target.headers") {
									t.Errorf("%s: reason %d %q", name, r.Reason, r.Message)
								}
							case r.Reason != Complete || string(r.Answer) != "ok":
								t.Errorf("%s: reason %d %q, answer %q", name, r.Reason, r.Message, r.Answer)
							case looked && wire == "h2c" && !strings.HasSuffix(shown, plain):
								t.Errorf("%s: shown as %q", name, shown)
							}
							line.Free(&r)
						}
						line.Close()
					}
				}
			}
		}
	}
}

// A compressed stream is held to what any stream is.
func TestHostileCompressedStream(t *testing.T) {
	const event = "event: delta\ndata: {\"text\":\"x\"}\n\n"
	flushed := func(texts ...string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		for _, text := range texts {
			io.WriteString(z, text) //nolint:errcheck // memory
			z.Flush()
		}
		return b.String()
	}
	for _, c := range []struct {
		name, body string
		reason     Reason
		message    string
	}{
		{"no terminal event", gz(event), Truncated, "without its terminal event"},
		{"cut", flushed(event, event), Truncated, "without its terminal event"},
		{"none", "event: done\ndata: {}\n\n", Malformed, "the stream is not valid gzip"},
		{"broken behind some", flushed(event) + strings.Repeat("\xff", 100), Malformed, "the stream is not valid gzip"},
		{"an error event", flushed(event, "event: error\ndata: {\"message\":\"down\"}\n\n"), Malformed, "error event"},
		{"bomb", gz(strings.Repeat(": x\n", 10<<20)), Oversized, "the stream is larger than the limit once decompressed"},
		{"ended, then garbage", flushed(event, "event: done\ndata: {}\n\n") + strings.Repeat("\xff", 100), Complete, ""},
		{"not closed", flushed(event, "event: done\ndata: {}\n\n"), Complete, ""},
	} {
		for _, wire := range []string{"1.1", "TLS", "h2c"} {
			a := answer{200, []string{"Content-Type", "text/event-stream", "Content-Encoding", "gzip"}, c.body}
			target := a.wire(t, wire)
			target.Mode = scenario.ModeStream
			if r := once(t, target); r.Reason != c.reason || !strings.Contains(r.Message, c.message) {
				t.Errorf("%s, %s: reason %d %q, want %d %q", c.name, wire, r.Reason, r.Message, c.reason, c.message)
			}
		}
	}
}

// Jobs are asked after several times: each answer has a coding of its own.
func TestCodedJobs(t *testing.T) {
	asked := 0
	url := rawServer(t, func(c net.Conn, n int) bool {
		asked = n
		head, body := "HTTP/1.1 200 OK\r\n", gz(`{"status":"running"}`)
		switch n {
		case 0:
			head, body = "HTTP/1.1 202 Accepted\r\nLocation: /jobs/1\r\nRetry-After: 0\r\n", gz(`{"dialog_id":"d"}`)
		case 3:
			body = gz(`{"status":"done","result":` + okBody + `}`)
		}
		write(c, fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body))
		return true
	})
	r := once(t, &scenario.Target{URL: url, Mode: scenario.ModeAsync})
	if r.Reason != Complete || asked != 3 {
		t.Errorf("reason %d %q after %d polls", r.Reason, r.Message, asked)
	}
}
