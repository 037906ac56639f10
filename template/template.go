// Package template is the language of ${variables} in what a scenario says and
// sends. A text or a JSON document is parsed once into a Template, which knows
// the names of its variables and where they stand; Bind gives each name a
// meaning, and the Bound template is rendered for every turn without
// allocating.
//
// The rule for dollars is one everywhere: ${NAME} is a variable, $$ is a dollar,
// and a $ that begins neither is a dollar as well, because people write prices.
package template

import (
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// Form is what a template is part of. It decides what may stand in the template
// and how values are written into it.
type Form uint8

// The forms.
const (
	Text   Form = iota // values as they are
	Header             // of a request: no control characters but tabs; a value's are dropped
	Path               // of a URL, with its query: printable ASCII; values are percent-encoded
	JSON               // a document, see ParseJSON
	Query              // of a form or a query, urlencoded: what is not a variable as well
	XML                // values with &, <, > and quotes escaped, control characters dropped
)

const (
	maxBytes     = 64 << 10 // of a template
	maxVariables = 256
	maxName      = 1024 // bytes; a path of a file is the longest
	maxDepth     = 32   // of a JSON document
)

// Template is a text or a JSON document with variables, parsed. It is a plain
// value, read-only, safe for concurrent use. The zero Template is the empty text.
type Template struct {
	form  Form
	parts []part
}

// part is a literal, or a variable with the literal before it.
type part struct {
	literal string
	name    string // empty: there is no variable
	at      string // where in a JSON document, as "messages[0].content"
	stands  stands
	comma   bool // before it, unless it is the first that its object or list has
}

// stands is how a variable stands in a JSON document.
type stands uint8

const (
	among  stands = iota // among other text
	member               // the whole value of an object's member, whose key is the literal
	item                 // a whole item of a list
	whole                // the whole document
)

// Use is a variable in a template.
type Use struct {
	Name string // as it stands between ${ and }
	At   string // where in a JSON document, as "messages[0].content"; empty in a text
}

// Error is what is wrong with a template.
type Error struct {
	At      string        // where in a JSON document; empty in a text
	Problem reason.Phrase // says what to do
}

// Error prints where and what.
func (e *Error) Error() string { return e.Text(reason.English) }

// Text is that in a language.
func (e *Error) Text(lang reason.Lang) string {
	if e.At == "" {
		return e.Problem.Text(lang)
	}
	return e.At + ": " + e.Problem.Text(lang)
}

func problem(format string, args ...any) *Error { return &Error{Problem: reason.Say(format, args...)} }

// Parse reads a text of any form but JSON. It does not know which
// variables exist. The error is an *Error.
func Parse(text string, form Form) (Template, error) {
	if len(text) > maxBytes {
		return Template{}, problem("is longer than %d bytes", maxBytes)
	}
	t := Template{form: form}
	var b builder
	if err := b.text(text); err != nil {
		return Template{}, err
	}
	b.flush()
	for i := range b.parts {
		p := &b.parts[i]
		if err := form.check(p.literal); err != nil {
			return Template{}, err
		}
		if form == Query {
			p.literal = string(escape([]byte(p.literal), 0, Query))
		}
	}
	t.parts = b.parts
	return t, nil
}

// Quote writes a text as a template without variables, with no more dollars than
// it needs. What is put behind it must not begin with $ or {.
func Quote(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteByte(text[i])
		if text[i] == '$' && i+1 < len(text) && (text[i+1] == '$' || text[i+1] == '{') {
			b.WriteByte('$')
		}
	}
	return b.String()
}

// check tells what may not stand in a template of the form.
func (f Form) check(literal string) error {
	switch {
	case f == Path && strings.ContainsFunc(literal, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return problem("%.60q: percent-encode what is not printable ASCII", literal)
	case f == Header && strings.ContainsFunc(literal, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return problem("%.60q: has a line end or another control character in it", literal)
	}
	return nil
}

// Uses lists the variables in the order of the template, repeated ones too.
func (t Template) Uses() []Use {
	var uses []Use
	for _, p := range t.parts {
		if p.name != "" {
			uses = append(uses, Use{p.name, p.at})
		}
	}
	return uses
}

// Has tells whether the variable stands in the template.
func (t Template) Has(name string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.name == name && name != "" })
}

// Constant gives the text of a template without variables.
func (t Template) Constant() (text string, ok bool) {
	for _, p := range t.parts {
		if p.name != "" {
			return "", false
		}
		text += p.literal // there is one at most: neighbours are joined
	}
	return text, true
}

// builder collects parts, neighbouring literals in one.
type builder struct {
	parts     []part
	literal   []byte
	comma     bool   // before the literal
	variables int    // so far
	json      bool   // literals stand inside of JSON strings
	at        string // where in a JSON document
}

// flush makes a part of the literal.
func (b *builder) flush() {
	if len(b.literal) > 0 {
		b.parts = append(b.parts, part{literal: string(b.literal), comma: b.comma})
		b.literal = b.literal[:0]
	}
	b.comma = false
}

func (b *builder) add(p part) error {
	if b.variables++; b.variables > maxVariables {
		return problem("has more than %d variables", maxVariables)
	}
	b.flush()
	p.at = b.at
	b.parts = append(b.parts, p)
	return nil
}

// text takes a text apart.
func (b *builder) text(text string) error {
	literal := func(s string) {
		if b.json {
			b.literal = AppendJSON(b.literal, s)
		} else {
			b.literal = append(b.literal, s...)
		}
	}
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 || i == len(text)-1 {
			literal(text)
			return nil
		}
		switch text[i+1] {
		case '$':
			literal(text[:i+1])
			text = text[i+2:]
		case '{':
			literal(text[:i])
			name, rest, err := cutName(text[i:])
			if err != nil {
				err.At = b.at
				return err
			}
			if err := b.add(part{name: name}); err != nil {
				return err
			}
			text = rest
		default:
			literal(text[:i+1])
			text = text[i+1:]
		}
	}
}

// cutName takes ${NAME} off the front of text.
func cutName(text string) (name, rest string, err *Error) {
	name, rest, ok := strings.Cut(text[len("${"):], "}")
	switch {
	case !ok || len(name) > maxName || strings.ContainsAny(name, "{\r\n\x00"):
		return "", "", problem("a } is missing after %.40q: close it, or write $$ for a dollar", firstLine(text))
	case strings.TrimSpace(name) == "":
		return "", "", problem("${%s} names no variable: write for example ${user.id}, or $$ for a dollar", name)
	}
	return name, rest, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
