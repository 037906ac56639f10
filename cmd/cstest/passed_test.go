package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

// A condition that is mistyped is seen: what came instead of the answer stands in what
// `cstest try` shows and in the errors of a report, without secrets.
func TestMistypedConditionIsSeen(t *testing.T) {
	t.Parallel()
	const key = "sk-a-key-that-nobody-may-see"
	var once atomic.Bool // the next socket is answered as the scenario has it
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow() //nolint:errcheck // the end of the conversation
		kind := "reply"
		if once.Swap(false) {
			kind = "replay"
		}
		for {
			if _, _, err := c.Read(context.Background()); err != nil {
				return
			}
			for _, text := range []string{`{"type":"typing"}`, `{"type":"` + kind + `","for":"` + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + `","text":"\u001b[31m好的"}`} {
				_ = c.Write(context.Background(), websocket.MessageText, []byte(text))
			}
		}
	}))
	defer srv.Close()
	path := write(t, `version: 1
name: typo
target:
  url: `+srv.URL+`
  api: custom
  mode: websocket
  timeout: 300ms
  auth: {bearer: "${env:CHAT_KEY}"}
  socket: {path: /}
  request: {body: {text: "${turn.text}"}}
  response: {answer: text, is_answer: {path: type, equals: replay}}
load: {users: 2, for: 2s}
conversations: [{name: c, turns: [{say: 在吗}]}]
checks: {memory: off}
sla: {availability: 99%}
`)
	const (
		english = "no whole answer within the timeout; 2 messages came, response.is_answer holds for none: what is at type does not fit (equals: replay)"
		chinese = "超时前没有完整的应答；收到 2 条消息，response.is_answer 对它们都不成立：type 处的内容不符（equals: replay）"
	)
	for lang, want := range map[string][]string{"en": {english, `such as {"type":"reply","for":"[redacted]"`}, "zh": {chinese, `例如 {"type":"reply","for":"[redacted]"`}} {
		got := cstest(t, "try", path, "-e", "CHAT_KEY="+key, "--lang", lang)
		all := got.stdout + got.stderr
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("try in %s does not say %q:\n%s", lang, w, all)
			}
		}
		if got.code != 69 || strings.Contains(all, key) || strings.Contains(all, "\x1b[31m") {
			t.Errorf("exit %d, or what must not be there is:\n%q", got.code, all)
		}
	}
	refused := cstest(t, "run", path, "-e", "CHAT_KEY="+key, "--no-tui", "--results-dir", filepath.Join(t.TempDir(), "none"))
	if refused.code != 69 || !strings.Contains(refused.stderr, english) {
		t.Errorf("exit %d, before the load it is not said:\n%s", refused.code, refused.stderr)
	}
	once.Store(true)
	dir := filepath.Join(t.TempDir(), "out")
	r := measured(t, "run", path, "-e", "CHAT_KEY="+key, "--no-tui", "--results-dir", dir)
	doc := open(t, dir)
	if len(doc.Errors) != 1 || doc.Errors[0].Outcome != "timeout" || doc.Errors[0].Message != english || !strings.HasPrefix(doc.Errors[0].Sample, `{"type":"reply","for":"`) {
		t.Fatalf("exit %d, errors %+v", r.code, doc.Errors)
	}
	if sample := doc.Errors[0].Sample; strings.Contains(sample, key) || strings.ContainsRune(sample, 0x1b) {
		t.Errorf("the sample is %q", sample)
	}
	if zh := cstest(t, "report", dir, "--lang", "zh", "--no-color"); !strings.Contains(zh.stdout, "收到 2 条消息") {
		t.Errorf("the report in Chinese:\n%s", zh.stdout)
	}
}
