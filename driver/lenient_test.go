package driver

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// Where nothing is ambiguous an answer is taken as the clients take it that people
// use: Node's fetch is asked about each. Where cstest is stricter, why says so.
func TestAsFetchDoes(t *testing.T) {
	const h = "HTTP/1.1 200 OK\r\n"
	as := func(coding, body string) string {
		return fmt.Sprintf(h+"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(body), body)
	}
	plain := func(body string) string { return fmt.Sprintf(h+"Content-Length: %d\r\n\r\n%s", len(body), body) }
	const length = "Content-Length: 15\r\n\r\n" + okBody
	good, br := gz(okBody), coded["br"](okBody)
	bare := packed(okBody, func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 9); return z })
	cases := []struct {
		name, answer string
		status       int
		ok           bool
		fetchTakes   bool
		why          string
	}{
		{"plain", plain(okBody), 200, true, true, ""},
		{"BOM", plain("\xef\xbb\xbf" + okBody), 200, true, true, ""},
		{"folded", h + "X: y\r\n z\r\n" + length, 200, true, true, ""},
		{"folded by tab, twice", h + "X: y\r\n\tz\r\n \t z\r\n" + length, 200, true, true, ""},
		{"folded, nothing there", h + "X: y\r\n \r\n" + length, 200, true, true, ""},
		{"folded length", h + "Content-Length:\r\n 15\r\n\r\n" + okBody, 200, true, true, ""},
		{"folded transfer-encoding", h + "Transfer-Encoding:\r\n chunked\r\n\r\nf\r\n" + okBody + "\r\n0\r\n\r\n", 200, true, true, ""},
		{"folded before any", h + " x: y\r\n" + length, 0, false, false, ""},
		{"600", "HTTP/1.1 600 X\r\n" + length, 600, true, true, ""},
		{"999", "HTTP/1.1 999 X\r\n" + length, 999, true, true, ""},
		{"99", "HTTP/1.1 099 X\r\n" + length, 0, false, false, ""},
		{"1000", "HTTP/1.1 1000 X\r\n" + length, 0, false, false, ""},
		{"gzip", as("gzip", good), 200, true, true, ""},
		{"x-gzip", as("X-GZip", good), 200, true, true, ""},
		{"two members", as("gzip", gz(okBody[:5])+gz(okBody[5:])), 200, true, true, ""},
		{"something behind gzip", as("gzip", good+"x"), 200, true, true, ""},
		{"zeros behind gzip", as("gzip", good+strings.Repeat("\x00", 20)), 200, true, true, ""},
		{"gzip without its sum", as("gzip", good[:len(good)-8]), 200, true, true, ""},
		{"gzip cut", as("gzip", good[:len(good)/2]), 200, false, false, ""},
		{"gzip, wrong sum", as("gzip", good[:len(good)-8]+"\x00\x00\x00\x00"+good[len(good)-4:]), 200, false, false, ""},
		{"deflate", as("deflate", coded["deflate"](okBody)), 200, true, true, ""},
		{"deflate, bare", as("deflate", bare), 200, true, true, ""},
		{"deflate, none", as("deflate", okBody), 200, false, false, ""},
		{"gzip twice", as("gzip, gzip", gz(good)), 200, true, true, ""},
		{"deflate in gzip", as("deflate, gzip", gz(coded["deflate"](okBody))), 200, true, true, ""},
		{"no such coding", as("utf-8", okBody), 200, true, true, ""},
		{"length twice", h + "Content-Length: 15\r\n" + length, 0, false, false, ""},
		{"length and chunks", h + "Transfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\nf\r\n" + okBody + "\r\n0\r\n\r\n", 0, false, false, ""},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 15\n\n" + okBody, 0, false, false, ""},
		{"br", as("br", br), 200, false, true, "asked for by fetch, and not by this scenario"},
		{"broken UTF-8", plain("{\"answer\":\"ok\xff\"}"), 200, false, true, "what a user would see is not what the server meant"},
		{"answer twice", plain(`{"answer":"a","answer":"ok"}`), 200, false, true, "which of them users see depends on the client"},
		{"space before a colon", h + "X : y\r\n" + length, 0, false, true, "RFC 9112, 5.1"},
	}
	urls := make([]string, len(cases))
	for i, c := range cases {
		urls[i] = rawServer(t, func(conn net.Conn, _ int) bool { write(conn, c.answer); return false })
		d := open(t, &scenario.Target{URL: urls[i]}, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		var r Reply
		line.Do(&Turn{Text: []byte("hi")}, &r)
		ok := r.Reason == Complete && (r.Status >= 300 || string(r.Answer) == "ok")
		if ok != c.ok || r.Status != c.status {
			t.Errorf("%s: status %d reason %d %q, answer %q", c.name, r.Status, r.Reason, r.Message, r.Answer)
		}
		if c.ok != c.fetchTakes && c.why == "" {
			t.Errorf("%s: fetch differs, without a reason", c.name)
		}
		line.Free(&r)
		line.Close()
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node: fetch was not asked")
	}
	out, err := exec.CommandContext(t.Context(), node, append([]string{filepath.Join("testdata", "fetch", "fetch.mjs")}, urls...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for _, c := range cases {
		var saw struct {
			Status int
			Answer string
		}
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &saw) != nil {
			t.Fatalf("fetch of %s said %q", c.name, lines.Text())
		}
		if takes := strings.HasPrefix(saw.Answer, "ok"); takes != c.fetchTakes {
			t.Errorf("%s: fetch made %+v of it", c.name, saw)
		}
	}
}

// Events that say nothing but that the server is there are no error, on either
// wire; what is neither that nor JSON is.
func TestEventsThatSayNothing(t *testing.T) {
	const delta, done = "event: delta\ndata: {\"text\":\"ok\"}\n\n", "event: done\ndata: {}\n\n"
	custom := &scenario.Response{Answer: "answer", Stream: &scenario.StreamPath{Delta: "text", Done: scenario.Conditions{{Path: "end"}}}}
	for _, c := range []struct {
		name, events string
		response     *scenario.Response
		model        string
		reason       Reason
	}{
		{"empty data", "data:\n\n" + delta + "data: \n\n" + done, nil, "", Complete},
		{"no data but a name", "event: open\ndata:\n\nevent: x\n\n" + delta + done, nil, "", Complete},
		{"ping events", "event: ping\ndata: {\"type\": \"ping\"}\n\nevent: ping\ndata: 2026-11-27T02:00:00Z\n\n" + delta + done, nil, "", Complete},
		{"ping texts", "data: ping\n\ndata: : keep-alive\n\n" + delta + "data: PING\n\ndata:heartbeat\n\n: ping\n\n" + done, nil, "", Complete},
		{"comments", ":\n\n: ping\n\n" + delta + ":\n" + done, nil, "", Complete},
		{"BOM", "\xef\xbb\xbf" + delta + done, nil, "", Complete},
		{"done without data", delta + "event: done\ndata:\n\n", nil, "", Complete},
		{"custom", "data:\n\nevent: keepalive\ndata: x\n\ndata: {\"text\":\"ok\"}\n\ndata: ping\n\nevent: end\ndata:\n\n", custom, "", Complete},
		{"openai", "data:\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\ndata: ping\n\ndata: [DONE]\n\n", nil, "m", Complete},
		{"a text", "data: pingpong\n\n" + delta + done, nil, "", Malformed},
		{"an error without data", "event: error\ndata:\n\n" + delta + done, nil, "", Malformed},
		{"an error that says ping", "event: error\ndata: ping\n\n" + delta + done, nil, "", Malformed},
		{"nothing but pings", "data: ping\n\ndata:\n\n", nil, "", Truncated},
	} {
		for _, wire := range []string{"1.1", "h2c"} {
			a := answer{200, []string{"Content-Type", "text/event-stream"}, c.events}
			target := a.wire(t, wire)
			target.Mode = scenario.ModeStream
			if c.response != nil {
				target.API, target.Request, target.Response = scenario.APICustom, &scenario.Request{Path: "/"}, c.response
			}
			if c.model != "" {
				target.API, target.Model = scenario.APIOpenAI, c.model
			}
			d := open(t, target, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			if r.Reason != c.reason || c.reason == Complete && string(r.Answer) != "ok" {
				t.Errorf("%s, %s: reason %d %q, answer %q", c.name, wire, r.Reason, r.Message, r.Answer)
			}
			line.Free(&r)
			line.Close()
		}
	}
}
