package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// wireRule is a rule of Classify and what a server does that falls under it: a
// document where the answer comes whole, or in a job; events where it is a stream.
type wireRule struct {
	name    string
	api     scenario.API
	status  int    // 0: 200
	whole   string // empty: the wire cannot say this
	stream  string
	outcome measure.Outcome
	message string // of a whole answer
	piece   string // of a stream; empty: the same
	job     string // of a job; empty: the same
}

// said makes a stream of events that each hold a document, and end.
func said(api scenario.API, docs ...string) string {
	b := ""
	for _, doc := range docs {
		b += "data: " + doc + "\n\n"
	}
	switch api {
	case scenario.APIOpenAI:
		return b + "data: [DONE]\n\n"
	case scenario.APIReference:
		return strings.ReplaceAll(b, "data: ", "event: delta\ndata: ") + "event: done\ndata: {}\n\n"
	case scenario.APIArticle, scenario.APICustom:
	}
	return b + "event: end\ndata: {}\n\n"
}

// cut is a stream without its end.
func cutOff(stream string) string {
	return stream[:strings.LastIndex(stream[:len(stream)-2], "\n\n")+2]
}

const (
	custom = scenario.APICustom
	openai = scenario.APIOpenAI
	bundle = scenario.APIReference
)

var wireRules = []wireRule{
	{
		name: "a good answer", api: custom, whole: `{"success":true,"tier":"gold","text":"好的"}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"text":"的"}`), outcome: measure.OK,
	},
	{
		name: "ok false", api: custom, whole: `{"success":false,"tier":"gold","text":"好的"}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"success":false,"text":""}`), outcome: measure.ServerError, message: "response.ok is not true",
	},
	{
		name: "ok false, and nothing more", api: custom, whole: `{"success":false}`,
		stream: cutOff(said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"success":false}`)), outcome: measure.ServerError, message: "response.ok is not true",
	},
	{
		name: "ok a word", api: custom, whole: `{"success":"true","tier":"gold","text":"好的"}`,
		stream: said(custom, `{"success":"true","tier":"gold","text":"好的"}`), outcome: measure.ServerError, message: "response.ok is not true",
	},
	{
		name: "ok missing", api: custom, whole: `{"tier":"gold","text":"好的"}`,
		stream: said(custom, `{"tier":"gold","text":"好"}`, `{"text":"的"}`), outcome: measure.ServerError, message: "response.ok is not in the answer",
	},
	{
		name: "a tier unmapped", api: custom, whole: `{"success":true,"tier":"llm","text":"好的"}`,
		stream: said(custom, `{"success":true,"tier":"llm","text":"好的"}`), outcome: measure.Degraded, message: measure.UnmappedTier,
	},
	{
		name: "a tier below the model's", api: custom, whole: `{"success":true,"tier":"tin","text":"好的"}`,
		stream: said(custom, `{"success":true,"text":"好的"}`, `{"tier":"tin"}`), outcome: measure.Degraded, message: "degraded",
	},
	{
		name: "a canned line", api: custom, whole: `{"success":true,"tier":"gold","text":"系统繁忙，请稍后再试"}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"系统繁"}`, `{"text":"忙，请稍后再试"}`), outcome: measure.Degraded, message: "canned line",
	},
	{
		name: "no answer", api: custom, whole: `{"success":true,"tier":"gold"}`,
		stream: said(custom, `{"success":true,"tier":"gold"}`), outcome: measure.ServerError, message: "no answer in the response: there is no text at text", piece: "the answer is empty: there is no text at text",
		job: "the job ended without an answer",
	},
	{
		name: "an answer of space", api: custom, whole: `{"success":true,"tier":"gold","text":" \n"}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":" \n"}`), outcome: measure.ServerError, message: "empty answer",
	},
	{
		name: "an error text", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","error":"backend down"}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"error":"backend down"}`), outcome: measure.ServerError, message: "an error in the answer: backend down", piece: "error event: backend down",
	},
	{
		name: "an error object", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","error":{"message":"backend\u001b down"}}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"error":{"message":"backend\u001b down"}}`), outcome: measure.ServerError, message: "an error in the answer: backend? down", piece: "error event: backend? down",
	},
	{
		name: "an error number", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","error":502}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"error":502}`), outcome: measure.ServerError, message: "an error in the answer", piece: "error event",
	},
	{
		name: "an error true", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","error":true,"message":"down"}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"error":true,"message":"down"}`), outcome: measure.ServerError, message: "an error in the answer: down", piece: "error event: down",
	},
	{
		name: "an error list", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","error":[{"code":1}]}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"error":[{"code":1}]}`), outcome: measure.ServerError, message: "an error in the answer", piece: "error event",
	},
	{
		name: "a list of errors", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","errors":[{"message":"backend down","path":["x"]}]}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"errors":[{"message":"backend down"}]}`), outcome: measure.ServerError, message: "an error in the answer: backend down", piece: "error event: backend down",
	},
	{
		name: "a list of errors without texts", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","errors":["x"]}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`, `{"errors":["x"]}`), outcome: measure.ServerError, message: "an error in the answer", piece: "error event",
	},
	{
		name: "no list of errors", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","errors":[]}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好的","errors":null}`, `{"errors":[]}`, `{"errors":0}`, `{"errors":{"n":1}}`), outcome: measure.OK,
	},
	{
		name: "no error: null", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","error":null}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好的","error":null}`), outcome: measure.OK,
	},
	{
		name: "no error: false, 0, empty", api: custom, whole: `{"success":true,"tier":"gold","text":"好的","error":{}}`,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好的","error":false}`, `{"error":0}`, `{"error":""}`, `{"error":{}}`, `{"error":[]}`), outcome: measure.OK,
	},
	{
		name: "an error event", api: custom,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`+"\n\nevent: error\ndata: {\"message\":\"backend down\"}"), outcome: measure.ServerError, piece: "error event: backend down",
	},
	{
		name: "an error event that is no JSON", api: custom,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`+"\n\nevent: error\ndata: backend down"), outcome: measure.ServerError, piece: "error event: backend down",
	},
	{
		name: "an error event without data", api: custom,
		stream: said(custom, `{"success":true,"tier":"gold","text":"好"}`+"\n\nevent: error"), outcome: measure.ServerError, piece: "error event",
	},
	{
		name: "an error line", api: custom,
		stream: cutOff(said(custom, `{"success":true,"tier":"gold","text":"好"}`)) + "error: backend down\n", outcome: measure.ServerError, piece: "error event: backend down",
	},
	{
		name: "cut off", api: custom, stream: cutOff(said(custom, `{"success":true,"tier":"gold","text":"好的"}`)), outcome: measure.Truncated,
		piece: "the stream ended without its terminal event; 1 event came, response.stream.done holds for none: there is no end",
	},
	{
		name: "no JSON", api: custom, whole: `<html>`, stream: said(custom, `<html>`), outcome: measure.ServerError,
		message: "the answer is a page of HTML or XML, not a JSON document", piece: "an event of the stream is not valid JSON",
	},
	{name: "429", api: custom, status: 429, whole: `{"code":"slow"}`, stream: `{"code":"slow"}`, outcome: measure.RateLimited},
	{name: "503 shed", api: custom, status: 503, whole: `{"code":"shed"}`, stream: `{"code":"shed"}`, outcome: measure.Shed},
	{name: "500", api: custom, status: 500, whole: `{"error":"x"}`, stream: `{"error":"x"}`, outcome: measure.ServerError},
	{name: "404", api: custom, status: 404, whole: `not here`, stream: `not here`, outcome: measure.ClientError},
	{name: "302", api: custom, status: 302, whole: `moved`, stream: `moved`, outcome: measure.ClientError, message: "a redirect, which is not followed"},

	{
		name: "a good answer", api: openai, whole: `{"choices":[{"message":{"content":"好的"},"finish_reason":"stop"}]}`,
		stream: said(openai, `{"choices":[{"delta":{"content":"好"},"finish_reason":null}]}`, `{"choices":[{"delta":{"content":"的"},"finish_reason":"stop"}]}`, `{"choices":[],"usage":{}}`), outcome: measure.OK,
	},
	{
		name: "no reason to end", api: openai, stream: said(openai, `{"choices":[{"delta":{"content":"好"},"finish_reason":null}]}`), outcome: measure.Truncated,
		piece: "[DONE] came without a finish_reason",
	},
	{
		name: "an empty reason to end", api: openai, stream: said(openai, `{"choices":[{"delta":{"content":"好"},"finish_reason":""}]}`), outcome: measure.Truncated,
		piece: "[DONE] came without a finish_reason",
	},
	{
		name: "length", api: openai, whole: `{"choices":[{"message":{"content":"好的"},"finish_reason":"length"}]}`,
		stream: said(openai, `{"choices":[{"delta":{"content":"好"}}]}`, `{"choices":[{"delta":{},"finish_reason":"length"}]}`), outcome: measure.Degraded, message: "cut off: finish_reason length",
	},
	{
		name: "content_filter", api: openai, whole: `{"choices":[{"message":{"content":"好的"},"finish_reason":"content_filter"}]}`,
		stream: said(openai, `{"choices":[{"delta":{"content":"好"},"finish_reason":"content_filter"}]}`), outcome: measure.Degraded, message: "filtered: finish_reason content_filter",
	},
	{
		name: "content_filter, and nothing left", api: openai, whole: `{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}`,
		stream: said(openai, `{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`), outcome: measure.ServerError, message: "the answer is empty: finish_reason content_filter", piece: "the answer is empty: finish_reason content_filter",
	},
	{
		name: "tool_calls", api: openai, whole: `{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]},"finish_reason":"tool_calls"}]}`,
		stream: said(openai, `{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`, `{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`), outcome: measure.OK,
	},
	{
		name: "stopped without an answer", api: openai, whole: `{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`,
		stream: said(openai, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`), outcome: measure.ServerError, message: "no answer in the response", piece: "the answer is empty",
	},
	{
		name: "finish_reason error", api: openai, whole: `{"choices":[{"message":{"content":"好"},"finish_reason":"error"}]}`,
		stream: said(openai, `{"choices":[{"delta":{"content":"好"}}]}`, `{"choices":[{"delta":{},"finish_reason":"error"}]}`), outcome: measure.ServerError, message: "finish_reason error",
	},
	{
		name: "an error object", api: openai, whole: `{"error":{"message":"overloaded","type":"server_error"}}`,
		stream: said(openai, `{"choices":[{"delta":{"content":"好"}}]}`, `{"error":{"message":"overloaded"}}`), outcome: measure.ServerError, message: "an error in the answer: overloaded", piece: "error event: overloaded",
	},
	{
		name: "object error", api: openai, whole: `{"object":"error","message":"out of memory","code":500}`,
		stream: said(openai, `{"choices":[{"delta":{"content":"好"}}]}`, `{"object":"error","message":"out of memory","code":500}`), outcome: measure.ServerError,
		message: "an error in the answer: out of memory", piece: "error event: out of memory",
	},
	{
		name: "an error after the last content", api: openai,
		stream: said(openai, `{"choices":[{"delta":{"content":"好"},"finish_reason":"stop"}]}`, `{"error":"late"}`), outcome: measure.ServerError, piece: "error event: late",
	},

	{name: "a good answer", api: bundle, whole: `{"answer":"好的","tier":"llm","dialog_id":"d"}`, stream: said(bundle, `{"text":"好的"}`), outcome: measure.OK},
	{
		name: "an error object", api: bundle, whole: `{"answer":"好的","tier":"llm","error":{"code":"x"}}`, stream: said(bundle, `{"text":"好"}`, `{"error":{"code":"x"}}`),
		outcome: measure.ServerError, message: "an error in the answer: x", piece: "error event: x",
	},
	{
		name: "a tier nobody knows", api: bundle, whole: `{"answer":"好的","tier":"gpt"}`, stream: said(bundle, `{"text":"好的","tier":"gpt"}`),
		outcome: measure.Degraded, message: measure.UnmappedTier,
	},
}

// wireServer answers every turn as a rule says, over every wire.
func wireServer(t *testing.T, rule *wireRule) string {
	body := func(w http.ResponseWriter, kind, text string) {
		w.Header().Set("Content-Type", kind)
		if rule.status == 302 {
			w.Header().Set("Location", "/")
		}
		if rule.status != 0 {
			w.WriteHeader(rule.status)
		}
		fmt.Fprint(w, text)
	}
	mux := http.NewServeMux()
	for _, path := range []string{"POST /sync", "POST /v1/chat", "POST /openai-sync/v1/chat/completions"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { body(w, "application/json", rule.whole) })
	}
	for _, path := range []string{"POST /stream", "POST /v1/chat/stream", "POST /openai-stream/v1/chat/completions"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { body(w, "text/event-stream; charset=utf-8", rule.stream) })
	}
	for _, path := range []string{"POST /async", "POST /v1/chat/async"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/job")
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{"success":true,"state":"queued","status":"queued"}`)
		})
	}
	polled := 0
	mux.HandleFunc("GET /job", func(w http.ResponseWriter, _ *http.Request) {
		text := rule.whole
		w.Header().Set("Retry-After", "0")
		switch polled++; {
		case polled == 1 && rule.status == 0:
			fmt.Fprint(w, `{"state":"running","status":"running"}`)
			return
		case rule.api == bundle:
			text = `{"status":"done","result":` + text + `}`
		case strings.HasPrefix(text, "{"):
			text = `{"state":"done",` + text[1:]
		}
		body(w, "application/json", text)
	})
	s := httptest.NewUnstartedServer(mux)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// The same rules hold whether an answer comes whole, in pieces or as a job, over
