package driver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parseBody turns a JSON document with ${…} in its strings into a template. A
// member whose whole value is one expansion is optional: empty, it is left out.
// Every value is written with a comma behind it, which the end of its object or
// array replaces, so that a missing last member leaves no comma.
func parseBody(doc json.RawMessage, secrets func(string) (string, error)) (template, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	t, err := bodyValue(nil, dec, "", secrets)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON document")
	}
	if n := len(t); n > 0 {
		last := &t[n-1]
		if last.kind == literal {
			last.before = last.before[:len(last.before)-1]
		} else {
			last.after = last.after[:len(last.after)-1]
		}
	}
	return t, nil
}

// bodyValue appends one value and a comma; key is `"name":` inside an object.
func bodyValue(t template, dec *json.Decoder, key string, secrets func(string) (string, error)) (template, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return bodyObject(t.raw(key+"{"), dec, secrets)
		}
		return bodyArray(t.raw(key+"["), dec, secrets)
	case string:
		inner, err := parseTemplate(v, escapeJSON, secrets)
		if err != nil {
			return nil, err
		}
		if len(inner) == 1 && inner[0].kind != literal {
			p := inner[0]
			p.before, p.after, p.optional = key+`"`, `",`, key != ""
			return append(t, p), nil
		}
		t = t.raw(key + `"`)
		for _, p := range inner {
			if p.kind == literal {
				t = t.raw(p.before)
			} else {
				t = append(t, p)
			}
		}
		return t.raw(`",`), nil
	case json.Number:
		return t.raw(key + v.String() + ","), nil
	case bool:
		return t.raw(fmt.Sprintf("%s%t,", key, v)), nil
	}
	return t.raw(key + "null,"), nil
}

func bodyObject(t template, dec *json.Decoder, secrets func(string) (string, error)) (template, error) {
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		name, _ := token.(string)
		key := `"` + string(appendJSON(nil, name)) + `":`
		if t, err = bodyValue(t, dec, key, secrets); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	last := &t[len(t)-1]
	if last.kind == literal {
		if n := len(last.before); last.before[n-1] == ',' {
			last.before = last.before[:n-1]
		}
		return t.raw("},"), nil
	}
	return append(t, piece{kind: closer, after: ","}), nil
}

func bodyArray(t template, dec *json.Decoder, secrets func(string) (string, error)) (template, error) {
	var err error
	for dec.More() {
		if t, err = bodyValue(t, dec, "", secrets); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	// Values in an array are never left out: the comma is there unless it is empty.
	last := &t[len(t)-1]
	if last.kind == literal {
		if n := len(last.before); last.before[n-1] == ',' {
			last.before = last.before[:n-1]
		}
	} else {
		last.after = last.after[:len(last.after)-1]
	}
	return t.raw("],"), nil
}

// appendMessages writes the dialog as OpenAI's message list.
func appendMessages(b []byte, turn *Turn) []byte {
	for i := range turn.History {
		m := &turn.History[i]
		if m.Assistant {
			b = append(b, `{"role":"assistant","content":"`...)
		} else {
			b = append(b, `{"role":"user","content":"`...)
		}
		b = appendJSON(b, m.Text)
		b = append(b, `"},`...)
	}
	b = append(b, `{"role":"user","content":"`...)
	b = appendJSON(b, turn.Text)
	return append(b, `"}`...)
}
