package driver

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/scenario"
	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// answer is one that is whole, for any wire.
type answer struct {
	status  int
	headers []string // name, value, …
	body    string
}

// wire serves a to every request over one of the wires.
func (a *answer) wire(t *testing.T, wire string) *scenario.Target {
	t.Helper()
	if wire == "h2c" {
		h := newHostile(t, false, func(c net.Conn) {
			magic := make([]byte, len(h2.ClientPreface))
			if _, err := io.ReadFull(c, magic); err != nil {
				return
			}
			p := &peer{t: t, conn: c, Framer: h2.NewFramer(c, c), dec: hpack.NewDecoder(4096, nil)}
			p.do(p.WriteSettings())
			answerAll(func(p *peer, id uint32) {
				fields := append([]string{":status", fmt.Sprint(a.status)}, a.headers...)
				for i := 2; i < len(fields); i += 2 {
					fields[i] = strings.ToLower(fields[i])
				}
				p.head(id, false, fields...)
				const maxFrame = 1 << 14
				for body := []byte(a.body); ; body = body[maxFrame:] {
					if len(body) <= maxFrame {
						p.do(p.WriteData(id, true, body))
						return
					}
					p.do(p.WriteData(id, false, body[:maxFrame]))
				}
			})(p)
		})
		target := h.target("sync", 10*time.Second)
		target.HTTP = "h2c"
		return target
	}
	head := fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n", a.status, len(a.body))
	for i := 0; i < len(a.headers); i += 2 {
		head += a.headers[i] + ": " + a.headers[i+1] + "\r\n"
	}
	return newHostile(t, wire == "TLS", func(c net.Conn) {
		for asked(c) {
			write(c, head+"\r\n"+a.body)
		}
	}).target("sync", 10*time.Second)
}

// packed compresses with what newWriter gives.
func packed(text string, newWriter func(io.Writer) io.WriteCloser) string {
	var b bytes.Buffer
	w := newWriter(&b)
	io.WriteString(w, text) //nolint:errcheck // memory
	w.Close()
	return b.String()
}

