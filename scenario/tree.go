package scenario

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/cstest/cstest/reason"
)

const (
	maxFile    = 1 << 20 // bytes of a scenario file
	maxDepth   = 32
	maxEntries = 100_000 // see entries
)

// parseTree reads one YAML document without building anything from it but nodes.
// Aliases are not followed, so that a small file stays small.
func parseTree(file string, text []byte) (*yaml.Node, []Problem) {
	fail := func(line, column int, format string, args ...any) (*yaml.Node, []Problem) {
		return nil, []Problem{{File: file, Line: line, Column: column, Message: reason.Say(format, args...)}}
	}
	if len(text) > maxFile {
		return fail(0, 0, "is larger than 1 MiB: put long tables into CSV or JSONL files")
	}
	if line, column, message, bad := notUTF8(text); bad {
		return fail(line, column, "%s", message)
	}
	if entries(text) > maxEntries {
		return fail(0, 0, "has more than %d lines and commas: put long tables into CSV or JSONL files", maxEntries)
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(2*maxDepth)))); err != nil {
		line, column, message := loadProblem(text, err)
		return fail(line, column, "%s", message)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return fail(0, 0, "has no content: see `cstest init` for a start")
	}
	t := tree{file: file}
	t.check(doc.Content[0], 1)
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	return doc.Content[0], nil
}

// entries bounds what the parser will keep: each node but the first follows a
// comma or one of YAML's line ends; anchors and tags cost memory of their own.
func entries(text []byte) (n int) {
	for _, end := range []string{",", "\n", "\r", "\u0085", "\u2028", "\u2029", "&", "*", "!"} {
		n += bytes.Count(text, []byte(end))
	}
	return n
}

// loadProblem gives the position and the text of the parser's error.
func loadProblem(text []byte, err error) (line, column int, message reason.Phrase) {
	var many *yaml.LoadErrors
	if errors.As(err, &many) && len(many.Errors) > 0 {
		err = many.Errors[0]
	}
	var one *yaml.LoadError
	if !errors.As(err, &one) {
		return 0, 0, reason.Say("is not YAML: %s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	said := strings.ReplaceAll(one.Message, "\n", " ")
	message = reason.Say("%s", said)
	switch {
	case strings.Contains(said, "multiple"):
		return 0, 0, reason.Say("has several documents: one file is one scenario, remove what follows the second ---")
	case strings.Contains(said, "no documents"):
		return 0, 0, reason.Say("has no content: see `cstest init` for a start")
	case strings.Contains(said, "depth"):
		message = reason.Say("nested deeper than %d levels", maxDepth)
	case strings.Contains(said, "cannot start any token"):
		message = reason.Say("%s (a tab? indent with spaces; a text that begins with @, `, %% or a tab needs quotes)", said)
	case strings.Contains(said, "tab character"):
		return one.Mark.Line, one.Mark.Column, reason.Say("indentation: there is a tab: indent with spaces")
	case strings.Contains(said, "mapping values are not allowed"), strings.Contains(said, "did not find expected key"), strings.Contains(said, "expected '-'"):
		if why, ok := indentation(text, one.Mark.Line, one.Mark.Column); ok {
			return one.Mark.Line, one.Mark.Column, why
		}
		if strings.Contains(said, "mapping values") {
			message = reason.Say("%s (a text with \": \" in it needs quotes)", said)
		}
	}
	return one.Mark.Line, one.Mark.Column, reason.Say("is not YAML: %s", message)
}

// tree refuses what the scenario file leaves out of YAML.
type tree struct {
	file     string
	problems []Problem
}

func (t *tree) problem(n *yaml.Node, format string, args ...any) {
	t.problems = append(t.problems, Problem{File: t.file, Line: n.Line, Column: n.Column, Message: reason.Say(format, args...)})
}

func (t *tree) check(n *yaml.Node, depth int) {
	if depth > maxDepth {
		t.problem(n, "nested deeper than %d levels", maxDepth)
		return
	}
	if n.Anchor != "" {
		t.problem(n, "anchors (&%s) are not supported: write the value out", n.Anchor)
	}
	if n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str" {
		t.problem(n, "tags (%s) are not supported: write the plain value", n.Tag)
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		t.problem(n, "aliases (*%s) are not supported: write the value out", n.Value)
	case yaml.MappingNode:
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			t.key(key, seen)
			t.check(n.Content[i+1], depth+1)
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			t.check(c, depth+1)
		}
	}
}

func (t *tree) key(key *yaml.Node, seen map[string]int) {
	switch {
	case key.Tag == "!!merge":
		t.problem(key, "merge keys (<<) are not supported: write the values out")
	case key.Kind == yaml.AliasNode || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
		t.problem(key, "aliases, anchors and tags are not supported: write the key out")
	case key.Kind != yaml.ScalarNode:
		t.problem(key, "a key must be a plain word")
	case seen[key.Value] > 0:
		t.problem(key, "the key %q stands in line %d already: keep one", short(key.Value), seen[key.Value])
	default:
		seen[key.Value] = max(key.Line, 1)
	}
}

// trap matches plain words that some YAML readers take for a truth value or a
// time of day.
var trap = regexp.MustCompile(`^(?i:y|yes|n|no|on|off|true|false|null)$|^[0-9]+(:[0-5]?[0-9])+$`)

// plainNumber is what a number in a scenario may look like.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// short keeps what a file says from flooding a terminal, and escapes from reaching it.
func short(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '�'
		}
		return r
	}, text)
}

// plainText tells whether a scalar is text without anything a YAML reader could
// take otherwise.
func plainText(n *yaml.Node) bool {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return true
	}
	return n.Tag == "!!str" && (n.Style&yaml.TaggedStyle != 0 || !trap.MatchString(n.Value))
}
