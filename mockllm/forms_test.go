package mockllm

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// asking is a good request of each API, without its closing brace.
var asking = map[string]string{
	"/v1/chat/completions": `{"messages":[{"role":"user","content":"你好"}]`,
	"/v1/completions":      `{"prompt":"你好"`,
	"/v1/responses":        `{"input":"你好"`,
	"/v1/messages":         `{"model":"c","max_tokens":500,"messages":[{"role":"user","content":"你好"}]`,
	"/v1/embeddings":       `{"input":["你好","再见"],"dimensions":4`,
	"/v1/moderations":      `{"input":["你好","kill"]`,
}

// TestFaultsOfEveryAPI: each fault does to each API, streamed or not, what its
// name says, and leaves the server well.
func TestFaultsOfEveryAPI(t *testing.T) {
	s, dial := tcp(t, Config{})
	for path, open := range asking {
		streams := !strings.HasSuffix(path, "embeddings") && !strings.HasSuffix(path, "moderations")
		for _, fault := range Kinds() {
			if fault == "hang" || fault == "reset" {
				continue // nothing to read: TestHTTP2Faults and TestFaults have them
			}
			for _, stream := range []bool{false, true} {
				if stream && !streams {
					continue
				}
				header := fault
				if fault == "oversized" {
					header += ";size=100KiB"
				}
				if fault == "fail-first" {
					header += ";attempts=1000"
				}
				if fault == "drip" {
					header += ";bytes_per_s=1MiB"
				}
				c := dial(t)
				send(t, c, "POST", path, fmt.Sprintf(`%s,"stream":%v}`, open, stream), "X-Mock-Fault", header)
				res, text, err := answerOf(t, bufio.NewReader(c))
				_ = c.Close()
				checkFault(t, fmt.Sprintf("%s %s stream=%v", path, fault, stream), fault, stream, streams, res, text, err)
			}
		}
	}
	waitFor(t, func() bool { return s.InFlight() == 0 })
}

func checkFault(t *testing.T, name, fault string, stream, speaks bool, res *http.Response, text string, err error) {
	t.Helper()
	last := strings.Contains(text, "[DONE]") || strings.Contains(text, "message_stop") || strings.Contains(text, `"type":"response.completed"`)
	whole := !stream && json.Valid([]byte(text)) || stream && last
	ok := true
	switch fault {
	case "status", "fail-first":
		ok = res.StatusCode == http.StatusServiceUnavailable && gjson.Get(text, "error.message").Str != ""
	case "slow", "leak", "escape", "wrong-content-type", "drip":
		ok = res.StatusCode == http.StatusOK && whole && err == nil
	case "truncate":
		ok = !whole && (err != nil) == !stream
	case "garbage":
		ok = res.StatusCode == http.StatusOK && strings.Contains(text, "NaN,}]") && (stream || !json.Valid([]byte(text)))
	case "html":
		ok = strings.Contains(text, "<html>")
	case "empty":
		ok = text == "" && res.StatusCode == http.StatusOK
	case "oversized":
		ok = whole && len(text) >= 100<<10 && len(text) < 110<<10
		if stream && speaks {
			ok = last && len(text) >= 100<<10
		}
	case "error-in-stream":
		ok = res.StatusCode == http.StatusOK && !last && strings.Contains(text, "server had an error") || strings.Contains(text, "overloaded")
	}
	if !ok {
		t.Errorf("%s: %d, %v, %.300q", name, res.StatusCode, err, text)
	}
}

// TestHollowAnswers: an answer without content is still in the API's form.
func TestHollowAnswers(t *testing.T) {
	_, dial := tcp(t, Config{})
	for path, want := range map[string]string{
		"/v1/chat/completions": "choices", "/v1/completions": "choices", "/v1/responses": "output",
		"/v1/messages": "content", "/v1/embeddings": "data", "/v1/moderations": "results",
	} {
		res, text := ask(t, dial, path, asking[path]+"}", "X-Mock-Fault", "empty;value=choices")
		if list := gjson.Get(text, want); res.StatusCode != http.StatusOK || !gjson.Valid(text) || !list.IsArray() || len(list.Array()) != 0 {
			t.Errorf("%s: %d %s", path, res.StatusCode, text)
		}
	}
}

