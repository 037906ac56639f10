package driver

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

// unreadable says why a body was not taken, and what would take it.
func (r *reader) unreadable(x *exchange, body []byte) string {
	if r.own != nil && r.own.jsonp {
		return "the answer is not JSON in NAME(…), as response.format: jsonp says"
	}
	body = bytes.TrimSpace(body)
	switch {
	case !utf8.Valid(body):
		return "the answer is not UTF-8"
	case json.Valid(body) && tooDeep(body):
		return "the answer is not valid JSON: it nests too deeply"
	case json.Valid(body):
		return "the answer has a key twice that is read: which of them counts depends on the client"
	case bytes.HasPrefix(body, []byte("data:")), bytes.HasPrefix(body, []byte("event:")):
		return "the answer is a stream of events, not one JSON document: write target.mode: stream"
	case severalLines(body):
		return "the answer is several JSON documents, not one: write target.mode: stream and response.stream.format: ndjson"
	case bytes.HasPrefix(body, []byte("<")):
		return "the answer is a page of HTML or XML, not a JSON document"
	}
	if kind := x.Head.ContentType(); kind != "" {
		return "the answer is not valid JSON: its content-type is " + wire.Visible([]byte(kind))
	}
	return "the answer is not valid JSON"
}

// tooDeep tells whether valid JSON nests deeper than is read.
func tooDeep(doc []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[', c == '{':
			if depth++; depth > jsonscan.MaxDepth {
				return true
			}
		case c == ']', c == '}':
			depth--
		}
	}
	return false
}

// severalLines tells whether body begins with two lines of JSON.
func severalLines(body []byte) bool {
	first, rest, more := bytes.Cut(body, []byte("\n"))
	second, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte("\n"))
	return more && len(first) > 0 && first[0] == '{' && json.Valid(first) && json.Valid(second)
}

// refused tells what an answer of a status that refuses says of itself, where its
// code says no more than that: "HTTP 429 429" is no cause.
func (r *reader) refused(x *exchange, reply *Reply, status int) {
	if reply.Said != "" && !isNumber([]byte(reply.Said), status) || len(reply.Code) > 0 && !isNumber(reply.Code, status) {
		return
	}
	reply.Said, reply.Code = "", nil
	v := x.scanner.Values
	for _, slot := range [...]int{slotCodeType, slotErrorText, slotErrorsText, slotDetail, slotText, slotError, slotTitle} {
		if v[slot].Kind == jsonscan.Text && len(v[slot].Raw) > 0 {
			said := withoutNumbers(make([]byte, 0, maxSaid), x.string(&v[slot]))
			reply.Said = wire.Visible(bytes.TrimSpace(said))
			return
		}
	}
}

// isNumber tells whether text is n, in decimal.
func isNumber(text []byte, n int) bool {
	got := 0
	for _, c := range text {
		if c < '0' || c > '9' || got > 1<<20 {
			return false
		}
		got = 10*got + int(c-'0')
	}
	return got == n
}
