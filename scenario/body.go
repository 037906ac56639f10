package scenario

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v4"

	"github.com/cstest/cstest/reason"
)

// body turns a YAML value into compact JSON, members in the order of the file.
func (d *decoder) body(n *yaml.Node, path string, to *json.RawMessage) {
	var out bytes.Buffer
	if problem, at := appendJSON(&out, n); problem != (reason.Phrase{}) {
		d.fail(at, path, "%s", problem)
		return
	}
	*to = out.Bytes()
	d.locate(n, path)
}

// locate keeps where the values inside a body stand.
func (d *decoder) locate(n *yaml.Node, path string) {
	d.at[path] = position{n.Line, n.Column}
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			d.locate(c, item(path, i, ""))
		case i%2 == 1:
			d.locate(c, join(path, n.Content[i-1].Value))
		}
	}
}

// appendJSON writes n, or says what is wrong with which node of it.
func appendJSON(out *bytes.Buffer, n *yaml.Node) (problem reason.Phrase, at *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			writeString(out, n.Content[i].Value)
			out.WriteByte(':')
			if problem, at = appendJSON(out, n.Content[i+1]); problem != (reason.Phrase{}) {
				return problem, at
			}
		}
		out.WriteByte('}')
		return reason.Phrase{}, nil
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if problem, at = appendJSON(out, c); problem != (reason.Phrase{}) {
				return problem, at
			}
		}
		out.WriteByte(']')
		return reason.Phrase{}, nil
	}
	return appendScalar(out, n), n
}

func appendScalar(out *bytes.Buffer, n *yaml.Node) (problem reason.Phrase) {
	switch {
	case plainText(n):
		writeString(out, n.Value)
	case n.Tag == "!!null":
		out.WriteString("null")
	case n.Tag == "!!bool" && (n.Value == "true" || n.Value == "false"):
		out.WriteString(n.Value)
	case (n.Tag == "!!int" || n.Tag == "!!float") && plainNumber.MatchString(n.Value):
		out.WriteString(n.Value)
	default:
		return reason.Say("%s may be read as something else than text: write %q, in quotes", short(n.Value), short(n.Value))
	}
	return reason.Phrase{}
}

// writeString leaves <, > and & as they are: the body is not put into HTML.
func writeString(out *bytes.Buffer, text string) {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if e.Encode(text) == nil {
		out.Truncate(out.Len() - 1)
	}
}
