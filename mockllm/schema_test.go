package mockllm

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/openai"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/schema"
)

// answerable are schemas as applications send them.
var answerable = []string{
	`{"type":"object","properties":{"intent":{"type":"string","enum":["退货","优惠券"]},"confidence":{"type":"number","minimum":0,"maximum":1},"reply":{"type":"string"}},"required":["intent","confidence","reply"],"additionalProperties":false}`,
	`{"type":"object","properties":{"steps":{"type":"array","minItems":2,"maxItems":3,"items":{"type":"object","properties":{"n":{"type":"integer","exclusiveMinimum":3,"multipleOf":5},"ok":{"type":"boolean"}},"required":["n","ok"],"additionalProperties":false}}},"required":["steps"]}`,
	`{"type":"object","properties":{"note":{"type":["string","null"]},"kind":{"const":"a"},"none":{"type":"null"}},"required":["note","kind","none"]}`,
	`{"$defs":{"node":{"type":"object","properties":{"name":{"type":"string"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["name","next","children"],"additionalProperties":false}},"type":"object","properties":{"root":{"$ref":"#/$defs/node"}},"required":["root"]}`,
	`{"type":"object","properties":{"at":{"type":"string","format":"date-time"},"day":{"type":"string","format":"date"},"mail":{"type":"string","format":"email"},"id":{"type":"string","format":"uuid"},"short":{"type":"string","maxLength":3},"long":{"type":"string","minLength":200}}}`,
	`{"type":"object","properties":{"a.b*":{"type":"string"},"x\"y":{"type":"integer","maximum":-2},"narrow":{"type":"number","minimum":0.25,"maximum":0.5}},"required":["a.b*","x\"y","narrow"]}`,
	`{"type":"object","properties":{"optional":{"type":"string","pattern":"^x$"}}}`, // left out
	`{"type":"object"}`,
	`{"type":"object","properties":{"any":{},"list":{"type":"array"},"all":{"allOf":[{"type":"boolean"}]},"mixed":{"type":"integer","enum":["x",7]}},"required":["any","list","all","mixed"]}`,
}

func validator(t *testing.T, schema string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:///s", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///s")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func holds(t *testing.T, schema, value string) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	if err == nil {
		err = validator(t, schema).Validate(v)
	}
	if err != nil {
		t.Errorf("%v\nschema %s\nvalue %s", err, schema, value)
	}
}

// streamed joins what a stream's deltas say at path.
func streamed(body, path string) (text, finish string) {
	for line := range strings.SplitSeq(body, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		choice := gjson.Get(data, "choices.0")
		text += choice.Get(path).Str
		if f := choice.Get("finish_reason").Str; f != "" {
			finish = f
		}
	}
	return text, finish
}

// TestSchemaAnswers: what is answered is valid, plain and streamed, as content
// and as a tool's arguments.
func TestSchemaAnswers(t *testing.T) {
	s := RunT(t, Config{EchoContext: true})
	for _, schema := range answerable {
		format := `"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":` + schema + `}}`
		tools := `"tools":[{"type":"function","function":{"name":"f","parameters":` + schema + `}}],"tool_choice":"required"`
		for _, tt := range []struct{ form, path, delta, finish string }{
			{format, "choices.0.message.content", "delta.content", "stop"},
			{tools, "choices.0.message.tool_calls.0.function.arguments", "delta.tool_calls.0.function.arguments", "tool_calls"},
		} {
			prompt := `"messages":[{"role":"user","content":"退货⟦c:K7F3Q2ZA.1⟧"}]`
			status, body := post(t, s, `{`+prompt+`,`+tt.form+`}`)
			if status != 200 {
				t.Fatalf("%d %s\nfor %s", status, body, schema)
			}
			plain := gjson.Get(body, tt.path).Str
			holds(t, schema, plain)
			if got := gjson.Get(body, "choices.0.finish_reason").Str; got != tt.finish {
				t.Errorf("finish_reason %q, want %q", got, tt.finish)
			}
			_, events := post(t, s, `{"stream":true,`+prompt+`,`+tt.form+`}`)
			if text, finish := streamed(events, tt.delta); text != plain || finish != tt.finish {
				t.Errorf("streamed %q (%s), plain %q", text, finish, plain)
			}
		}
	}
}

