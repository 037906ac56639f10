package driver

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Cookies, alternative services, challenges and redirects change nothing: the
// next request is the same to the byte, on the same connection, and nobody else
// is asked.
func TestHostileState(t *testing.T) {
	other := newHostile(t, false, func(net.Conn) {})
	fields := []string{
		"Set-Cookie", "sid=1; Path=/; Max-Age=999999999", "Set-Cookie", "__Host-x=" + strings.Repeat("y", 4000), "Set-Cookie2", "a=b",
		"Alt-Svc", `h2="` + strings.TrimPrefix(other.url, "http://") + `"; ma=999999`, "Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload",
		"WWW-Authenticate", `Basic realm="x", Digest realm="x", nonce="y"`, "WWW-Authenticate", "Negotiate", "Proxy-Authenticate", "NTLM",
		"Location", other.url + "/steal", "Refresh", "0; url=" + other.url, "Link", "<" + other.url + ">; rel=preload", "Clear-Site-Data", `"*"`,
		"Content-Location", other.url, "Retry-After", "0", "Accept-CH", "Sec-CH-UA", "Content-Security-Policy-Report-Only", "default-src 'none'; report-uri " + other.url,
		"Public-Key-Pins", "pin-sha256=x; report-uri=\"" + other.url + "\"", "NEL", `{"report_to":"x"}`, "Authorization", "Bearer evil", "Cookie", "a=b",
	}
	for _, status := range []int{200, 301, 302, 307, 308, 401, 407, 421, 425, 429, 503} {
		for _, wire := range []string{"1.1", "h2c"} {
			t.Run(fmt.Sprint(wire, " ", status), func(t *testing.T) {
				a := answer{status, fields, okBody}
				var mu sync.Mutex
				var seen []string
				target := a.recorded(t, wire, func(request string) {
					mu.Lock()
					defer mu.Unlock()
					seen = append(seen, request)
				})
				d := open(t, target, Options{Base: time.Now()})
				line := d.Open(&User{ID: "u"})
				defer line.Close()
				for i := range 3 {
					var r Reply
					line.Do(&Turn{Text: []byte("hi"), TraceID: [16]byte{1}, SpanID: [8]byte{2}}, &r)
					if r.Status != status || r.Reason != Complete || (r.Connect > 0) != (i == 0) {
						t.Errorf("turn %d: status %d reason %d %q connect %d", i, r.Status, r.Reason, r.Message, r.Connect)
					}
					line.Free(&r)
				}
				mu.Lock()
				defer mu.Unlock()
				if len(seen) != 3 || seen[1] != seen[0] || seen[2] != seen[0] {
					t.Errorf("requests %q", seen)
				}
				for _, word := range []string{"cookie", "sid=1", "evil", "authorization"} {
					if strings.Contains(strings.ToLower(seen[0]), word) {
						t.Errorf("%s was sent: %q", word, seen[0])
					}
				}
			})
		}
	}
	if n := other.conns.Load(); n != 0 {
		t.Errorf("another server was asked %d times", n)
	}
}

// recorded is wire, with every request as it came.
func (a *answer) recorded(t *testing.T, wire string, saw func(string)) *scenario.Target {
	t.Helper()
	if wire == "h2c" {
		h := newHostile(t, false, func(c net.Conn) {
			magic := make([]byte, len(h2.ClientPreface))
			if _, err := io.ReadFull(c, magic); err != nil {
				return
			}
			p := &peer{t: t, conn: c, Framer: h2.NewFramer(c, c), dec: hpack.NewDecoder(4096, nil)}
			p.do(p.WriteSettings())
			for {
				id, fields, body, ok := p.request()
				if !ok {
					return
				}
				saw(fmt.Sprint(fields, body)) // maps print in order
				lower := slices.Clone(a.headers)
				for i := 0; i < len(lower); i += 2 {
					lower[i] = strings.ToLower(lower[i])
				}
				p.head(id, false, append([]string{":status", fmt.Sprint(a.status)}, lower...)...)
				p.do(p.WriteData(id, true, []byte(a.body)))
			}
		})
		target := h.target("sync", 10*time.Second)
		target.HTTP = "h2c"
		return target
	}
	head := fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n", a.status, len(a.body))
	for i := 0; i < len(a.headers); i += 2 {
		head += a.headers[i] + ": " + a.headers[i+1] + "\r\n"
	}
	return newHostile(t, false, func(c net.Conn) {
		var raw bytes.Buffer
		in := bufio.NewReader(io.TeeReader(c, &raw))
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			saw(raw.String())
			raw.Reset()
			write(c, head+"\r\n"+a.body)
		}
	}).target("sync", 10*time.Second)
}

// What a server writes where people or machines read it is no command of theirs:
// messages hold nothing a terminal, a spreadsheet or a CI system would obey, and
// codes are handed on as the bytes they are.
func TestHostileWords(t *testing.T) {
	for _, evil := range []string{
		"\x1b[2J\x1b]0;x\x07", "\u009b31m", "::set-env name=x::y", "\n::error::x", "\r##[command]x", "=cmd|'/c calc'!A0", "<script>alert(1)</script>",
		"a\u202eb\u2066", "\u200b\u200d\ufeff", "\u2028\u2029", "\x00\x7f", strings.Repeat("长", 500), strings.Repeat("x", 159) + "长",
	} {
		quoted := fmt.Sprintf("%q", evil)
		quoted = strings.NewReplacer(`\x`, `\u00`, `\a`, `\u0007`).Replace(quoted)
		h := newHostile(t, false, func(c net.Conn) {
			for asked(c) {
				write(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: error\ndata: {\"detail\":"+quoted+"}\n\n")
			}
		})
		d := open(t, h.target("stream", 10*time.Second), Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		var r Reply
		line.Do(&Turn{Text: []byte("hi")}, &r)
		if r.Reason != Malformed || !strings.HasPrefix(r.Message, "error event: ") || len(r.Message) > 13+160 {
			t.Errorf("%q: reason %d %q", evil, r.Reason, r.Message)
		}
		for _, c := range r.Message {
			if c < ' ' || c >= 0x7f && c <= 0x9f || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c >= 0x200b && c <= 0x200f || c == 0xfeff || c == 0xfffd {
				t.Errorf("%q: %q holds %U", evil, r.Message, c)
			}
		}
		line.Free(&r)
		line.Close()

		a := answer{503, []string{"Content-Type", "application/problem+json"}, `{"code":` + quoted + `,"title":` + quoted + `}`}
		r = once(t, a.wire(t, "1.1"))
		if r.Reason != Complete || r.Message != "" || r.Status != 503 {
			t.Errorf("%q: status %d reason %d %q", evil, r.Status, r.Reason, r.Message)
		}
	}
	// A header with a control character is refused before anybody reads it.
	for _, evil := range []string{"X: \x1b[2J", "Location: a\x08b", "Retry-After: \x00"} {
		h := newHostile(t, false, func(c net.Conn) {
			if asked(c) {
				write(c, "HTTP/1.1 200 OK\r\n"+evil+"\r\n\r\n")
			}
		})
		h.turn(t, h.target("sync", 10*time.Second), 0, Broken, "control character")
	}
}
