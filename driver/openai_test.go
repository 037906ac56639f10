package driver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/scenario"
)

// openAITarget is a target as a scenario writes it behind api: openai.
func openAITarget(t testing.TB, url, target string) *scenario.Scenario {
	t.Helper()
	text := "version: 1\nname: x\nload: {users: 1, for: 1s}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n" +
		"target:\n  url: " + url + "\n  api: openai\n  model: 'm\"'\n  timeout: 5s\n" + indented(target)
	s, err := scenario.Parse("x.yaml", []byte(text), scenario.Options{Dir: "testdata"})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

func openAIDriver(t testing.TB, url, target string) Driver {
	t.Helper()
	s := openAITarget(t, url, target)
	d, err := New(&s.Target, Options{Base: time.Now(), RunID: "r", Secrets: s.Secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

const orderTool = `
openai:
  max_calls: 3
  tools:
    - {name: get_order, description: an order, parameters: {type: object, properties: {no: {type: string}}}, result: {of: "${tool.arguments}", by: "${user.id}"}}
    - {name: hello, result: "hi \"you\""}
`

// What OpenAI's APIs are sent.
func TestOpenAIBody(t *testing.T) {
	history := []Message{
		{Text: []byte("a\""), Parts: []Part{{Text: []byte("https://h/x.png"), Image: true, Detail: "low"}}, Between: []byte(`{"role":"tool"}`)},
		{Assistant: true, Text: nil},
	}
	part := []Part{{Text: []byte("more")}, {Text: []byte("data:image/png;base64,AA=="), Image: true}}
	const told = "openai: {system: 'be ${user.id}'}\nrequest: {body: {temperature: 0.2, user: '${user.id}'}}"
	for name, tt := range map[string]struct {
		target  string
		history []Message
		parts   []Part
		values  values
		want    string
	}{
		"plain":       {want: `{"model":"m\"","messages":[{"role":"user","content":"hi"}]}`},
		"stream":      {target: "mode: stream", want: `{"model":"m\"","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}`},
		"own options": {target: "mode: stream\nrequest: {body: {stream_options: {x: 1}}}", want: `{"model":"m\"","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"x":1}}`},
		"no options":  {target: "mode: stream\nrequest: {body: {stream_options: null, n: 1}}", want: `{"model":"m\"","messages":[{"role":"user","content":"hi"}],"stream":true,"n":1}`},
		"told": {
			target: told, history: history[1:],
			want: `{"model":"m\"","messages":[{"role":"system","content":"be u0"},{"role":"assistant","content":""},{"role":"user","content":"hi"}],"temperature":0.2,"user":"u0"}`,
		},
		"parts": {
			history: history, parts: part,
			want: `{"model":"m\"","messages":[{"role":"user","content":[{"type":"text","text":"a\""},{"type":"image_url","image_url":{"url":"https://h/x.png","detail":"low"}}]},{"role":"tool"},{"role":"assistant","content":""},` +
				`{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"more"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}`,
		},
		"responses": {
			target: told + "\nmode: stream", values: values{previous: []byte("r1")}, parts: part[1:],
			want: `{"model":"m\"","instructions":"be u0","previous_response_id":"r1","input":[{"role":"user","content":[{"type":"input_text","text":"hi"},{"type":"input_image","image_url":"data:image/png;base64,AA=="}]}],"stream":true,"temperature":0.2,"user":"u0"}`,
		},
		"responses, tools": {
			target: orderTool, values: values{calls: []byte(`{"type":"function_call_output"}`), follows: true},
			want: `{"model":"m\"","input":[{"type":"function_call_output"}],"tools":[{"type":"function","name":"get_order","description":"an order","parameters":{"type":"object","properties":{"no":{"type":"string"}}},"strict":false},{"type":"function","name":"hello","parameters":{"type":"object","properties":{}},"strict":false}]}`,
		},
		"responses, history": {
			target: "openai: {history: client}", history: history[1:],
			want: `{"model":"m\"","input":[{"role":"assistant","content":""},{"role":"user","content":"hi"}]}`,
		},
		"tools": {
			target: orderTool, values: values{calls: []byte(`{"role":"tool"}`)},
			want: `{"model":"m\"","messages":[{"role":"user","content":"hi"},{"role":"tool"}],"tools":[{"type":"function","function":{"name":"get_order","description":"an order","parameters":{"type":"object","properties":{"no":{"type":"string"}}}}},{"type":"function","function":{"name":"hello"}}]}`,
		},
	} {
		s := openAITarget(t, "http://h", tt.target)
		if strings.HasPrefix(name, "responses") {
			if s.Target.OpenAI == nil {
				s.Target.OpenAI = &scenario.OpenAI{MaxCalls: 1}
			}
			s.Target.OpenAI.Form = scenario.FormResponses
		}
		p, err := compile(&s.Target, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tt.values.turn = &Turn{Text: []byte("hi"), History: tt.history, Parts: tt.parts}
		tt.values.user = &User{ID: "u0"}
		v := filled(tt.values)
		got := string(p.turn.Body.Append(nil, v))
		if got != tt.want || !json.Valid([]byte(got)) {
			t.Errorf("%s: got\n%s, want\n%s", name, got, tt.want)
		}
		buf := make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(100, func() { buf = p.turn.Body.Append(buf[:0], v) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		path, _ := p.turn.Path.Constant()
		if want := map[bool]string{true: "/v1/responses", false: "/v1/chat/completions"}[strings.HasPrefix(name, "responses")]; path != want {
			t.Errorf("%s: path %s", name, path)
		}
	}
}

// answersInTurn serves the bodies one after the other, as streams where they begin as
// such, and keeps what was asked.
func answersInTurn(t *testing.T, asked *[]string, list ...string) string {
	n := 0
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, string(body))
		answer := list[min(n, len(list)-1)]
		n++
		if strings.HasPrefix(answer, "data:") || strings.HasPrefix(answer, "event:") {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		fmt.Fprint(w, answer)
	}).URL
}

// events writes server-sent events.
func eventsOf(list ...string) string {
	return "data: " + strings.Join(list, "\n\ndata: ") + "\n\n"
}

func chunk(delta, finish string) string {
	if finish != "null" {
		finish = `"` + finish + `"`
	}
	return `{"choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]}`
}

const (
	plainCall = `{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_order","arguments":"{\"no\":\"7\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}}`
	plainEnd  = `{"choices":[{"message":{"role":"assistant","content":"it comes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":6,"completion_tokens_details":{"reasoning_tokens":2}}}`
)

// A turn goes on while the model calls functions, and says what it cost.
func TestTools(t *testing.T) {
	streamed := func(more ...string) string { return eventsOf(append(more, "[DONE]")...) }
	usage := `{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9}}`
	response := func(id, output, tail string) string {
		return `{"id":"` + id + `","object":"response","status":"completed","error":null,"output":[` + output + `],"usage":{"input_tokens":3,"output_tokens":2}` + tail + `}`
	}
	item := `{"type":"reasoning","summary":[]},{"type":"function_call","id":"f","call_id":"c1","name":"hello","arguments":""}`
	text := `{"type":"message","role":"assistant","content":[{"type":"output_text","text":"it "},{"type":"output_text","text":"comes"}]}`
	for name, tt := range map[string]struct {
		target string
		list   []string
		want   string // the answer, or why there is none
		last   string // what the last request says behind the user's message
		usage  Usage  // but Spell
	}{
		"plain": {
			orderTool,
			[]string{plainCall, plainEnd},
			"it comes",
			`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_order","arguments":"{\"no\":\"7\"}"}}]},{"role":"tool","tool_call_id":"c1","content":"{\"of\":\"{\\\"no\\\":\\\"7\\\"}\",\"by\":\"u0\"}"}`,
			Usage{Answers: 2, Told: 2, Calls: 1, Input: 30, Cached: 4, CachedTold: 1, Output: 11, Reasoning: 2, ReasoningTold: 1},
		},
		"over pieces": {
			orderTool + "mode: stream",
			[]string{
				streamed(chunk(`{"role":"assistant","content":"one "}`, "null"), chunk(`{"content":"moment","tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"get_order","arguments":""}}]}`, "null"),
					chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"no\""}},{"index":1,"id":"c2","function":{"name":"hello","arguments":"{}"}}]}`, "null"),
					chunk(`{"tool_calls":[{"index":0,"id":"c1","function":{"name":"get_order","arguments":":\"7\"}"}}]}`, "tool_calls"), usage),
				streamed(chunk(`{"content":"it "}`, "null"), chunk(`{"content":"comes"}`, "stop"), usage),
			},
			"it comes",
			`{"role":"assistant","content":"one moment","tool_calls":[{"id":"c1","type":"function","function":{"name":"get_order","arguments":"{\"no\":\"7\"}"}},{"id":"c2","type":"function","function":{"name":"hello","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"c1","content":"{\"of\":\"{\\\"no\\\":\\\"7\\\"}\",\"by\":\"u0\"}"},{"role":"tool","tool_call_id":"c2","content":"hi \"you\""}`,
			Usage{Answers: 2, Told: 2, Calls: 2, Input: 14, Output: 18, Spelled: 16},
		},
		"without numbers": {
			orderTool + "mode: stream",
			[]string{
				streamed(chunk(`{"tool_calls":[{"id":"c1","function":{"name":"hello","arguments":"{"}}]}`, "null"), chunk(`{"tool_calls":[{"function":{"arguments":"}"}}]}`, "tool_calls")),
				streamed(chunk(`{"content":"it comes"}`, "stop")),
			},
			"it comes",
			`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"hello","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"hi \"you\""}`,
			Usage{Answers: 2, Calls: 1},
		},
		"responses": {
			orderTool + "  form: responses",
			[]string{response("r1", item, ""), response("r2", text, "")},
			"it comes",
			`{"type":"function_call_output","call_id":"c1","output":"hi \"you\""}`,
			Usage{Answers: 2, Told: 2, Calls: 1, Input: 6, Output: 4},
		},
		"responses, client": {
			orderTool + "  form: responses\n  history: client",
			[]string{response("r1", item, ""), response("r2", text, "")},
			"it comes",
			item + `,{"type":"function_call_output","call_id":"c1","output":"hi \"you\""}`,
			Usage{Answers: 2, Told: 2, Calls: 1, Input: 6, Output: 4},
		},
		"responses, stream": {
			orderTool + "  form: responses\nmode: stream",
			[]string{
				eventsOf(`{"type":"response.created","response":{"id":"r1","status":"in_progress","error":null}}`, `{"type":"response.function_call_arguments.delta","delta":"{}"}`,
					`{"type":"response.output_item.done","item":{"type":"function_call","call_id":"c1","name":"hello","arguments":"{}"}}`,
					`{"type":"response.completed","response":{"id":"r1","status":"completed","error":null,"usage":{"input_tokens":3,"output_tokens":2}}}`),
				"event: response.output_text.delta\n" + eventsOf(`{"type":"response.output_text.delta","delta":"it "}`, `{"type":"response.output_text.delta","delta":"comes"}`, `{"type":"response.output_text.done","text":"it comes"}`,
					`{"type":"response.output_item.done","item":`+text+`}`,
					`{"type":"response.completed","response":{"id":"r2","status":"completed","usage":{"input_tokens":3,"output_tokens":2}}}`),
			},
			"it comes",
			`{"type":"function_call_output","call_id":"c1","output":"hi \"you\""}`,
			Usage{Answers: 2, Told: 2, Calls: 1, Input: 6, Output: 4, Spelled: 2},
		},
		"no script":     {orderTool, []string{strings.Replace(plainCall, "get_order", "refund", 1)}, "! the model called refund, for which target.openai.tools has no result", "", Usage{Answers: 1, Told: 1, Input: 10, Cached: 4, CachedTold: 1, Output: 5}},
		"no JSON":       {orderTool, []string{strings.Replace(plainCall, `{\"no\":\"7\"}`, `{no: 7`, 1)}, "! the model called get_order with arguments that are no JSON object", "", Usage{Answers: 1, Told: 1, Input: 10, Cached: 4, CachedTold: 1, Output: 5}},
		"a list":        {orderTool, []string{strings.Replace(plainCall, `{\"no\":\"7\"}`, `[7]`, 1)}, "! the model called get_order with arguments that are no JSON object", "", Usage{Answers: 1, Told: 1, Input: 10, Cached: 4, CachedTold: 1, Output: 5}},
		"no id":         {orderTool, []string{strings.Replace(plainCall, `"id":"c1",`, ``, 1)}, "! the model called get_order without an id to answer to", "", Usage{Answers: 1, Told: 1, Input: 10, Cached: 4, CachedTold: 1, Output: 5}},
		"strange":       {orderTool, []string{strings.Replace(plainCall, `"id":"c1",`, `"id":7,`, 1)}, "! a tool call that is not as chat completions have it", "", Usage{Answers: 1, Told: 1, Input: 10, Cached: 4, CachedTold: 1, Output: 5}},
		"no call":       {orderTool, []string{`{"choices":[{"message":{"content":null},"finish_reason":"tool_calls"}]}`}, "! finish_reason is tool_calls, and no function is called", "", Usage{Answers: 1}},
		"without end":   {orderTool, []string{plainCall}, "! the model still calls tools in answer 3 of the turn (target.openai.max_calls)", `{"role":"tool","tool_call_id":"c1","content":"{\"of\":\"{\\\"no\\\":\\\"7\\\"}\",\"by\":\"u0\"}"}`, Usage{Answers: 3, Told: 3, Calls: 2, Input: 30, Cached: 12, CachedTold: 3, Output: 15}},
		"far piece":     {orderTool + "mode: stream", []string{streamed(chunk(`{"tool_calls":[{"index":5,"id":"c","function":{"name":"hello"}}]}`, "tool_calls"))}, "! a tool call that is not as chat completions have it", "", Usage{Answers: 1}},
		"cut off":       {orderTool, []string{strings.Replace(plainCall, `"finish_reason":"tool_calls"`, `"finish_reason":"length"`, 1)}, "! no answer in the response", "", Usage{Answers: 1, Told: 1, Input: 10, Cached: 4, CachedTold: 1, Output: 5}},
		"breaks off":    {orderTool + "mode: stream", []string{streamed(chunk(`{"tool_calls":[{"index":0,"id":"c","function":{"name":"hello"}}]}`, "tool_calls")), eventsOf(chunk(`{"content":"it"}`, "null"))}, "! the stream ended without its terminal event; neither a finish_reason nor [DONE] came", `{"role":"tool","tool_call_id":"c","content":"hi \"you\""}`, Usage{Answers: 2, Calls: 1}},
		"none offered":  {"", []string{plainCall}, "", "", Usage{Answers: 1, Told: 1, Input: 10, Cached: 4, CachedTold: 1, Output: 5}},
		"negative":      {"", []string{strings.Replace(plainEnd, ":20", ":-20", 1)}, "it comes", "", Usage{Answers: 1}},
		"no number":     {"", []string{strings.Replace(plainEnd, ":20", `:"20"`, 1)}, "it comes", "", Usage{Answers: 1}},
		"too many":      {"", []string{strings.Replace(plainEnd, ":20", `:20000000000000000000`, 1)}, "it comes", "", Usage{Answers: 1}},
		"strange parts": {"", []string{strings.Replace(plainEnd, `reasoning_tokens":2`, `reasoning_tokens":7`, 1)}, "it comes", "", Usage{Answers: 1, Told: 1, Input: 20, Output: 6}},
		"null":          {"", []string{`{"choices":[{"message":{"content":"it comes"},"finish_reason":"stop"}],"usage":null}`}, "it comes", "", Usage{Answers: 1}},
		"told often":    {"mode: stream", []string{streamed(`{"choices":[{"delta":{"content":"it comes"},"finish_reason":null}],"usage":{"prompt_tokens":7,"completion_tokens":1}}`, chunk(`{}`, "stop"), usage)}, "it comes", "", Usage{Answers: 1, Told: 1, Input: 7, Output: 9, Spelled: 8}},
		"failed":        {"openai: {form: responses}", []string{`{"id":"r","status":"failed","error":{"code":"server_error","message":"it broke"},"output":[]}`}, "! an error in the answer: it broke", "", Usage{Answers: 1}},
		"failing":       {"openai: {form: responses}\nmode: stream", []string{eventsOf(`{"type":"response.output_text.delta","delta":"it"}`, `{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"it broke"}}}`)}, "! error event: it broke", "", Usage{Answers: 1}},
		"an error":      {"openai: {form: responses}\nmode: stream", []string{eventsOf(`{"type":"error","code":"c","message":"it broke"}`)}, "! error event: it broke", "", Usage{Answers: 1}},
		"no end":        {"openai: {form: responses}\nmode: stream", []string{eventsOf(`{"type":"response.output_text.delta","delta":"it"}`)}, "! the stream ended without its terminal event; no response.completed came", "", Usage{Answers: 1}},
		"other end":     {"openai: {form: responses}\nmode: stream", []string{eventsOf(`{"type":"response.output_text.delta","delta":"it"}`, "[DONE]")}, "! [DONE] came before response.completed", "", Usage{Answers: 1}},
		"nameless":      {"openai: {form: responses}", []string{strings.Replace(response("r", text, ""), `"id":"r",`, "", 1)}, "! the answer has no id, by which the next request would follow it", "", Usage{Answers: 1, Told: 1, Input: 3, Output: 2}},
		"odd output":    {"openai: {form: responses}", []string{response("r", `{"type":7}`, "")}, "! no answer in the response", "", Usage{Answers: 1, Told: 1, Input: 3, Output: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			line := openAIDriver(t, answersInTurn(t, &asked, tt.list...), tt.target).Open(&User{ID: "u0"})
			defer line.Close()
			list := dialogOn(line, 7, "hi")
			if got := answersOf(list); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.last != "" && !strings.Contains(asked[len(asked)-1], tt.last+"]") {
				t.Errorf("last asked\n%s, want in it\n%s", asked[len(asked)-1], tt.last)
			}
			got := list[0].Usage
			if got.Spell = 0; got != tt.usage {
				t.Errorf("usage %+v, want %+v", got, tt.usage)
			}
		})
	}
}

// Where the server keeps the dialog a request follows the last answer, of its own
// conversation; one that failed is not followed.
func TestPreviousResponse(t *testing.T) {
	var asked []string
	answer := func(id string) string {
		return `{"id":"` + id + `","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"x"}]}]}`
	}
	url := answersInTurn(t, &asked, answer("r1"), `{"error":{"message":"no"}}`, answer("r2"), answer("r3"), answer("r4"))
	line := openAIDriver(t, url, "openai: {form: responses}").Open(&User{ID: "u0"})
	defer line.Close()
	if got := answersOf(dialogOn(line, 7, "a", "b", "c", "d")); got != "x | ! an error in the answer: no | x | x" {
		t.Error(got)
	}
	dialogOn(line, 8, "e")
	var got []string
	for _, body := range asked {
		var q struct {
			Previous string `json:"previous_response_id"`
		}
		if err := json.Unmarshal([]byte(body), &q); err != nil {
			t.Fatal(err)
		}
		got = append(got, q.Previous)
	}
	if strings.Join(got, ",") != ",r1,r1,r2," {
		t.Errorf("followed %q", got)
	}
}

// What the model called and was answered goes with the dialog to come.
func TestDialogHasTheTools(t *testing.T) {
	var asked []string
	line := openAIDriver(t, answersInTurn(t, &asked, plainCall, plainEnd, plainEnd), orderTool).Open(&User{ID: "u0"})
	defer line.Close()
	var r Reply
	line.Do(&Turn{Text: []byte("hi")}, &r)
	history := []Message{{Text: []byte("hi"), Between: []byte(string(r.Between))}, {Assistant: true, Text: []byte(string(r.Answer))}}
	line.Free(&r)
	line.Do(&Turn{Text: []byte("and?"), Index: 1, History: history}, &r)
	line.Free(&r)
	var q struct {
		Messages []struct{ Role, Content string }
	}
	if err := json.Unmarshal([]byte(asked[2]), &q); err != nil {
		t.Fatal(err)
	}
	var roles []string
	for _, m := range q.Messages {
		roles = append(roles, m.Role)
	}
	if got := strings.Join(roles, " "); got != "user assistant tool assistant user" {
		t.Errorf("the dialog is %s", got)
	}
}

// The bundled mock is spoken to in each form: chat and Responses, Azure's paths, plain
// and streamed, with tools, told of its tokens.
func TestMockSpeaksTools(t *testing.T) {
	mock := mockllm.RunT(t, mockllm.Config{Answers: []mockllm.Answer{{Match: "order", Say: "shipped", Tool: "get_order", Arguments: `{"no":"E1"}`}, {Match: "hello", Say: "hi there, customer"}}})
	for name, target := range map[string]string{
		"chat":              "",
		"chat, stream":      "mode: stream\n",
		"azure":             "request: {path: '/openai/deployments/gpt/chat/completions?api-version=2024-10-21', headers: {api-key: '${user.id}'}}\n",
		"azure, stream":     "mode: stream\nrequest: {path: '/openai/deployments/gpt/chat/completions?api-version=2024-10-21'}\n",
		"responses":         "responses",
		"responses, stream": "mode: stream\nresponses",
		"azure, responses":  "request: {path: '/openai/v1/responses?api-version=preview'}\nresponses",
		"h2c":               "http: h2c\nconnections: shared\nmode: stream\n",
	} {
		t.Run(name, func(t *testing.T) {
			text, responses := strings.CutSuffix(target, "responses")
			text += orderTool
			if responses {
				text += "  form: responses\n  history: client"
			}
			line := openAIDriver(t, mock.URL(), text).Open(&User{ID: "u0"})
			defer line.Close()
			list := dialogOn(line, 7, "hello", "my order")
			if got := answersOf(list); got != "hi there, customer | shipped" {
				t.Errorf("got %q", got)
			}
			a, b := list[0].Usage, list[1].Usage
			if a.Answers != 1 || a.Told != 1 || a.Calls != 0 || a.Input == 0 || a.Output == 0 {
				t.Errorf("the answer cost %+v", a)
			}
			if b.Answers != 2 || b.Told != 2 || b.Calls != 1 || b.Input <= a.Input {
				t.Errorf("that with a tool cost %+v, the one before %+v", b, a)
			}
			if stream := strings.Contains(text, "mode: stream"); stream != (a.Spelled > 0) {
				t.Errorf("%d tokens were spelled", a.Spelled)
			}
		})
	}
}

// What a custom API tells of its tokens is counted, over several events too.
func TestCustomUsage(t *testing.T) {
	d, _ := mapped(t, `
mode: stream
request: {path: /, body: {text: "${turn.text}"}}
response:
  stream: {delta: text, done: {path: type, equals: end}}
  usage: {input: usage.in, cached: usage.known, output: usage.out}
`, func(w http.ResponseWriter, _ *http.Request) {
		sendEvents(w, `data: {"usage":{"in":9,"known":4}}`, `data: {"text":"a"}`, `data: {"text":"b","usage":{"out":1}}`, `data: {"type":"end","usage":{"out":5}}`)
	})
	line := d.Open(&User{ID: "u0"})
	defer line.Close()
	got := dialogOn(line, 1, "x")[0].Usage
	got.Spell = 0
	if want := (Usage{Answers: 1, Told: 1, Input: 9, Cached: 4, CachedTold: 1, Output: 5, Spelled: 4}); got != want {
		t.Errorf("usage %+v, want %+v", got, want)
	}
}

// Whatever a server says of calls and tokens, the turn ends, and counts are of what was said.
func FuzzTools(f *testing.F) {
	f.Add(plainCall, false)
	f.Add(eventsOf(chunk(`{"tool_calls":[{"index":0,"id":"c","function":{"name":"hello","arguments":"{}"}}]}`, "tool_calls"), "[DONE]"), true)
	f.Add(`{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","name":"hello","arguments":"{}"}]}`, false)
	f.Add(eventsOf(`{"type":"response.output_item.done","item":{"type":"function_call","call_id":"c","name":"hello"}}`, `{"type":"response.completed","response":{"id":"r","status":"completed"}}`), true)
	var answer string
	var stream bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if stream {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		fmt.Fprint(w, answer)
	}))
	f.Cleanup(srv.Close)
	var lines []Channel
	for _, target := range []string{orderTool, orderTool + "mode: stream", orderTool + "  form: responses", orderTool + "  form: responses\n  history: client\nmode: stream"} {
		lines = append(lines, openAIDriver(f, srv.URL, target).Open(&User{ID: "u0"}))
	}
	f.Fuzz(func(t *testing.T, body string, events bool) {
		answer, stream = body, events
		for _, line := range lines {
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			u := r.Usage
			if u.Answers > 3 || u.Told > u.Answers || u.Cached > u.Input || u.Reasoning > u.Output || u.Input < 0 || u.Output < 0 {
				t.Errorf("usage %+v", u)
			}
			if len(r.Between) > 0 && !json.Valid([]byte("["+string(r.Between)+"]")) {
				t.Errorf("between the user and the answer was said %q", r.Between)
			}
			line.Free(&r)
		}
	})
}