func noise(n int, alphabet string) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// Compressed bodies: what was not asked for, is broken, or is a bomb.
func TestHostileCompression(t *testing.T) {
	good := gz(okBody)
	flip := func(at int) string { // from the end
		b := []byte(good)
		b[len(b)-at] ^= 1
		return string(b)
	}
	named := packed(okBody, func(w io.Writer) io.WriteCloser {
		z := gzip.NewWriter(w)
		z.Name = strings.Repeat("n", 100_000)
		return z
	})
	deflated := packed(okBody, func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 9); return z })
	zlibbed := packed(okBody, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	bomb := gz(`{"answer":"` + strings.Repeat("a", 64<<20) + `"}`)
	dense := gz(`{"answer":"` + noise(3<<20, "abcd") + `"}`)
	const unasked, invalid = "was not asked for", "not valid gzip"
	for _, c := range []struct {
		name, encoding, body string
		status               int
		reason               Reason
		message              string
	}{
		{"gzip", "gzip", good, 200, Complete, ""},
		{"GZIP", "GZIP", good, 200, Complete, ""},
		{"br", "br", "\x0b\x07\x80" + okBody + "\x03", 200, Malformed, unasked},
		{"zstd", "zstd", "\x28\xb5\x2f\xfd\x20\x0f\x79\x00\x00" + okBody, 200, Malformed, unasked},
		{"deflate", "deflate", deflated, 200, Complete, ""},
		{"deflate in zlib", "deflate", zlibbed, 200, Complete, ""},
		{"layers", "gzip, gzip", gz(good), 200, Complete, ""},
		{"other layers", "br, gzip", good, 200, Malformed, unasked},
		{"20 layers", strings.TrimSuffix(strings.Repeat("gzip, ", 20), ", "), good, 200, Malformed, "more than three times"},
		{"layers unsaid", "gzip", gz(good), 200, Malformed, "not UTF-8"},
		{"not gzip at all", "gzip", okBody, 200, Malformed, invalid},
		{"zlib for gzip", "gzip", zlibbed, 200, Malformed, invalid},
		{"wrong sum", "gzip", flip(8), 200, Malformed, invalid},
		{"wrong length", "gzip", flip(4), 200, Malformed, invalid},
		{"no sum", "gzip", good[:len(good)-8], 200, Complete, ""},
		{"cut", "gzip", good[:len(good)/2], 200, Malformed, "it ends before its gzip does"},
		{"head only", "gzip", good[:10], 200, Malformed, invalid},
		{"long name", "gzip", named, 200, Malformed, invalid},
		{"trailing byte", "gzip", good + "x", 200, Complete, ""},
		{"two members", "gzip", gz(okBody[:7]) + gz(okBody[7:]), 200, Complete, ""},
		{"a member too many", "gzip", good + gz("{}"), 200, Malformed, "not valid JSON"},
		{"a member, broken", "gzip", good + "\x1f\x8b\x08\x00" + strings.Repeat("x", 40), 200, Malformed, invalid},
		{"x-gzip", "x-gzip", good, 200, Complete, ""},
		{"a coding of no name", "none", okBody, 200, Complete, ""},
		{"a coding of no name, coded", "lzma", good, 200, Malformed, "content-encoding is none of"},
		{"trailing zeros", "gzip", good + strings.Repeat("\x00", 512), 200, Complete, ""},
		{"nothing inside", "gzip", gz(""), 200, Malformed, "no body"},
		{"bomb", "gzip", bomb, 200, Oversized, "once decompressed"},
		{"bomb below the body's limit", "gzip", gz(`{"answer":"` + strings.Repeat("a", 900_000) + `"}`), 200, Oversized, "once decompressed"},
		{"large without a bomb", "gzip", dense, 200, Oversized, "once decompressed"},
		{"bomb as a refusal", "gzip", bomb, 503, Oversized, "once decompressed"},
		{"refusal in br", "br", "\x0b\x07\x80{}\x03", 429, Complete, ""},
		{"refusal, broken", "gzip", good[:20], 502, Complete, ""},
		{"refusal in gzip", "gzip", gz(`{"code":"shed"}`), 503, Complete, ""},
	} {
		for _, wire := range []string{"1.1", "TLS", "h2c"} {
			t.Run(c.name+" "+wire, func(t *testing.T) {
				a := answer{c.status, []string{"Content-Encoding", c.encoding}, c.body}
				d := open(t, a.wire(t, wire), Options{Base: time.Now()})
				line := d.Open(&User{ID: "u"})
				defer line.Close()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				runtime.ReadMemStats(&after)
				if r.Status != c.status || r.Reason != c.reason || !strings.Contains(r.Message, c.message) || c.message == "" && r.Message != "" {
					t.Errorf("status %d reason %d %q, want %d %d %q", r.Status, r.Reason, r.Message, c.status, c.reason, c.message)
				}
				if r.Reason == Complete && c.status == 200 && string(r.Answer) != "ok" || c.status == 503 && r.Reason == Complete && string(r.Code) != "shed" {
					t.Errorf("answer %q code %q", r.Answer, r.Code)
				}
				if n := after.TotalAlloc - before.TotalAlloc; n > 12<<20 {
					t.Errorf("%d bytes allocated", n)
				}
				line.Free(&r)
			})
		}
	}
}