// TestBadInputOfOtherAPIs: what cannot be honoured is refused by name, in the
// shape of the API.
func TestBadInputOfOtherAPIs(t *testing.T) {
	_, dial := tcp(t, Config{Models: []string{"c"}})
	for _, tt := range []struct{ path, more, mention string }{
		{"/v1/responses", `"input":[]`, "'input'"},
		{"/v1/responses", `"input":[{"role":"user","content":[1]}]`, "input[0]"},
		{"/v1/responses", `"input":[{"role":"boss","content":"x"}]`, "input[0].role"},
		{"/v1/responses", `"input":[{"type":"computer_call"}]`, "input[0].type"},
		{"/v1/responses", `"input":"x","conversation":"c1"`, "conversation"},
		{"/v1/responses", `"input":"x","background":true`, "background"},
		{"/v1/responses", `"input":"x","tools":[{"type":"web_search"}]`, "tools[0].type"},
		{"/v1/responses", `"input":"x","tool_choice":"required"`, "tool_choice"},
		{"/v1/responses", `"input":"x","text":{"format":{"type":"xml"}}`, "text.format.type"},
		{"/v1/responses", `"input":"x","text":{"format":{"type":"json_schema","name":"s","schema":{"type":"object","required":["p"],"properties":{"p":{"not":{}}}}}}`, "schema"},
		{"/v1/responses", `"input":"x","reasoning":{"effort":"extreme"}`, "reasoning.effort"},
		{"/v1/responses", `"input":"x","max_output_tokens":0`, "max_output_tokens"},
		{"/v1/responses", ``, "'input'"},
		{"/v1/messages", `"messages":[{"role":"user","content":"x"}]`, "max_tokens: field required"},
		{"/v1/messages", `"max_tokens":5`, "messages"},
		{"/v1/messages", `"max_tokens":5,"messages":[{"role":"system","content":"x"}]`, "messages.0.role"},
		{"/v1/messages", `"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text"}]}]`, "messages.0.content.0.text"},
		{"/v1/messages", `"max_tokens":5,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"bash_20250124","name":"bash"}]`, "tools.0.type"},
		{"/v1/messages", `"max_tokens":5,"messages":[{"role":"user","content":"x"}],"tool_choice":{"type":"tool"}`, "tool_choice.name"},
		{"/v1/messages", `"max_tokens":5,"messages":[{"role":"user","content":"x"}],"temperature":1.5`, "temperature"},
		{"/v1/messages", `"max_tokens":5,"messages":[{"role":"user","content":"x"}],"thinking":{"type":"enabled","budget_tokens":5}`, "budget_tokens"},
		{"/v1/messages", `"max_tokens":5,"messages":[{"role":"user","content":"x"}],"stop_sequences":[""]`, "stop_sequences"},
		{"/v1/embeddings", `"input":""`, "'input'"},
		{"/v1/embeddings", `"input":["a",{}]`, "input[1]"},
		{"/v1/embeddings", `"input":"a","dimensions":0`, "dimensions"},
		{"/v1/embeddings", `"input":"a","encoding_format":"hex"`, "encoding_format"},
		{"/v1/moderations", `"input":7`, "'input'"},
	} {
		res, text := ask(t, dial, tt.path, `{"model":"c",`+strings.TrimSuffix(tt.more, ",")+`}`)
		if tt.more == "" {
			res, text = ask(t, dial, tt.path, `{"model":"c"}`)
		}
		message := gjson.Get(text, "error.message").Str
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(message, tt.mention) || gjson.Get(text, "error.type").Str != "invalid_request_error" {
			t.Errorf("%s %s: %d %s", tt.path, tt.more, res.StatusCode, text)
		}
		if anthropic := gjson.Get(text, "type").Str == "error"; anthropic != (tt.path == "/v1/messages") {
			t.Errorf("%s: shape of %s", tt.path, text)
		}
	}
	if res, text := ask(t, dial, "/v1/messages", `{"model":"d","max_tokens":5,"messages":[{"role":"user","content":"x"}]}`); res.StatusCode != http.StatusNotFound || gjson.Get(text, "error.type").Str != "not_found_error" {
		t.Errorf("unknown model: %d %s", res.StatusCode, text)
	}
}