// HTTP/1.1 and HTTP/2. What a wire cannot say is left out.
func TestEveryRuleOverEveryWire(t *testing.T) {
	cells := 0
	for i := range wireRules {
		rule := &wireRules[i]
		for _, mode := range []scenario.Mode{scenario.ModeSync, scenario.ModeStream, scenario.ModeAsync} {
			for _, version := range []scenario.HTTPVersion{scenario.HTTP1, scenario.H2C} {
				streamed := mode == scenario.ModeStream
				if streamed && rule.stream == "" || !streamed && rule.whole == "" || rule.api == openai && mode == scenario.ModeAsync {
					continue
				}
				cells++
				t.Run(fmt.Sprintf("%s/%s/%s/%s", rule.api, rule.name, mode, version), func(t *testing.T) {
					want := rule.message
					if streamed && rule.piece != "" {
						want = rule.piece
					}
					if mode == scenario.ModeAsync && rule.job != "" {
						want = rule.job
					}
					if j := judgeOver(t, rule, mode, version); j.Outcome != rule.outcome || j.Message != want {
						t.Errorf("%v %q, want %v %q", j.Outcome, j.Message, rule.outcome, want)
					}
				})
			}
		}
	}
	if cells < 200 {
		t.Errorf("%d cells of the table were filled, want at least 200", cells)
	}
}

