package scenario

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/cstest/cstest/reason"
)

// Part is a field of a form, or a file of a multipart body.
type Part struct {
	Name string
	Text string // a template
	File string // a path, in place of Text
	Type string // of a file
}

// Parts reads the body of a request that is sent as a form, in the order of the
// file. The error says what to write.
func Parts(body json.RawMessage) ([]Part, error) {
	v, err := readJSON(body)
	if err != nil {
		return nil, err
	}
	if v.token != json.Delim('{') {
		return nil, reason.Errorf("must be a mapping (name: text)")
	}
	parts := make([]Part, 0, len(v.items))
	for i, item := range v.items {
		p := Part{Name: v.keys[i]}
		switch token := item.token.(type) {
		case string:
			p.Text = token
		case json.Number:
			p.Text = token.String()
		case bool:
			p.Text = strconv.FormatBool(token)
		default:
			if err := p.file(item); err != nil {
				return nil, reason.Errorf("%s: %w", short(p.Name), err)
			}
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// file reads {file: PATH, type: TYPE}.
func (p *Part) file(v jsonValue) error {
	for i, key := range v.keys {
		text, ok := v.items[i].token.(string)
		switch {
		case ok && key == "file":
			p.File = text
		case ok && key == "type":
			p.Type = text
		default:
			p.File = ""
			return reason.Errorf("must be a text, or {file: PATH, type: TYPE} in multipart")
		}
	}
	if p.File == "" {
		return reason.Errorf("must be a text, or {file: PATH, type: TYPE} in multipart")
	}
	return nil
}

// TextBody reads the body of a request that is sent as text or xml.
func TextBody(body json.RawMessage) (string, error) {
	var text string
	if json.NewDecoder(bytes.NewReader(body)).Decode(&text) != nil {
		return "", reason.Errorf("must be one text")
	}
	return text, nil
}

// ContentType is that of a body of the kind; of multipart without its boundary.
func (k BodyKind) ContentType() string {
	switch k {
	case AsForm:
		return "application/x-www-form-urlencoded"
	case AsMultipart:
		return "multipart/form-data"
	case AsText:
		return "text/plain; charset=utf-8"
	case AsXML:
		return "application/xml; charset=utf-8"
	case AsJSON:
	}
	return "application/json"
}