// JSON that is none, or is not what it should be, on every wire.
func TestHostileJSON(t *testing.T) {
	const invalid = "not valid JSON"
	deep := func(n int, open, shut, inside string) string {
		return strings.Repeat(open, n) + inside + strings.Repeat(shut, n)
	}
	for _, c := range []struct {
		name, body string
		reason     Reason
		message    string
	}{
		{"a million deep", deep(1_000_000, "[", "", ""), Malformed, invalid},
		{"half a million deep, closed", deep(500_000, "[", "]", ""), Malformed, invalid},
		{"objects eighty thousand deep", deep(80_000, `{"answer":`, "}", `"ok"`), Malformed, invalid},
		{"deep beside the answer", `{"x":` + deep(500_000, "[", "]", "") + `,"answer":"ok"}`, Malformed, invalid},
		{"deep in place of the answer", `{"answer":` + deep(200, "[", "]", "") + `}`, Malformed, invalid},
		{"as deep as allowed", `{"x":` + deep(jsonscan.MaxDepth-1, "[", "]", "") + `,"answer":"ok"}`, Complete, ""},
		{"broken UTF-8", "{\"answer\":\"ok\",\"x\":\"\xff\xfe\"}", Malformed, "not UTF-8"},
		{"broken UTF-8 in a name", "{\"answer\":\"ok\",\"\xc3\":1}", Malformed, "not UTF-8"},
		{"overlong UTF-8", "{\"answer\":\"o\xc0\xebk\"}", Malformed, "not UTF-8"},
		{"surrogate in UTF-8", "{\"answer\":\"\xed\xa0\x80\"}", Malformed, "not UTF-8"},
		{"UTF-16", "\xff\xfe{\x00}\x00", Malformed, "not UTF-8"},
		{"BOM", "\xef\xbb\xbf" + okBody, Complete, ""},
		{"two BOMs", "\xef\xbb\xbf\xef\xbb\xbf" + okBody, Malformed, invalid},
		{"NUL behind", okBody + "\x00", Malformed, invalid},
		{"NUL inside", "{\"answer\":\"o\x00k\"}", Malformed, invalid},
		{"the answer twice", `{"answer":"ok","answer":"ok"}`, Malformed, "a key twice"},
		{"the answer twice, once in escapes", `{"answer":"ok","\u0061nswer":"no"}`, Complete, ""},
		{"another member twice", `{"x":1,"answer":"ok","x":2}`, Complete, ""},
		{"the context twice", `{"answer":"ok","context":{"turns":1},"context":{"turns":2}}`, Malformed, "a key twice"},
		{"numbers", `{"answer":"ok","context":{"turns":1e400},"x":[-0,1E+400,-1e-400,` + strings.Repeat("9", 10_000) + `]}`, Complete, ""},
		{"turns below zero", `{"answer":"ok","context":{"turns":-0}}`, Complete, ""},
		{"turns beyond all", `{"answer":"ok","context":{"turns":99999999999999999999}}`, Complete, ""},
		{"turns in halves", `{"answer":"ok","context":{"turns":1.5}}`, Complete, ""},
		{"turns as text", `{"answer":"ok","context":{"turns":"3"}}`, Complete, ""},
		{"Infinity", `{"answer":"ok","x":Infinity}`, Malformed, invalid},
		{"+1", `{"answer":"ok","x":+1}`, Malformed, invalid},
		{".5", `{"answer":"ok","x":.5}`, Malformed, invalid},
		{"1.", `{"answer":"ok","x":1.}`, Malformed, invalid},
		{"comment", `{"answer":"ok"/*x*/}`, Malformed, invalid},
		{"comma", `{"answer":"ok",}`, Malformed, invalid},
		{"apostrophes", `{'answer':'ok'}`, Malformed, invalid},
		{"bare name", `{answer:"ok"}`, Malformed, invalid},
		{"bad escape", `{"answer":"\x41"}`, Malformed, invalid},
		{"short escape", `{"answer":"\u12"}`, Malformed, invalid},
		{"line break in a string", "{\"answer\":\"a\nb\"}", Malformed, invalid},
		{"HTML", "<!DOCTYPE html><html>", Malformed, "a page of HTML"},
		{"lone surrogates", `{"answer":"\ud800\udc","x":1}`, Malformed, invalid},
		{"types of everything", `{"answer":"ok","dialog_id":{"a":1},"tier":[],"degraded":"yes","source":1,"context":"x","turn_id":null,"trace_id":true,"code":{}}`, Complete, ""},
		{"a list for an answer", `{"answer":["ok"]}`, Malformed, "not a string"},
		{"a number for an answer", `{"answer":1}`, Malformed, "not a string"},
		{"true for an answer", `{"answer":true}`, Malformed, "not a string"},
		{"text alone", `"ok"`, Malformed, "no answer"},
		{"null alone", `null`, Malformed, "no answer"},
		{"spaces", strings.Repeat(" ", 100_000), Malformed, invalid},
	} {
		for _, wire := range []string{"1.1", "h2c"} {
			t.Run(c.name+" "+wire, func(t *testing.T) {
				a := answer{status: 200, body: c.body}
				d := open(t, a.wire(t, wire), Options{Base: time.Now()})
				line := d.Open(&User{ID: "u"})
				defer line.Close()
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				if r.Reason != c.reason || !strings.Contains(r.Message, c.message) || c.message == "" && r.Message != "" {
					t.Errorf("reason %d %q, want %d %q", r.Reason, r.Message, c.reason, c.message)
				}
				if c.reason == Complete && (string(r.Answer) != "ok" || r.ContextTurns != -1 || r.Degraded || r.Cached || len(r.DialogID)+len(r.Tier)+len(r.Code) > 0) {
					t.Errorf("reply %+v", r)
				}
				line.Free(&r)
			})
		}
	}
}

// A lone surrogate stands for U+FFFD, which is how it is handed on.
func TestHostileSurrogates(t *testing.T) {
	for in, want := range map[string]string{`\ud800x`: "\ufffdx", `\udc00\ud800`: "\ufffd\ufffd", `\ud83d\ude00`: "😀", `\ud83d\ud83d\ude00`: "\ufffd😀"} {
		a := answer{status: 200, body: `{"answer":"` + in + `"}`}
		for _, wire := range []string{"1.1", "h2c"} {
			d := open(t, a.wire(t, wire), Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			if r.Reason != Complete || string(r.Answer) != want {
				t.Errorf("%s %s: reason %d answer %q, want %q", wire, in, r.Reason, r.Answer, want)
			}
			line.Free(&r)
			line.Close()
		}
	}
}