// TestUnanswerable: what cannot be honoured gets 400, never a 200.
func TestUnanswerable(t *testing.T) {
	s := RunT(t, Config{})
	schema := func(s string) string {
		return `"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":` + s + `}}`
	}
	required := func(p string) string {
		return schema(`{"type":"object","required":["p"],"properties":{"p":` + p + `}}`)
	}
	for _, form := range []string{
		required(`{"type":"string","pattern":"^x$"}`), required(`{"type":"string","format":"color"}`), required(`{"oneOf":[{"type":"string"}]}`),
		required(`{"type":"integer","minimum":5,"maximum":4}`), required(`{"type":"string","minLength":-5,"maxLength":-3}`), required(`{"type":"string","minLength":5,"maxLength":4}`),
		required(`{"$ref":"#"}`), required(`{"$ref":"https://x.example/s"}`), required(`{"$ref":"#/nowhere"}`), required(`{"type":"frog"}`),
		required(`{"enum":[]}`), required(`{"type":"string","enum":[1]}`), required(`false`), required(`{"type":"array","uniqueItems":true}`),
		schema(`{"type":"object","required":["q"]}`), schema(`{"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}`), schema(`7`),
		`"response_format":{"type":"xml"}`, `"response_format":"json"`, `"tools":{}`, `"tools":[{"type":"web_search"}]`, `"tools":[{"type":"function","function":{}}]`,
		`"tool_choice":"required"`, `"tool_choice":{"type":"function","function":{"name":"g"}},"tools":[{"type":"function","function":{"name":"f"}}]`, `"tool_choice":"often"`,
		`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","required":["p"],"properties":{"p":{"not":{}}}}}}],"tool_choice":"required"`,
		`"logprobs":true`, `"functions":[]`, `"audio":{}`, `"modalities":["text","audio"]`, `"n":0`,
	} {
		for _, stream := range []string{"false", "true"} {
			status, body := post(t, s, `{"stream":`+stream+`,"messages":[{"role":"user","content":"hi"}],`+form+`}`)
			if status != 400 || gjson.Get(body, "error.message").Str == "" || gjson.Get(body, "error.type").Str != "invalid_request_error" {
				t.Errorf("%d %s\nfor %s", status, body, form)
			}
		}
	}
}

// TestToolDialog plays a scripted tool call to its end, and what keeps it from being made.
func TestToolDialog(t *testing.T) {
	s := RunT(t, Config{Answers: []Answer{{Match: "订单", Say: "已发货", Tool: "get_order", Arguments: `{"order_no":"E1"}`}}})
	const question = `{"role":"user","content":"我的订单"}`
	const tools = `,"tools":[{"type":"function","function":{"name":"other"}},{"type":"function","function":{"name":"get_order"}}]`
	const result = `,{"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","tool_call_id":"x","content":"ok"}`
	for _, tt := range []struct{ name, messages, more, tool, arguments, content, finish string }{
		{"offered", question, tools, "get_order", `{"order_no":"E1"}`, "", "tool_calls"},
		{"not offered", question, "", "", "", "已发货", "stop"},
		{"answered", question + result, tools, "", "", "已发货", "stop"},
		{"forbidden", question, tools + `,"tool_choice":"none"`, "", "", "已发货", "stop"},
		{"another forced", question, tools + `,"tool_choice":{"type":"function","function":{"name":"other"}}`, "other", "{}", "", "stop"},
		{"required after a result", question + result, tools + `,"tool_choice":"required"`, "other", "{}", "", "tool_calls"},
		{"cut", question, tools + `,"max_tokens":1`, "get_order", `{"order_`, "", "length"},
		{"JSON mode", question, `,"response_format":{"type":"json_object"}`, "", "", `{"answer":"已发货"}`, "stop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := post(t, s, `{"messages":[`+tt.messages+`]`+tt.more+`}`)
			choice := gjson.Get(body, "choices.0")
			call := choice.Get("message.tool_calls.0.function")
			if status != 200 || call.Get("name").Str != tt.tool || call.Get("arguments").Str != tt.arguments || choice.Get("message.content").Str != tt.content || choice.Get("finish_reason").Str != tt.finish {
				t.Errorf("%d %s", status, body)
			}
			if tt.tool != "" && (choice.Get("message.content").Type != gjson.Null || !strings.HasPrefix(choice.Get("message.tool_calls.0.id").Str, "call_")) {
				t.Errorf("call without id or with content: %s", body)
			}
		})
	}
}

