package driver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// modelRules are what api openai says besides the places of its answers, compiled.
type modelRules struct {
	responses bool // in place of chat completions
	chained   bool // the server keeps the dialog, by the id of the answer before
	calls     int  // of the model within a turn, at most; 0: it has no tools
	tools     []tool
}

// tool is a function that the model may call, and what it is answered.
type tool struct {
	name   string
	result wire.Text
}

func newModelRules(target *scenario.Target, opts *Options) (*modelRules, error) {
	if target.API != scenario.APIOpenAI {
		return nil, nil
	}
	r := &modelRules{}
	own := target.OpenAI
	if own == nil {
		return r, nil
	}
	r.responses = own.Form == scenario.FormResponses
	r.chained = own.Chained()
	if len(own.Tools) > 0 {
		if r.calls = int(own.MaxCalls); r.calls < 1 {
			return nil, errors.New("openai.max_calls: give a number above zero")
		}
	}
	for i := range own.Tools {
		t := &own.Tools[i]
		var result wire.Text
		text, err := scenario.TextBody(t.Result)
		if err == nil {
			result, err = opts.bind(text, template.Text)
		} else {
			result, _, err = opts.bindAs(scenario.AsJSON, t.Result, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("openai.tools[%d].result: %w", i, err)
		}
		r.tools = append(r.tools, tool{t.Name, result})
	}
	return r, nil
}

// path is where the API is below a url that ends in prefix.
func (r *modelRules) path(prefix string) string {
	path := "/v1/chat/completions"
	if r.responses {
		path = "/v1/responses"
	}
	if strings.HasSuffix(strings.TrimSuffix(prefix, "/"), "/v1") {
		path = strings.TrimPrefix(path, "/v1")
	}
	return path
}

// body is that of a turn. What differs from turn to turn are variables of its own,
// which no scenario can name.
func (r *modelRules) body(target *scenario.Target, stream bool, opts *Options) (wire.Text, error) {
	doc, err := r.document(target, stream)
	if err != nil {
		return wire.Text{}, err
	}
	own := target.OpenAI
	if own == nil {
		own = &scenario.OpenAI{}
	}
	system, err := opts.bind(own.System, template.Text)
	if err != nil {
		return wire.Text{}, fmt.Errorf("openai.system: %w", err)
	}
	tools, err := r.declared(own.Tools)
	if err != nil {
		return wire.Text{}, err
	}
	t, err := template.ParseJSON(doc)
	if err != nil {
		return wire.Text{}, fmt.Errorf("request.body: %w", err)
	}
	known := map[string]template.Variable[wire.Values]{
		"openai.model":    template.Constant[wire.Values](target.Model),
		"openai.system":   template.Always(system.Append),
		"openai.tools":    template.List(func(b []byte, _ *wire.Values) []byte { return append(b, tools...) }),
		"openai.previous": template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).previous...) }),
		"openai.history":  template.List(func(b []byte, v *wire.Values) []byte { return r.appendHistory(b, of(v).turn.History) }),
		"openai.turn": template.List(func(b []byte, v *wire.Values) []byte {
			if of(v).follows {
				return b // the server has it
			}
			return r.appendUser(b, of(v).turn.Text, of(v).turn.Parts)
		}),
		"openai.calls": template.List(func(b []byte, v *wire.Values) []byte { return append(b, of(v).calls...) }),
	}
	return template.Bind(t, func(name string) (template.Variable[wire.Values], error) {
		if v, ok := known[name]; ok {
			return v, nil
		}
		return opts.variable(name)
	})
}

// document is the body's template.
func (r *modelRules) document(target *scenario.Target, stream bool) ([]byte, error) {
	own := target.OpenAI
	told := own != nil && own.System != ""
	doc := []byte(`{"model":"${openai.model}",`)
	switch {
	case !r.responses:
		doc = append(doc, `"messages":[`...)
		if told {
			doc = append(doc, `{"role":"system","content":"${openai.system}"},`...)
		}
	default:
		if told {
			doc = append(doc, `"instructions":"${openai.system}",`...)
		}
		if r.chained {
			doc = append(doc, `"previous_response_id":"${openai.previous}",`...)
		}
		doc = append(doc, `"input":[`...)
	}
	doc = append(doc, `"${openai.history}","${openai.turn}","${openai.calls}"]`...)
	var extra []byte
	if target.Request != nil {
		extra = target.Request.Body
	}
	members, tellsUsage, err := membersOf(extra)
	if err != nil {
		return nil, fmt.Errorf("request.body: %w", err)
	}
	if stream {
		doc = append(doc, `,"stream":true`...)
		if !r.responses && !tellsUsage {
			doc = append(doc, `,"stream_options":{"include_usage":true}`...)
		}
	}
	if len(r.tools) > 0 {
		doc = append(doc, `,"tools":"${openai.tools}"`...)
	}
	return append(append(doc, members...), '}'), nil
}

