package template

const (
	lowerHex = "0123456789abcdef"
	upperHex = "0123456789ABCDEF"
)

// escape writes what text holds from an index on as a form other than Text asks,
// where it stands. Most values need nothing, and nothing is copied.
func escape(text []byte, from int, form Form) []byte {
	safe := &safe[form]
	for from < len(text) && safe[text[from]] {
		from++
	}
	if from == len(text) {
		return text
	}
	// The escaped value goes behind the raw one, and then into its place.
	end := len(text)
	for i := from; i < end; i++ {
		c := text[i]
		switch {
		case safe[c]:
			text = append(text, c)
		case form == Path, form == Query:
			text = append(text, '%', upperHex[c>>4], upperHex[c&15])
		case form == JSON:
			text = appendEscape(text, c)
		case form == XML:
			text = append(text, entities[c]...)
		}
	}
	return text[:from+copy(text[from:], text[end:])]
}

// safe are the bytes of a value that each form takes as they are.
var safe = [...][256]bool{
	Header: bytesThat(func(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }),
	Path:   bytesThat(unreserved),
	// What is not UTF-8 goes out as it came: a server's id comes back the same.
	JSON:  bytesThat(func(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }),
	Query: bytesThat(unreserved),
	XML: bytesThat(func(c byte) bool {
		return (c >= ' ' || c == '\t' || c == '\n' || c == '\r') && entities[c] == ""
	}),
}

// entities are the characters that mean something in XML.
var entities = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\'': "&#39;"}

// unreserved are the characters of RFC 3986 that stand for themselves everywhere.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func bytesThat(are func(byte) bool) (set [256]bool) {
	for c := range set {
		set[c] = are(byte(c))
	}
	return set
}

// AppendJSON appends text as the inside of a JSON string, without the quotes.
// Bytes that are not UTF-8 go out as they are.
func AppendJSON[T string | []byte](dst []byte, text T) []byte {
	from := 0
	for i := range len(text) {
		if safe[JSON][text[i]] {
			continue
		}
		dst = appendEscape(append(dst, text[from:i]...), text[i])
		from = i + 1
	}
	return append(dst, text[from:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
}