// TestStop: the answer ends before the first stop text, wherever they stand in the list.
func TestStop(t *testing.T) {
	s := RunT(t, Config{Answers: []Answer{{Match: "", Say: "一、退货。二、退款。三、完成。"}}})
	for _, tt := range []struct{ stop, content, finish string }{
		{`null`, "一、退货。二、退款。三、完成。", "stop"},
		{`"三"`, "一、退货。二、退款。", "stop"},
		{`["三","二","四"]`, "一、退货。", "stop"},
		{`"一"`, "", "stop"},
		{`"三","max_tokens":1`, "一、", "length"},
		{`"退款","response_format":{"type":"json_object"}`, `{"answer":"一、退货。二、`, "stop"},
	} {
		more := `"messages":[{"role":"user","content":"hi"}],"stop":` + tt.stop
		status, body := post(t, s, `{`+more+`}`)
		if choice := gjson.Get(body, "choices.0"); status != 200 || choice.Get("message.content").Str != tt.content || choice.Get("finish_reason").Str != tt.finish {
			t.Errorf("stop %s: %d %s", tt.stop, status, body)
		}
		_, events := post(t, s, `{"stream":true,`+more+`}`)
		if text, finish := streamed(events, "delta.content"); text != tt.content || finish != tt.finish {
			t.Errorf("stop %s: streamed %q (%s)", tt.stop, text, finish)
		}
	}
	for _, stop := range []string{`""`, `7`, `[""]`, `["a","b","c","d","e"]`, `{}`} {
		if status, body := post(t, s, `{"messages":[{"role":"user","content":"hi"}],"stop":`+stop+`}`); status != 400 || gjson.Get(body, "error.param").Str != "stop" {
			t.Errorf("stop %s: %d %s", stop, status, body)
		}
	}
}

// TestTextUnsupported: a text completion refuses what it would have to ignore.
func TestTextUnsupported(t *testing.T) {
	for _, tt := range []struct {
		more string
		ok   bool
	}{
		{`"echo":true`, false},
		{`"suffix":"x"`, false},
		{`"best_of":3`, false},
		{`"logprobs":2`, false},
		{`"echo":false`, true},
		{`"suffix":null`, true},
		{`"best_of":1`, true},
		{`"logprobs":null`, true},
	} {
		r := prompt.Request{API: prompt.Completions}
		err := openai.DecodeCompletion(&r, []byte(`{"prompt":"hi",`+tt.more+`}`), &prompt.Limits{ContextTokens: 1000})
		if tt.ok != (err == nil) || err != nil && (prompt.ErrorOf(err).Status != 400 || prompt.ErrorOf(err).Code != "unsupported_parameter") {
			t.Errorf("%s: %v", tt.more, err)
		}
	}
}

// FuzzSchema: any schema is answered validly or refused, without a panic.
func FuzzSchema(f *testing.F) {
	for _, s := range answerable {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !gjson.Valid(text) || !jsontext.Shallow(text) {
			t.Skip()
		}
		out, err := schema.Instance(nil, gjson.Parse(text), "您好")
		if err == nil && !json.Valid(out) {
			t.Errorf("%q is not JSON, for %s", out, text)
		}
	})
}