// TestEmbeddingsAreOfTheTextAlone: equal inputs have equal vectors, on any
// server, wherever they stand.
func TestEmbeddingsAreOfTheTextAlone(t *testing.T) {
	_, one := tcp(t, Config{Seed: 1})
	_, two := tcp(t, Config{Seed: 2})
	_, a := ask(t, one, "/v1/embeddings", `{"input":["x","y"],"dimensions":64}`)
	_, b := ask(t, two, "/openai/deployments/emb/embeddings", `{"input":"y","dimensions":64}`)
	if v, w := gjson.Get(a, "data.1.embedding").Raw, gjson.Get(b, "data.0.embedding").Raw; v != w || v == gjson.Get(a, "data.0.embedding").Raw || len(gjson.Parse(v).Array()) != 64 {
		t.Errorf("%s\nand %s", v, w)
	}
	if gjson.Get(b, "model").Str != "emb" {
		t.Errorf("the deployment is not the model: %s", b)
	}
}

// TestQuotasComeBackEvenly: what is over is refused until as much has come back.
func TestQuotasComeBackEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Answers: []Answer{{Match: ".", Say: "好"}}, Limits: Limits{Requests: quota(t, "60/m"), Tokens: quota(t, "100/m")}})
		defer s.stop()
		c := dial(t)
		defer c.Close()
		r := bufio.NewReader(c)
		try := func(path, body string) *http.Response {
			go func() { _, _ = io.WriteString(c, wireForm("POST", path, body)) }()
			res, _, err := answerOf(t, r)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		large := `{"messages":[{"role":"user","content":"` + strings.Repeat("长", 79) + `"}]}` // 79 and 1 tokens
		res := try(chatPath, large)
		if h := res.Header; res.StatusCode != http.StatusOK || h.Get("X-Ratelimit-Remaining-Tokens") != "20" || h.Get("X-Ratelimit-Reset-Tokens") != "48s" || h.Get("X-Ratelimit-Remaining-Requests") != "59" || h.Get("X-Ratelimit-Reset-Requests") != "1s" {
			t.Errorf("first: %d %v", res.StatusCode, h)
		}
		res = try(chatPath, large)
		if h := res.Header; res.StatusCode != http.StatusTooManyRequests || h.Get("Retry-After") != "36" || h.Get("X-Ratelimit-Remaining-Tokens") != "20" {
			t.Errorf("second: %d %v", res.StatusCode, h)
		}
		time.Sleep(36 * time.Second)
		if res = try(chatPath, large); res.StatusCode != http.StatusOK {
			t.Errorf("after Retry-After: %d", res.StatusCode)
		}
		res = try("/v1/messages", `{"model":"c","max_tokens":9,"messages":[{"role":"user","content":"`+strings.Repeat("长", 120)+`"}]}`)
		if h := res.Header; res.StatusCode != http.StatusTooManyRequests || h.Get("Retry-After") != "" || h.Get("Anthropic-Ratelimit-Tokens-Limit") != "100" {
			t.Errorf("larger than the quota: %d %v", res.StatusCode, h)
		}
		if f := s.Client(); f.RetriedEarly.Of != 0 || f.Untraced == 0 || s.Facts().Outcomes["status_429"] != 2 {
			t.Errorf("facts %+v", s.Facts().Outcomes)
		}
	})
}

