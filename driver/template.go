package driver

import (
	"fmt"
	"strconv"
	"strings"
)

// kind says what stands in a place of a template.
type kind uint8

const (
	literal kind = iota
	userID
	userIndex
	userVar // a data column
	loginVar
	turnText
	turnID
	turnIndex
	dialogID
	traceID
	spanID
	bearer   // a signed token
	jobPath  // where an asynchronous answer is to be had
	messages // the dialog as an OpenAI message list, turn and all
	closer   // the end of an object whose last member may be missing
)

// escape says how a value is written where it stands.
type escape uint8

const (
	escapeHeader escape = iota // control characters dropped
	escapeJSON                 // inside a JSON string
	escapePath                 // inside a URL path or query
)

// piece is a literal, or a value with what stands before and after it.
type piece struct {
	kind     kind
	escape   escape
	optional bool   // an empty value takes before and after with it
	name     string // of userVar and loginVar
	before   string // the literal itself, too
	after    string
}

// template is a text with places for what differs from turn to turn.
type template []piece

// values are what a template is filled with.
type values struct {
	user *User
	turn *Turn
	job  string
}

var names = map[string]kind{
	"user.id": userID, "user.index": userIndex, "turn.text": turnText, "turn.id": turnID,
	"turn.index": turnIndex, "dialog.id": dialogID, "trace.id": traceID, "span.id": spanID,
}

// parseTemplate reads "…${name}…$$…". Secrets are looked up now and become
// literals.
func parseTemplate(text string, how escape, secrets func(string) (string, error)) (template, error) {
	var t template
	for text != "" {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			return t.literal(text, how), nil
		}
		t = t.literal(text[:i], how)
		text = text[i+1:]
		if strings.HasPrefix(text, "$") {
			t, text = t.literal("$", how), text[1:]
			continue
		}
		name, rest, ok := strings.Cut(strings.TrimPrefix(text, "{"), "}")
		if !ok || !strings.HasPrefix(text, "{") || name == "" {
			return nil, fmt.Errorf("%.40q: write ${name}, or $$ for a dollar", "$"+text)
		}
		text = rest
		if strings.HasPrefix(name, "env:") || strings.HasPrefix(name, "file:") {
			value, err := secret(name, secrets)
			if err != nil {
				return nil, err
			}
			t = t.literal(value, how)
			continue
		}
		t = append(t, variable(name, how))
	}
	return t, nil
}

func variable(name string, how escape) piece {
	if k, ok := names[name]; ok {
		return piece{kind: k, escape: how}
	}
	if short, ok := strings.CutPrefix(name, "login."); ok {
		return piece{kind: loginVar, escape: how, name: short}
	}
	return piece{kind: userVar, escape: how, name: name}
}

func secret(name string, secrets func(string) (string, error)) (string, error) {
	if secrets == nil {
		return "", fmt.Errorf("${%s}: no secrets are to be had here", name)
	}
	value, err := secrets(name)
	if err != nil {
		return "", fmt.Errorf("${%s}: %w", name, err)
	}
	return value, nil
}

// literal appends text, escaped, to the last literal where there is one.
func (t template) literal(text string, how escape) template {
	if text == "" {
		return t
	}
	return t.raw(string(appendEscaped(nil, text, how)))
}

// raw appends text as it is.
func (t template) raw(text string) template {
	if text == "" {
		return t
	}
	if n := len(t); n > 0 && t[n-1].kind == literal {
		t[n-1].before += text
		return t
	}
	return append(t, piece{kind: literal, before: text})
}

// constant gives the text of a template without places.
func (t template) constant() (string, bool) {
	switch {
	case len(t) == 0:
		return "", true
	case len(t) == 1 && t[0].kind == literal:
		return t[0].before, true
	}
	return "", false
}

// uses tells whether any place is of kind k.
func (t template) uses(k kind) bool {
	for i := range t {
		if t[i].kind == k {
			return true
		}
	}
	return false
}

// append writes the template filled with v after b.
func (t template) append(b []byte, v *values) []byte {
	for i := range t {
		p := &t[i]
		if p.kind == literal {
			b = append(b, p.before...)
			continue
		}
		start := len(b)
		b = append(b, p.before...)
		from := len(b)
		b = p.value(b, v)
		if p.optional && len(b) == from {
			b = b[:start]
			continue
		}
		b = append(b, p.after...)
	}
	return b
}

func (p *piece) value(b []byte, v *values) []byte {
	switch p.kind {
	case userID:
		return appendEscaped(b, v.user.ID, p.escape)
	case userIndex:
		return strconv.AppendInt(b, v.user.Index, 10)
	case userVar:
		return appendEscaped(b, v.user.Vars[p.name], p.escape)
	case loginVar:
		return appendEscaped(b, v.user.state.login[p.name], p.escape)
	case turnText:
		return appendEscaped(b, v.turn.Text, p.escape)
	case turnID:
		return appendEscaped(b, v.turn.TurnID, p.escape)
	case turnIndex:
		return strconv.AppendInt(b, int64(v.turn.Index), 10)
	case dialogID:
		return appendEscaped(b, v.turn.DialogID, p.escape)
	case traceID:
		return appendHex(b, v.turn.TraceID[:])
	case spanID:
		return appendHex(b, v.turn.SpanID[:])
	case bearer:
		return append(b, v.user.state.token...)
	case jobPath:
		return append(b, v.job...)
	case messages:
		return appendMessages(b, v.turn)
	case closer:
		if n := len(b); n > 0 && b[n-1] == ',' {
			b = b[:n-1]
		}
		return append(b, '}')
	}
	return b
}

const hexDigits = "0123456789abcdef"

func appendHex(b, raw []byte) []byte {
	for _, c := range raw {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

func appendEscaped[T string | []byte](b []byte, s T, how escape) []byte {
	switch how {
	case escapeJSON:
		return appendJSON(b, s)
	case escapePath:
		return appendPath(b, s)
	}
	for i := range len(s) {
		if s[i] >= 0x20 && s[i] != 0x7f || s[i] == '\t' {
			b = append(b, s[i])
		}
	}
	return b
}

// appendJSON writes s as the inside of a JSON string. Bytes that are not UTF-8
// go out as they are: what is sent is what the scenario says.
func appendJSON[T string | []byte](b []byte, s T) []byte {
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(b, s[from:]...)
}

// appendPath percent-encodes all but RFC 3986's unreserved characters.
func appendPath[T string | []byte](b []byte, s T) []byte {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		}
	}
	return b
}
