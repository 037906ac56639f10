package wire

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

const (
	mediaType      = "application/json"
	mostParameters = 8 // of a media type: nobody sends more
)

// IsJSON says whether the header fields of a request announce JSON as Decode and its kind
// read it: UTF-8, as RFC 8259 has it, and no content coding. A charset may say so, too;
// other parameters mean nothing to JSON and are left alone, but the list has to be whole
// and may say nothing twice.
func IsJSON(h http.Header) bool {
	for _, coding := range h["Content-Encoding"] {
		if coding != "" {
			return false
		}
	}
	fields := h["Content-Type"]
	if len(fields) != 1 {
		return false
	}
	if fields[0] == mediaType { // as nearly everybody sends it
		return true
	}
	kind, list := cutToken(strings.Trim(fields[0], ows), "/")
	charset, ok := charsetOf(list)
	return ok && strings.EqualFold(kind, mediaType) && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

const ows = " \t"

// charsetOf reads the parameters of a media type as RFC 9110 has them (5.6.6): charset is
// "" where none is given.
func charsetOf(list string) (charset string, ok bool) {
	var names []string
	for {
		list = strings.TrimLeft(list, ows)
		if list == "" {
			return charset, true
		}
		if list[0] != ';' {
			return "", false
		}
		list = strings.TrimLeft(list[1:], ows)
		if list == "" || list[0] == ';' {
			continue
		}
		var name, value string
		name, list = cutToken(list, "")
		name = strings.ToLower(name)
		// charset*=… is of mail, not of HTTP, and would be a second charset to some.
		if name == "" || strings.Contains(name, "*") || !strings.HasPrefix(list, "=") || slices.Contains(names, name) || len(names) == mostParameters {
			return "", false
		}
		names = append(names, name)
		if value, list, ok = cutValue(list[1:]); !ok || name == "charset" && value == "" {
			return "", false
		}
		if name == "charset" {
			charset = value
		}
	}
}

// cutValue reads a token or a quoted string.
func cutValue(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		value, rest = cutToken(text, "")
		return value, rest, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:], true
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// cutToken reads the characters that a token has, and those of more.
func cutToken(text, more string) (token, rest string) {
	n := strings.IndexFunc(text, func(r rune) bool { return !httpguts.IsTokenRune(r) && !strings.ContainsRune(more, r) })
	if n < 0 {
		n = len(text)
	}
	return text[:n], text[n:]
}
