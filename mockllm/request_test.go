package mockllm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/cstest/cstest/mockllm/internal/canary"
	"github.com/cstest/cstest/mockllm/internal/openai"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

func TestBadInput(t *testing.T) {
	s, dial := tcp(t, Config{Models: []string{"gpt-4o", "qwen"}, ContextTokens: 50, MaxBody: 4096})
	with := func(fields string) string {
		return `{"model":"qwen","messages":[{"role":"user","content":"hi"}]` + fields + `}`
	}
	for _, tt := range []struct {
		path, body   string
		status       int
		param, code  string
		mustMention  string
		extraHeaders []string
	}{
		{chatPath, "", 400, "", "", "empty", nil},
		{chatPath, "{", 400, "", "", "parse", nil},
		{chatPath, `{"a":1}}`, 400, "", "", "parse", nil},
		{chatPath, "[]", 400, "", "", "object", nil},
		{chatPath, "\xff{}", 400, "", "", "UTF-8", nil},
		{chatPath, strings.Repeat("[", 2000) + strings.Repeat("]", 2000), 400, "", "", "deeper", nil},
		{chatPath, `{"model":"qwen"}`, 400, "messages", "", "missing", nil},
		{chatPath, `{"model":"qwen","messages":[]}`, 400, "messages", "", "at least one", nil},
		{chatPath, `{"model":"qwen","messages":{}}`, 400, "messages", "", "array", nil},
		{chatPath, `{"model":"qwen","messages":[3]}`, 400, "messages[0]", "", "object", nil},
		{chatPath, `{"model":"qwen","messages":[{"role":"boss","content":"x"}]}`, 400, "messages[0].role", "", "one of", nil},
		{chatPath, `{"model":"qwen","messages":[{"content":"x"}]}`, 400, "messages[0].role", "", "string", nil},
		{chatPath, `{"model":"qwen","messages":[{"role":"user"}]}`, 400, "messages[0].content", "", "string", nil},
		{chatPath, `{"model":"qwen","messages":[{"role":"user","content":[1]}]}`, 400, "messages[0].content", "", "part", nil},
		{chatPath, `{"messages":[{"role":"user","content":"x"}]}`, 400, "model", "", "model", nil},
		{chatPath, `{"model":7,"messages":[{"role":"user","content":"x"}]}`, 400, "model", "", "string", nil},
		{chatPath, `{"model":"gpt-9","messages":[{"role":"user","content":"x"}]}`, 404, "model", "model_not_found", "gpt-9", nil},
		{chatPath, with(`,"stream":"yes"`), 400, "stream", "", "boolean", nil},
		{chatPath, with(`,"stream_options":[]`), 400, "stream_options", "", "object", nil},
		{chatPath, with(`,"stream_options":{"include_usage":1}`), 400, "stream_options.include_usage", "", "boolean", nil},
		{chatPath, with(`,"max_tokens":0`), 400, "max_tokens", "", "at least 1", nil},
		{chatPath, with(`,"max_completion_tokens":1.5`), 400, "max_completion_tokens", "", "whole", nil},
		{chatPath, with(`,"temperature":3`), 400, "temperature", "", "from 0 to 2", nil},
		{chatPath, with(`,"temperature":1e999`), 400, "temperature", "", "from 0 to 2", nil},
		{chatPath, with(`,"n":129`), 400, "n", "", "from 1 to 128", nil},
		{chatPath, `{"model":"qwen","messages":[{"role":"user","content":"` + strings.Repeat("长", 51) + `"}]}`, 400, "messages", "context_length_exceeded", "50", nil},
		{chatPath, strings.Repeat(" ", 4097), 413, "", "request_too_large", "4096", nil},
		{textPath, `{"model":"qwen"}`, 400, "prompt", "", "missing", nil},
		{textPath, `{"model":"qwen","prompt":[]}`, 400, "prompt", "", "empty", nil},
		{textPath, `{"model":"qwen","prompt":[1,2]}`, 400, "prompt", "", "string", nil},
		{textPath, `{"model":"qwen","prompt":["a","b"]}`, 400, "prompt", "", "one", nil},
		{chatPath, with(""), 415, "", "unsupported_encoding", "Content-Encoding", []string{"Content-Encoding", "gzip"}},
		{"/v1/images", "{}", 404, "", "unknown_url", "unknown URL", nil},
	} {
		res, text := ask(t, dial, tt.path, tt.body, tt.extraHeaders...)
		e := parse[errorBody](t, text).Error
		if res.StatusCode != tt.status || value(e.Param) != tt.param || value(e.Code) != tt.code || !strings.Contains(e.Message, tt.mustMention) || e.Type != "invalid_request_error" {
			t.Errorf("%.60s: %d %s", tt.body, res.StatusCode, text)
		}
	}
	if res, text := ask(t, dial, chatPath, with(`,"stream":null,"stop":["x"],"tools":[{"type":"function","function":{"name":"f","deep":[[[]]]}}],"user":"u"`)); res.StatusCode != http.StatusOK {
		t.Errorf("good request: %d %s", res.StatusCode, text)
	}
	if f := s.Facts(); f.Outcomes["ok"] != 1 || f.Outcomes["invalid"] != 30 || f.InFlight != 0 {
		t.Errorf("outcomes %v", f.Outcomes)
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestWrongMethodAndPages(t *testing.T) {
	s, _ := tcp(t, Config{Models: []string{"b", "a\"x"}})
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
		contains     string
	}{
		{"GET", chatPath, 405, "POST", "use POST"},
		{"DELETE", textPath, 405, "POST", "use POST"},
		{"POST", "/v1/models", 405, "GET", "use GET"},
		{"GET", "/v1/models", 200, "", `"object":"list","data":[{"id":"b","object":"model"`},
		{"GET", "/models", 200, "", `{"id":"a\"x"`},
		{"GET", "/v1/models/a%22x", 200, "", `{"id":"a\"x","object":"model"`},
		{"GET", "/v1/models/c", 404, "", "model_not_found"},
		{"GET", "/healthz", 200, "", `{"status":"ok"}`},
		{"GET", "/metrics", 200, "", "mockllm_in_flight_calls 0"},
		{"GET", "/", 404, "", "unknown_url"},
		{"HEAD", "/healthz", 200, "", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, s.URL()+tt.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		text, res := roundTrip(t, http.DefaultClient, req)
		if res.StatusCode != tt.status || res.Header.Get("Allow") != tt.allow || !strings.Contains(text, tt.contains) {
			t.Errorf("%s %s: %d %v %s", tt.method, tt.path, res.StatusCode, res.Header, text)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, seed := range []string{
		hello, helloSSE, `{"prompt":["x⟦c:K7F3Q2ZA.1⟧"],"max_tokens":5,"temperature":0.3}`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"\ud800"}]}]}`,
		`{"messages":[{"role":"assistant","content":null,"tool_calls":[]}],"stream_options":{"include_usage":true}}`,
		`{"model":"\u0000","model":1e400}`, "[[[[", `{"":{"":[]}}`, "\xef\xbb\xbf{}", `{"max_tokens":-0}`, `{"prompt":"⟦c:"}`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	limits := &prompt.Limits{ContextTokens: 1000}
	f.Fuzz(func(t *testing.T, body []byte, chat bool) {
		r := prompt.Request{API: prompt.Completions}
		if chat {
			r.API = prompt.Chat
		}
		err := openai.DecodeCompletion(&r, body, limits)
		if err == nil && !json.Valid(body) {
			t.Errorf("took invalid JSON %q", body)
		}
		if err != nil {
			if e := prompt.ErrorOf(err); e.Status < 400 || e.Status > 404 || !json.Valid(openai.AppendError(nil, e)) {
				t.Errorf("error %+v", err)
			}
			return
		}
		if r.Model == "" || r.PromptTokens < 0 || r.PromptTokens > limits.ContextTokens || len(r.Canaries) > canary.Max || r.MaxTokens < 0 {
			t.Errorf("decoded %+v", r)
		}
		if model, question, ok := otherDecoder(body, chat); ok && (r.Model != model || r.Question != question) {
			t.Errorf("model %q and question %q, encoding/json finds %q and %q", r.Model, r.Question, model, question)
		}
		f := openai.Frame{Reply: prompt.Reply{ID: [16]byte([]byte("0123456789abcdef")), Model: r.Model, N: 1}, Chat: chat}
		if answer := f.Whole(nil, r.Question, "stop", prompt.Usage{}); !json.Valid(answer) {
			t.Errorf("answer is not JSON: %q", answer)
		}
	})
}

// otherDecoder finds model and question with encoding/json, in the bodies where
// it must find the same: no escapes, plain contents.
func otherDecoder(body []byte, chat bool) (model, question string, ok bool) {
	var v map[string]any
	if bytes.ContainsAny(body, "\\") || json.Unmarshal(body, &v) != nil {
		return "", "", false
	}
	model, _ = v["model"].(string)
	model = cmp.Or(model, prompt.AnyModel)
	if !chat {
		question, ok = v["prompt"].(string)
		return model, question, ok
	}
	if bytes.Count(body, []byte(`"messages"`)) != 1 {
		return "", "", false
	}
	list, _ := v["messages"].([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		text, plain := m["content"].(string)
		if !plain {
			return "", "", false
		}
		if m["role"] == "user" {
			question = text
		}
	}
	return model, question, true
}
