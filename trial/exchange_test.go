package trial

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// What was undone of a body is said; what could not be is not shown.
func TestDecoded(t *testing.T) {
	for _, tt := range []struct{ name, raw, want, body string }{
		{"whole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi"},
		{
			"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhi!",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n(decoded from chunked, 3 bytes)\nhi!", "hi!",
		},
		{
			"chunked br", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: br\r\n\r\n您好",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: br\r\n\r\n(decoded from chunked, br, 6 bytes)\n您好", "您好",
		},
		{
			"no gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\xff\xfe",
			"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n(2 bytes of gzip)", "",
		},
		{"a BOM", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\ufeff{}", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\ufeff{}", "{}"},
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
	text := e.Text(reason.English)
	for _, want := range []string{"dialog_id      id  not found", "answer         data.reply  found: hi [redacted]", "ok             ok  found: false", `{"t":{"v":"[redacted]"}}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	target.Response.OK[0].Path = "code"
	e.Paths = pathsOf(target, "", `{"code":0}`)
	if text := e.Text(reason.English); !strings.Contains(text, "found: 0, which is not true: where that means that all is well, write ok: {path: code, equals: 0}\n") {
		t.Errorf("of a number nothing is said in\n%s", text)
	}
	target.Response.OK = scenario.Conditions{{Path: "ok"}}
	target.Mode = scenario.ModeStream
	streamed := pathsOf(target, "", "data: {\"id\":\"d1\"}\n\ndata: {\"data\":{\"reply\":\"x\"}}\n\ndata: [DONE]\n")
	if !streamed[0].Found || streamed[0].Value != "d1" || !streamed[1].Found || streamed[2].Found {
		t.Errorf("got %+v", streamed)
	}
	target.Response = &scenario.Response{Answer: "body:text", OK: scenario.Conditions{{Path: "sse:event"}}}
	if named := pathsOf(target, "", "event: typing\ndata: soon\n\nevent: answer\ndata: it comes\n\n"); named[0].Value != "it comes" || named[1].Value != "answer" {
		t.Errorf("got %+v", named)
	}
}

// What a model tells of its tokens is shown, and that it tells nothing.
func TestTokensAreShown(t *testing.T) {
	e := Exchange{Usage: driver.Usage{Answers: 2, Told: 1, Calls: 1, Input: 51, Output: 7}}
	for lang, want := range map[reason.Lang]string{reason.English: "tokens     51 in, 7 out; of 2 answers 1 told; 1 tool calls\n", reason.Chinese: "token      输入 51，输出 7；2 个应答中有 1 个告知；工具调用 1 次\n"} {
		if text := e.Text(lang); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	e.Usage.Told = 0
	if text := e.Text(reason.English); !strings.Contains(text, "tokens     not told (2 answers); 1 tool calls\n") {
		t.Error(text)
	}
	e.Usage = driver.Usage{}
	if text := e.Text(reason.English); strings.Contains(text, "tokens") {
		t.Error(text)
	}
}
