package scenario

import (
	"bytes"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/cstest/cstest/reason"
)

// Bounds of a YAML document that is not ours.
const (
	maxForeign        = 16 << 20
	maxForeignDepth   = 96
	maxForeignEntries = 1_000_000
)

// Document turns a YAML document that others wrote, of any kind, into JSON: its
// plain values are what YAML takes them for, dates texts. Aliases, which may make much of
// little, are refused. name stands before positions; the error is *Problems.
func Document(name string, text []byte) ([]byte, error) {
	fail := func(line, column int, format string, args ...any) error {
		return problemsError([]Problem{{File: name, Line: line, Column: column, Message: reason.Say(format, args...)}})
	}
	switch line, column, message, bad := notUTF8(text); {
	case len(text) > maxForeign:
		return nil, fail(0, 0, "is larger than 16 MiB")
	case bad:
		return nil, fail(line, column, "%s", message)
	case entries(text) > maxForeignEntries:
		return nil, fail(0, 0, "has more than %d lines and commas", maxForeignEntries)
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(2*maxForeignDepth)))); err != nil {
		line, column, message := loadProblem(text, err)
		return nil, fail(line, column, "%s", message)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, fail(0, 0, "has no content")
	}
	var out bytes.Buffer
	if problem, at := appendForeign(&out, doc.Content[0], 0); problem != (reason.Phrase{}) {
		return nil, fail(at.Line, at.Column, "%s", problem)
	}
	return out.Bytes(), nil
}

func appendForeign(out *bytes.Buffer, n *yaml.Node, depth int) (problem reason.Phrase, at *yaml.Node) {
	if depth > maxForeignDepth {
		return reason.Say("nested deeper than %d levels", maxForeignDepth), n
	}
	switch n.Kind {
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Kind != yaml.ScalarNode || n.Content[i].Tag == "!!merge" {
				return reason.Say("a key is no plain word"), n.Content[i]
			}
			if i > 0 {
				out.WriteByte(',')
			}
			writeString(out, n.Content[i].Value)
			out.WriteByte(':')
			if problem, at = appendForeign(out, n.Content[i+1], depth+1); problem != (reason.Phrase{}) {
				return problem, at
			}
		}
		out.WriteByte('}')
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if problem, at = appendForeign(out, c, depth+1); problem != (reason.Phrase{}) {
				return problem, at
			}
		}
		out.WriteByte(']')
	case yaml.AliasNode:
		return reason.Say("aliases (*%s) are not supported: write the value out", short(n.Value)), n
	default:
		foreignScalar(out, n)
	}
	return reason.Phrase{}, nil
}

func foreignScalar(out *bytes.Buffer, n *yaml.Node) {
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	switch {
	case quoted:
		writeString(out, n.Value)
	case n.Tag == "!!null":
		out.WriteString("null")
	case n.Tag == "!!bool" && (n.Value == "true" || n.Value == "false"):
		out.WriteString(n.Value)
	case (n.Tag == "!!int" || n.Tag == "!!float") && plainNumber.MatchString(n.Value):
		out.WriteString(n.Value)
	default:
		writeString(out, n.Value)
	}
}