func judgeOver(t *testing.T, rule *wireRule, mode scenario.Mode, version scenario.HTTPVersion) Judgement {
	target := wireTarget(wireServer(t, rule), rule, mode, version)
	return judge(t, &target)
}

// wireTarget is the target of a rule's server.
func wireTarget(url string, rule *wireRule, mode scenario.Mode, version scenario.HTTPVersion) scenario.Target {
	target := scenario.Target{
		URL: url, API: rule.api, Mode: mode, HTTP: version, Connections: scenario.Shared, Pool: 4, Timeout: unit.Duration(5 * time.Second),
		Limits: scenario.Limits{Headers: 1 << 16, Line: 1 << 16, Body: 1 << 20, Ratio: 100},
	}
	switch rule.api {
	case openai:
		target.URL += "/openai-" + string(mode)
		target.Model = "m"
	case custom:
		target.Request = &scenario.Request{Method: scenario.MethodPost, Path: "/" + string(mode), Body: []byte(`{"text":"${turn.text}"}`)}
		target.Response = &scenario.Response{
			OK: scenario.Conditions{{Path: "success"}}, Answer: "text", Tier: &scenario.TierPath{From: "tier", Map: map[string]scenario.Tier{"gold": "llm", "tin": "faq"}},
			Stream: &scenario.StreamPath{Delta: "text", Done: scenario.Conditions{{Path: "end"}}}, Job: &scenario.JobPath{Status: "state", Done: "done"},
		}
		if mode == scenario.ModeStream {
			target.Response.Answer = ""
		}
	case scenario.APIReference, scenario.APIArticle:
	}
	return target
}

// judge has one turn with target and judges it.
func judge(t *testing.T, target *scenario.Target) Judgement {
	t.Helper()
	base := time.Now()
	d, err := driver.New(target, driver.Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	rules, err := NewRules(&scenario.Scenario{Target: *target})
	if err != nil {
		t.Fatal(err)
	}
	line := d.Open(&driver.User{ID: "u"})
	defer line.Close()
	var reply driver.Reply
	line.Do(&driver.Turn{Text: []byte("你好")}, &reply)
	j := Classify(&reply, &Asked{Turn: 1}, &rules)
	line.Free(&reply)
	return j
}
