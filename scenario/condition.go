package scenario

import (
	"strings"

	"github.com/cstest/cstest/reason"
)

// Condition holds where the value at Path is as the others say, all of them. Without
// any the value must be true. What is not there is only what Exists: false asks for.
type Condition struct {
	Path    string    `json:"path"`
	Equals  *Literal  `json:"equals,omitempty"`
	In      []Literal `json:"in,omitempty"`
	Not     *Literal  `json:"not,omitempty"`
	Exists  *bool     `json:"exists,omitempty"`
	Matches string    `json:"matches,omitempty"`
}

// Bare tells whether nothing is said but the path.
func (c *Condition) Bare() bool {
	return c.Equals == nil && c.In == nil && c.Not == nil && c.Exists == nil && c.Matches == ""
}

// Conditions all have to hold; none of them says nothing. They are written as a
// path alone, as one mapping, or as a list of mappings.
type Conditions []Condition

// Word gives the path of conditions that are one path alone.
func (c Conditions) Word() (path string, ok bool) {
	if len(c) != 1 || !c[0].Bare() {
		return "", false
	}
	return c[0].Path, true
}

func (c *Conditions) fromScalar(text string) error {
	if text == "" {
		return reason.Errorf("is empty: write a place such as data.ok, or {path: code, equals: 0}")
	}
	*c = Conditions{{Path: text}}
	return nil
}

func (c *Conditions) shortForm() (string, bool) { return c.Word() }

// Literal is a value of an answer as text, as the answer writes it: 0, true, ok.
type Literal string

// UnmarshalText takes any single value.
func (l *Literal) UnmarshalText(text []byte) error {
	*l = Literal(text)
	return nil
}

// PlaceKind is where a place of an answer is looked for.
type PlaceKind uint8

// The kinds. What stands behind the word of each: a gjson path, the name of a
// header or a cookie, a regular expression, names of elements, an element.
const (
	PlaceJSON   PlaceKind = iota // json:PATH, or PATH alone
	PlaceHeader                  // header:NAME
	PlaceCookie                  // cookie:NAME, as this answer sets it
	PlaceRegex                   // regex:RE, its first group or all of it, in the body
	PlaceXML                     // xml:A/B, the text of every such element; xml:A/@x an attribute
	PlaceHTML                    // html:TAG, html:#ID or html:.CLASS, the text people see
	PlaceText                    // body:text, the whole body
	PlaceStatus                  // http:status
	PlaceEvent                   // sse:event, the name of a stream's event; socket:event, of socket.io's
)

// Find takes the text of a place apart.
func Find(place string) (kind PlaceKind, rest string) {
	switch place {
	case "body:text":
		return PlaceText, ""
	case "http:status":
		return PlaceStatus, ""
	case "sse:event", "socket:event":
		return PlaceEvent, ""
	}
	for _, p := range placeWords {
		if rest, ok := strings.CutPrefix(place, p.word); ok {
			return p.kind, rest
		}
	}
	return PlaceJSON, place
}

var placeWords = []struct {
	word string
	kind PlaceKind
}{
	{"json:", PlaceJSON}, {"header:", PlaceHeader}, {"cookie:", PlaceCookie}, {"regex:", PlaceRegex}, {"xml:", PlaceXML}, {"html:", PlaceHTML},
}
