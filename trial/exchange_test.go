package trial

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/cstest/cstest/scenario"
)

// Chunks are put together and compression undone; what cannot be is left or said.
func TestDecoded(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(`{"answer":"您好"}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, raw, want, body string }{
		{"whole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi"},
		{
			"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n(decoded from chunked, 3 bytes)\nhi!", "hi!",
		},
		{
			"chunked, cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n5\r\nab",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n(decoded from chunked, broken off after 4 bytes: unexpected EOF)\nhiab", "hiab",
		},
		{
			"gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + z.String(),
			"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n(decoded from gzip, 19 bytes)\n{\"answer\":\"您好\"}", `{"answer":"您好"}`,
		},
		{
			"no gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhi",
			"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n(2 bytes, gzip: unexpected EOF)", "",
		},
		{"HTTP/2", "HTTP/2 200\r\n\r\nhi", "HTTP/2 200\r\n\r\nhi", "hi"},
		{"garbage", "\x1b[31m", "\x1b[31m", ""},
	} {
		if got, body := decoded(tt.raw); got != tt.want || body != tt.body {
			t.Errorf("%s: got %q and body %q, want %q and %q", tt.name, got, body, tt.want, tt.body)
		}
	}
}

// Every path of the mapping says what it found; values that a login saved are
// masked wherever they stand.
func TestPathsAndSavedValues(t *testing.T) {
	target := &scenario.Target{
		Response: &scenario.Response{Answer: "data.reply", DialogID: "id", OK: scenario.Conditions{{Path: "ok"}}},
		Login:    &scenario.Login{Save: map[string]string{"token": "t.v"}},
	}
	e := Exchange{
		Before: []Message{{"POST /login", `{"t":{"v":"secret-token"}}`}},
		Paths:  pathsOf(target, "", `{"data":{"reply":"hi secret-token"},"ok":false}`),
	}
	e.redact(savedBy(&target.Login.All()[0], "", `{"t":{"v":"secret-token"}}`), func(s string) string { return s })
	text := e.String()
	for _, want := range []string{"dialog_id      id  not found", "answer         data.reply  found: hi [redacted]", "ok             ok  found: false", `{"t":{"v":"[redacted]"}}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	target.Mode = scenario.ModeStream
	streamed := pathsOf(target, "", "data: {\"id\":\"d1\"}\n\ndata: {\"data\":{\"reply\":\"x\"}}\n\ndata: [DONE]\n")
	if !streamed[0].Found || streamed[0].Value != "d1" || !streamed[1].Found || streamed[2].Found {
		t.Errorf("got %+v", streamed)
	}
}