// TestReasoningTakesTimeAndTokens: thinking comes before the first token, is
// paid for, and may leave nothing for the answer.
func TestReasoningTakesTimeAndTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{
			ReasoningTokens: 100, Answers: []Answer{{Match: ".", Say: "好"}},
			Latency: Latency{FirstToken: &Dist{Constant: ms(50)}, PerToken: &Dist{Constant: ms(10)}},
		})
		defer s.stop()
		for _, tt := range []struct {
			path, more, reasoned, finish string
			tokens                       int64
			took                         time.Duration
		}{
			{chatPath, ``, "usage.completion_tokens_details.reasoning_tokens", "choices.0.finish_reason:stop", 100, 1050},
			{chatPath, `,"reasoning_effort":"low"`, "usage.completion_tokens_details.reasoning_tokens", "choices.0.finish_reason:stop", 50, 550},
			{chatPath, `,"reasoning_effort":"none"`, "usage.completion_tokens_details.reasoning_tokens", "choices.0.finish_reason:stop", 0, 50},
			{chatPath, `,"max_completion_tokens":30`, "usage.completion_tokens_details.reasoning_tokens", "choices.0.finish_reason:length", 30, 350},
			{"/v1/responses", `,"reasoning":{"effort":"high"}`, "usage.output_tokens_details.reasoning_tokens", "status:completed", 200, 2050},
			{"/v1/messages", `,"thinking":{"type":"disabled"}`, "usage.reasoning", "stop_reason:end_turn", 0, 50},
			{"/v1/completions", ``, "usage.completion_tokens_details.reasoning_tokens", "choices.0.finish_reason:stop", 0, 50},
		} {
			c := dial(t)
			began := time.Now()
			go func() { _, _ = io.WriteString(c, wireForm("POST", tt.path, asking[tt.path]+tt.more+"}")) }()
			_, text, err := answerOf(t, bufio.NewReader(c))
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			_ = c.Close()
			at, want, _ := strings.Cut(tt.finish, ":")
			if gjson.Get(text, tt.reasoned).Int() != tt.tokens || took != tt.took*time.Millisecond || gjson.Get(text, at).Str != want {
				t.Errorf("%s%s took %v: %s", tt.path, tt.more, took, text)
			}
			if tt.finish == "choices.0.finish_reason:length" && gjson.Get(text, "choices.0.message.content").Str != "" {
				t.Errorf("an answer after all tokens were thought away: %s", text)
			}
		}
	})
}

// FuzzAPIs: whatever the body, each API answers JSON or refuses it, without a panic.
func FuzzAPIs(f *testing.F) {
	paths := []string{"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/v1/moderations"}
	for i, path := range paths {
		f.Add(uint8(i), asking[path]+"}")
		f.Add(uint8(i), asking[path]+`,"tools":[{"type":"function","name":"f","input_schema":{},"function":{"name":"f"}}],"tool_choice":{"type":"any"}}`)
	}
	f.Add(uint8(4), `{"input":[[1,2],[3]],"encoding_format":"base64"}`)
	f.Add(uint8(5), `{"input":[{"type":"text","text":"bomb"},{"type":"image_url"}]}`)
	set, err := newSetup(Config{MaxBody: 1 << 16})
	if err != nil {
		f.Fatal(err)
	}
	s := newServer(set)
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		api := prompt.API(which % uint8(len(paths)))
		c := &call{srv: s, set: set, start: time.Unix(1, 0)}
		in := &inbound{api: api, body: []byte(text)}
		if err := c.prepare(in); err != nil {
			if e := prompt.ErrorOf(err); e.Status < 400 || e.Status > 404 || !json.Valid(appendError(nil, api, e)) {
				t.Errorf("error %+v", e)
			}
			return
		}
		if c.vectors != nil && len(text) > 1000 {
			return // large, and the same
		}
		if out := c.body.Whole(nil, c.text+string(c.echo), c.finish, c.usage()); !json.Valid(out) {
			t.Errorf("%s answers %q to %q", api, out, text)
		}
		if c.events == nil {
			return
		}
		for line := range strings.SplitSeq(string(c.streamed()), "\n") {
			if data, ok := strings.CutPrefix(line, "data: "); ok && data != "[DONE]" && !json.Valid([]byte(data)) {
				t.Errorf("%s streams %q to %q", api, data, text)
			}
		}
	})
}
