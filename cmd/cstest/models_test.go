package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/result"
)

// A run against a model: its tools are answered, its tokens summed against those of the
// mock's own books, and its cost told; of one that tells none it is said that it does not.
func TestRunAgainstAModel(t *testing.T) {
	t.Parallel()
	mock := mockllm.RunT(t, mockllm.Config{
		Latency: mockllm.Constant(2 * time.Millisecond),
		Answers: []mockllm.Answer{{Match: "订单", Say: "您的订单已发货。", Tool: "get_order", Arguments: `{"no":"E1"}`}, {Match: "你好", Say: "您好!"}},
	})
	dir := t.TempDir()
	file, results := filepath.Join(dir, "x.yaml"), filepath.Join(dir, "r")
	png := []byte("\x89PNG\r\n\x1a\n")
	if err := os.WriteFile(filepath.Join(dir, "box.png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
	text := `
version: 1
name: model
target:
  url: ` + mock.URL() + `
  api: openai
  model: gpt-4o-mini
  mode: stream
  openai:
    system: 你是客服
    tools: [{name: get_order, parameters: {type: object, properties: {no: {type: string}}}, result: {state: shipped, of: "${tool.arguments}"}}]
  request: {path: "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"%s}
  prices: {input: 1000, output: 2000}
load: {users: 2, conversations: 20, think: 0s}
conversations: [{name: c, turns: [{say: 你好, parts: [{image: box.png}, {text: 请看}]}, {say: 我的订单, expect: {contains: 已发货}}]}]
sla: {latency: {p50: 3s}, objectives: [{name: expected, kind: expected, target: 50%%}]}
`
	run := func(extra string) *result.Document {
		t.Helper()
		if err := os.WriteFile(file, fmt.Appendf(nil, text, extra), 0o600); err != nil {
			t.Fatal(err)
		}
		got := measured(t, "run", file, "--no-tui", "--results-dir", results)
		if got.code != 0 && got.code != 11 {
			t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		d, err := result.Read(results)
		if err != nil {
			t.Fatal(err)
		}
		if extra != "" && !strings.Contains(got.stdout, "not told (told by 0 of the model's 60 answers)") {
			t.Errorf("the report does not say that nothing was told:\n%s", got.stdout)
		}
		return d
	}
	d := run("")
	u := d.Usage
	if d.Counts.OK != 40 || u == nil || u.Answers != 60 || u.Told != 60 || u.ToolCalls != 20 || u.Turns != 40 || u.TurnsTold != 40 || u.CachedTokens != nil {
		t.Fatalf("counts %+v, usage %+v", d.Counts, u)
	}
	if d.TokenTime == nil || d.TokenTime.N != 40 {
		t.Errorf("times of a token: %+v", d.TokenTime)
	}
	want := (float64(*u.InputTokens)*1000 + float64(*u.OutputTokens)*2000) / 1e6
	if c := u.Cost; c == nil || c.AtLeast || c.Total < want*0.999 || c.Total > want*1.001 {
		t.Errorf("cost %+v, want %v", c, want)
	}
	facts := mock.Facts()
	if facts.Calls < 60 || facts.Outcomes["invalid"] != 0 { // and that before the run
		t.Errorf("the mock was called %d times: %+v", facts.Calls, facts.Outcomes)
	}
	if err := os.RemoveAll(results); err != nil {
		t.Fatal(err)
	}
	if u := run(", body: {stream_options: null}").Usage; u == nil || u.Answers != 60 || u.Told != 0 || u.InputTokens != nil || u.Cost != nil {
		t.Errorf("usage %+v", u)
	}
}

// From an OpenAPI document to one conversation with the server that it describes.
func TestInitFromDescription(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Text    string
			Channel string
		}
		if json.NewDecoder(r.Body).Decode(&q) != nil || q.Channel != "web" || r.URL.Path != "/api/chat" || r.Header.Get("X-Api-Key") != "k-1" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"data":{"reply":%q}}`, "您问的是："+q.Text)
	}))
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	api := write("api.yaml", `openapi: 3.0.0
info: {title: chat, version: 2024-01-01}
servers: [{url: "`+srv.URL+`/api"}]
security: [{key: []}]
paths:
  /chat:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: [text, channel], properties: {text: {type: string}, channel: {type: string, enum: [web]}}}}}}
      responses: {"200": {content: {application/json: {schema: {type: object, properties: {data: {type: object, properties: {reply: {type: string}}}}}}}}}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Api-Key}}}
`)
	postman := write("postman.json", `{"info":{},"variable":[{"key":"base","value":"`+srv.URL+`/api"}],"item":[{"name":"say","request":{"method":"POST","url":"{{base}}/chat",
"auth":{"type":"apikey","apikey":[{"key":"key","value":"X-Api-Key"},{"key":"value","value":"{{api_key}}"}]},"body":{"mode":"raw","raw":"{\"text\": \"你好\", \"channel\": \"web\"}"}},
"response":[{"code":200,"body":"{\"data\":{\"reply\":\"您好，请讲。\"}}"}]}]}`)
	for from, source := range map[string]string{"openapi": api, "postman": postman} {
		file := filepath.Join(dir, from+"-made.yaml")
		got := cstest(t, "init", "--from", from, source, file)
		if got.code != 0 || !strings.Contains(got.stderr, "guessed: POST") || !strings.Contains(got.stderr, "CHAT_API_KEY") {
			t.Errorf("%s: exit %d\n%s", from, got.code, got.stderr)
			continue
		}
		try := command(t, "try", file)
		try.Env = append(try.Env, "CHAT_API_KEY=k-1")
		if got := finished(t, try); got.code != 0 || !strings.Contains(got.stdout, "您问的是：") {
			t.Errorf("%s: exit %d\n%s%s", from, got.code, got.stdout, got.stderr)
		}
	}
	if got := cstest(t, "init", "--from", "openapi", write("none.yaml", "openapi: 3.0.0\npaths: {/a: {get: {}}}\n"), filepath.Join(dir, "n.yaml")); got.code != 64 || !strings.Contains(got.stderr, "no operation takes a text") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
}
