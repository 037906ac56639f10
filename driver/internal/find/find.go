// Package find looks for values in answers, at places and by conditions that a
// scenario writes, and says of them whether they hold.
package find

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// Paths gives JSON paths the slots of a scanner, one behind the other.
type Paths struct {
	Of   map[int]string
	Next int // the first slot that is free
}

// Slot gives path a slot.
func (p *Paths) Slot(path string) int {
	slot := p.Next
	p.Of[slot] = path
	p.Next++
	return slot
}

// Answer is what is looked into: a whole answer, or an event of a stream.
type Answer struct {
	JSON  []jsonscan.Value // of the body or the event's data, by slot; nil where that is no JSON
	Head  *wire.Head
	Body  []byte
	Event []byte // the event's name
}

// Place is where a value stands, compiled. The zero Place finds nothing.
type Place struct {
	kind scenario.PlaceKind
	slot int
	rest string
	path []string
	re   *regexp.Regexp
	some bool
}

// Compile makes a place ready; those in JSON take a slot of paths.
func Compile(text string, paths *Paths) (Place, error) {
	if text == "" {
		return Place{}, nil
	}
	kind, rest := scenario.Find(text)
	p := Place{kind: kind, rest: rest, some: true}
	var err error
	switch kind {
	case scenario.PlaceJSON:
		p.slot = paths.Slot(rest)
	case scenario.PlaceHeader:
		p.rest = strings.ToLower(rest)
	case scenario.PlaceRegex:
		p.re, err = regexp.Compile(rest)
	case scenario.PlaceXML:
		p.path = strings.Split(rest, "/")
	case scenario.PlaceCookie, scenario.PlaceHTML, scenario.PlaceText, scenario.PlaceStatus, scenario.PlaceEvent:
	}
	return p, err
}

// Named tells whether there is a place at all.
func (p *Place) Named() bool { return p.some }

// Document tells whether the place is in the body and the body need not be JSON.
func (p *Place) Document() bool {
	return p.some && (p.kind == scenario.PlaceRegex || p.kind == scenario.PlaceXML || p.kind == scenario.PlaceHTML || p.kind == scenario.PlaceText)
}

// Value is what stands at a place. There is none where Kind is jsonscan.Nothing.
type Value struct {
	Text []byte
	Kind jsonscan.Kind
}

// In gives what stands at the place in a. Texts of a list are joined by line ends.
// The text lies in the answer, or in memory of its own.
func (p *Place) In(a *Answer) Value {
	if !p.some {
		return Value{}
	}
	switch p.kind {
	case scenario.PlaceJSON:
		return p.inJSON(a)
	case scenario.PlaceHeader:
		if a.Head != nil {
			return textOf(a.Head.Field(p.rest))
		}
	case scenario.PlaceCookie:
		if a.Head != nil {
			return textOf(cookie(a.Head, p.rest))
		}
	case scenario.PlaceRegex:
		if m := p.re.FindSubmatch(a.Body); m != nil {
			return textOf(m[len(m)-1], true)
		}
	case scenario.PlaceXML:
		return textOf(inXML(a.Body, p.path))
	case scenario.PlaceHTML:
		return textOf(inHTML(a.Body, p.rest))
	case scenario.PlaceText:
		return Value{Text: bytes.TrimSpace(a.Body), Kind: jsonscan.Text}
	case scenario.PlaceStatus:
		if a.Head != nil {
			return Value{Text: strconv.AppendInt(nil, int64(a.Head.Status), 10), Kind: jsonscan.Number}
		}
	case scenario.PlaceEvent:
		return Value{Text: a.Event, Kind: jsonscan.Text}
	}
	return Value{}
}

func textOf(text []byte, ok bool) Value {
	if !ok {
		return Value{}
	}
	return Value{Text: text, Kind: jsonscan.Text}
}

func (p *Place) inJSON(a *Answer) Value {
	if p.slot >= len(a.JSON) {
		return Value{}
	}
	v := &a.JSON[p.slot]
	switch {
	case v.Kind == jsonscan.Text && v.Escaped:
		return Value{Text: jsonscan.Unescape(nil, v.Raw), Kind: v.Kind}
	case len(v.Raw) > 0 && v.Raw[0] == '[' && v.Kind != jsonscan.Text:
		if text, ok := Joined(nil, v.Raw); ok {
			return Value{Text: text, Kind: jsonscan.Text}
		}
	}
	return Value{Text: v.Raw, Kind: v.Kind}
}

// cookie gives the value of a cookie that the answer sets.
func cookie(h *wire.Head, name string) ([]byte, bool) {
	for _, f := range h.Fields {
		if f.Name != "set-cookie" {
			continue
		}
		if c, err := http.ParseSetCookie(string(f.Value)); err == nil && c.Name == name {
			return []byte(c.Value), true
		}
	}
	return nil, false
}