// membersOf gives the members of a JSON object, each behind a comma. Of usage it
// tells whether stream_options is among them; null there asks for none at all.
func membersOf(object []byte) (members []byte, usage bool, err error) {
	if len(object) == 0 {
		return nil, false, nil
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false, errors.New("must be a mapping")
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, false, err
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false, err
		}
		if name == "stream_options" {
			if usage = true; string(value) == "null" {
				continue
			}
		}
		members = append(append(template.AppendJSON(append(members, `,"`...), name), `":`...), value...)
	}
	return members, usage, nil
}

// declared are the tools as the request says them, with commas between.
func (r *modelRules) declared(list []scenario.Tool) ([]byte, error) {
	type function struct {
		Type        string          `json:"type,omitempty"` // of responses
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters,omitempty"`
		Strict      *bool           `json:"strict,omitempty"`
	}
	type wrapped struct {
		Type     string   `json:"type"`
		Function function `json:"function"`
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for i := range list {
		t := &list[i]
		f := function{Name: t.Name, Description: t.Description, Parameters: t.Parameters}
		if t.Strict || r.responses { // there it is true where nothing is said
			f.Strict = &t.Strict
		}
		var said any = wrapped{"function", f}
		if r.responses {
			f.Type = "function"
			if len(f.Parameters) == 0 {
				f.Parameters = json.RawMessage(`{"type":"object","properties":{}}`)
			}
			said = f
		}
		if i > 0 {
			out.WriteByte(',')
		}
		if err := e.Encode(said); err != nil {
			return nil, fmt.Errorf("openai.tools[%d]: %w", i, err)
		}
		out.Truncate(out.Len() - 1)
	}
	return out.Bytes(), nil
}

// appendHistory is the dialog before the turn, oldest message first.
func (r *modelRules) appendHistory(b []byte, list []Message) []byte {
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		m := &list[i]
		if m.Assistant {
			b = append(template.AppendJSON(append(b, `{"role":"assistant","content":"`...), m.Text), `"}`...)
			continue
		}
		b = r.appendUser(b, m.Text, m.Parts)
		if len(m.Between) > 0 {
			b = append(append(b, ','), m.Between...)
		}
	}
	return b
}

// appendUser is a message of the user.
func (r *modelRules) appendUser(b, text []byte, parts []Part) []byte {
	b = append(b, `{"role":"user","content":`...)
	if len(parts) == 0 {
		return append(template.AppendJSON(append(b, '"'), text), `"}`...)
	}
	b = r.appendPart(append(b, '['), &Part{Text: text})
	for i := range parts {
		b = r.appendPart(append(b, ','), &parts[i])
	}
	return append(b, `]}`...)
}

func (r *modelRules) appendPart(b []byte, p *Part) []byte {
	switch {
	case !p.Image && r.responses:
		return append(template.AppendJSON(append(b, `{"type":"input_text","text":"`...), p.Text), `"}`...)
	case !p.Image:
		return append(template.AppendJSON(append(b, `{"type":"text","text":"`...), p.Text), `"}`...)
	case r.responses:
		b = append(template.AppendJSON(append(b, `{"type":"input_image","image_url":"`...), p.Text), '"')
		return append(appendDetail(b, p.Detail), '}')
	}
	b = append(template.AppendJSON(append(b, `{"type":"image_url","image_url":{"url":"`...), p.Text), '"')
	return append(appendDetail(b, p.Detail), `}}`...)
}

func appendDetail(b []byte, detail string) []byte {
	if detail == "" {
		return b
	}
	return append(append(append(b, `,"detail":"`...), detail...), '"')
}
