package scenario

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Values gives templates their variables. AppendValue appends the value of the
// variable to dst, nothing when it has none. Names are as they stand between
// ${ and }: "turn.text", "orders.phone", "env:TOKEN".
type Values interface {
	AppendValue(dst []byte, name string) []byte
}

// ValuesFunc makes Values of a function.
type ValuesFunc func(name string) string

// AppendValue appends what the function gives.
func (f ValuesFunc) AppendValue(dst []byte, name string) []byte { return append(dst, f(name)...) }

// Template is a text with ${variables} in it; $$ is a dollar. It is a plain
// value, read-only, safe for concurrent use. The zero Template is the empty text.
type Template struct{ parts []part }

// part is a literal, or a variable when name is set.
type part struct {
	literal string
	name    string
}

const (
	maxTemplate     = 64 << 10 // bytes of a template
	maxPlaceholders = 256
	maxValue        = 64 << 10 // bytes of one value in what a template renders
)

// ParseTemplate reads a template. It checks the form, not whether the
// variables exist.
func ParseTemplate(text string) (Template, error) {
	if len(text) > maxTemplate {
		return Template{}, fmt.Errorf("is longer than %d bytes", maxTemplate)
	}
	var t Template
	var literal strings.Builder
	variables := 0
	for text != "" {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			literal.WriteString(text)
			break
		}
		literal.WriteString(text[:i])
		text = text[i+1:]
		switch {
		case strings.HasPrefix(text, "$"):
			literal.WriteByte('$')
			text = text[1:]
		case strings.HasPrefix(text, "{"):
			end := strings.IndexByte(text, '}')
			if end < 0 {
				return Template{}, fmt.Errorf("a } is missing after ${%s", short(text[1:]))
			}
			name := text[1:end]
			if err := checkName(name); err != nil {
				return Template{}, err
			}
			if variables++; variables > maxPlaceholders {
				return Template{}, fmt.Errorf("has more than %d variables", maxPlaceholders)
			}
			t.literal(&literal)
			t.parts = append(t.parts, part{name: name})
			text = text[end+1:]
		default:
			return Template{}, fmt.Errorf("a single $ means nothing: write ${NAME} for a variable, $$ for a dollar")
		}
	}
	t.literal(&literal)
	return t, nil
}

func (t *Template) literal(b *strings.Builder) {
	if b.Len() > 0 {
		t.parts = append(t.parts, part{literal: b.String()})
		b.Reset()
	}
}

// checkName refuses what cannot be the name of a variable.
func checkName(name string) error {
	kind, rest, ok := strings.Cut(name, ":")
	if ok {
		if (kind == "env" && isEnvName(rest)) || (kind == "file" && rest != "") {
			return nil
		}
		return fmt.Errorf("${%s} is not a variable: from outside there are ${env:NAME} and ${file:PATH}", short(name))
	}
	table, column, ok := strings.Cut(name, ".")
	if !ok || table == "" || column == "" || strings.ContainsAny(name, " \t${") {
		return fmt.Errorf("${%s} is not a variable: write for example ${user.id} or ${orders.order_no}", short(name))
	}
	return nil
}

func isEnvName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 256
}

// Names lists the variables in the order of the text, repeated ones too.
func (t Template) Names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// Constant gives the text of a template without variables.
func (t Template) Constant() (text string, ok bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].name == "":
		return t.parts[0].literal, true
	}
	return "", false
}

// variable gives the name when the whole template is one variable.
func (t Template) variable() (name string, ok bool) {
	if len(t.parts) == 1 && t.parts[0].name != "" {
		return t.parts[0].name, true
	}
	return "", false
}

// Append renders the template behind dst. It allocates only when dst must grow.
// A value is cut after 64 KiB.
func (t Template) Append(dst []byte, values Values) []byte {
	for i := range t.parts {
		if p := &t.parts[i]; p.name == "" {
			dst = append(dst, p.literal...)
		} else {
			dst = appendValue(dst, values, p.name)
		}
	}
	return dst
}

// AppendJSON renders the template behind dst as the inside of a JSON string,
// without the quotes.
func (t Template) AppendJSON(dst []byte, values Values) []byte {
	for i := range t.parts {
		if p := &t.parts[i]; p.name == "" {
			dst = appendEscaped(dst, p.literal)
		} else {
			dst = appendValueJSON(dst, values, p.name)
		}
	}
	return dst
}

func appendValue(dst []byte, values Values, name string) []byte {
	n := len(dst)
	dst = values.AppendValue(dst, name)
	if len(dst) > n+maxValue {
		dst = dst[:n+maxValue]
	}
	return dst
}

// appendValueJSON appends a value and escapes it where it stands; most values
// need no escaping, so that nothing is copied.
func appendValueJSON(dst []byte, values Values, name string) []byte {
	n := len(dst)
	dst = appendValue(dst, values, name)
	if plainJSON(dst[n:]) {
		return dst
	}
	m := len(dst)
	dst = appendEscaped(dst, dst[n:m])
	length := copy(dst[n:], dst[m:])
	return dst[:n+length]
}

// plainJSON tells whether text may stand in a JSON string as it is.
func plainJSON(text []byte) bool {
	ascii := true
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.Valid(text)
}

// appendEscaped writes text as RFC 8259 asks; invalid UTF-8 becomes U+FFFD.
func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(text); {
		run := i
		for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' && text[i] < utf8.RuneSelf {
			i++
		}
		dst = append(dst, text[run:i]...)
		if i == len(text) {
			break
		}
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			var buf [utf8.UTFMax]byte
			r, n := utf8.DecodeRune(buf[:copy(buf[:], text[i:])])
			dst = utf8.AppendRune(dst, r)
			i += n - 1
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
	}
	return dst
}
