// Package jsonscan finds values in JSON documents in one pass, without allocating,
// and refuses documents that are not valid JSON.
package jsonscan

import (
	"strings"
	"unicode/utf8"
)

// MaxDepth bounds how deep a document may nest.
const MaxDepth = 128

// node is a place in the documents of a target: members by name below it, and
// the slot its value goes to (-1: none).
type node struct {
	slot     int
	children []child
}

type child struct {
	name string
	at   *node
}

// Kind is the type of a value.
type Kind byte

// The kinds; but for Nothing and Number, the first byte of their values. An array has
// its first byte, too.
const (
	Nothing Kind = 0
	Text    Kind = '"'
	True    Kind = 't'
	False   Kind = 'f'
	Null    Kind = 'n'
	Number  Kind = '0'
	Object  Kind = '{'
)

// Value is what was found at a place: Raw is the inside of a string, else the
// value as it stands. It lies in the document.
type Value struct {
	Raw     []byte
	Kind    Kind
	Escaped bool // Raw has escapes, for Unescape
}

// Count gives a whole number of at most six digits.
func (v *Value) Count() (int, bool) {
	if v.Kind != Number || len(v.Raw) == 0 || len(v.Raw) > 6 {
		return 0, false
	}
	n := 0
	for _, c := range v.Raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// plant gives slot to the value at path, a dotted path of plain names.
func (n *node) plant(path string, slot int) {
	name, rest, more := strings.Cut(path, ".")
	var next *node
	for _, c := range n.children {
		if c.name == name {
			next = c.at
		}
	}
	if next == nil {
		next = &node{slot: -1}
		n.children = append(n.children, child{name, next})
	}
	if more {
		next.plant(rest, slot)
		return
	}
	next.slot = slot
}

// Scanner reads one document once, checks all of it and keeps the values at the
// places asked for, by slot. Values is made by the caller, as long as its highest
// slot needs, and used again for every document.
type Scanner struct {
	doc    []byte
	Values []Value
	depth  int
}

// Forget lets go of the document.
func (s *Scanner) Forget() { s.doc = nil }

// scan fills s.Values with what doc has at the places below root. It gives
// false when doc is not one JSON value, nests deeper than maxDepth, is not
// UTF-8, or has a place twice.
func (s *Scanner) scan(doc []byte, root *node) bool {
	s.doc, s.depth = doc, 0
	clear(s.Values)
	i := s.space(0)
	i, ok := s.value(i, root)
	if !ok || s.space(i) != len(doc) {
		return false
	}
	return utf8.Valid(doc)
}

func (s *Scanner) space(i int) int {
	for i < len(s.doc) && (s.doc[i] == ' ' || s.doc[i] == '\n' || s.doc[i] == '\t' || s.doc[i] == '\r') {
		i++
	}
	return i
}

// value reads the value at i. Below places that are asked for it descends by
// recursion, as deep as the longest path; elsewhere skip goes without.
func (s *Scanner) value(i int, at *node) (int, bool) {
	if i >= len(s.doc) {
		return i, false
	}
	c := s.doc[i]
	start := i
	var ok, escaped bool
	switch {
	case c == '{' && len(at.children) > 0:
		i, ok = s.object(i+1, at)
	case c == '[' && len(at.children) > 0:
		i, ok = s.array(i+1, at)
	case c == '"':
		i, escaped, ok = s.text(i + 1)
	default:
		i, ok = s.skip(i)
	}
	if !ok || at.slot < 0 {
		return i, ok
	}
	v := &s.Values[at.slot]
	if v.Kind != Nothing {
		return i, false
	}
	v.Raw, v.Kind, v.Escaped = s.doc[start:i], Kind(c), escaped
	switch {
	case c == '"':
		v.Raw = s.doc[start+1 : i-1]
	case c == '-' || c >= '0' && c <= '9':
		v.Kind = Number
	}
	return i, true
}

func (s *Scanner) object(i int, at *node) (int, bool) {
	if s.depth++; s.depth > MaxDepth {
		return i, false
	}
	i = s.space(i)
	if i < len(s.doc) && s.doc[i] == '}' {
		s.depth--
		return i + 1, true
	}
	for {
		if i >= len(s.doc) || s.doc[i] != '"' {
			return i, false
		}
		start := i + 1
		end, _, ok := s.text(start)
		if !ok {
			return i, false
		}
		i = s.space(end)
		if i >= len(s.doc) || s.doc[i] != ':' {
			return i, false
		}
		i = s.space(i + 1)
		if next := at.find(s.doc[start : end-1]); next != nil {
			i, ok = s.value(i, next)
		} else {
			i, ok = s.skip(i)
		}
		if !ok {
			return i, false
		}
		i = s.space(i)
		if i >= len(s.doc) {
			return i, false
		}
		if s.doc[i] == '}' {
			s.depth--
			return i + 1, true
		}
		if s.doc[i] != ',' {
			return i, false
		}
		i = s.space(i + 1)
	}
}

func (s *Scanner) array(i int, at *node) (int, bool) {
	if s.depth++; s.depth > MaxDepth {
		return i, false
	}
	i = s.space(i)
	if i < len(s.doc) && s.doc[i] == ']' {
		s.depth--
		return i + 1, true
	}
	for index := 0; ; index++ {
		var ok bool
		if next := at.index(index); next != nil {
			i, ok = s.value(i, next)
		} else {
			i, ok = s.skip(i)
		}
		if !ok {
			return i, false
		}
		i = s.space(i)
		if i >= len(s.doc) {
			return i, false
		}
		if s.doc[i] == ']' {
			s.depth--
			return i + 1, true
		}
		if s.doc[i] != ',' {
			return i, false
		}
		i = s.space(i + 1)
	}
}

func (n *node) find(name []byte) *node {
	for i := range n.children {
		if n.children[i].name == string(name) {
			return n.children[i].at
		}
	}
	return nil
}

func (n *node) index(i int) *node {
	for k := range n.children {
		if name := n.children[k].name; len(name) > 0 && len(name) < 8 {
			v := 0
			for _, c := range []byte(name) {
				if c < '0' || c > '9' {
					v = -1
					break
				}
				v = v*10 + int(c-'0')
			}
			if v == i {
				return n.children[k].at
			}
		}
	}
	return nil
}

// scalar reads anything but an object or an array.
func (s *Scanner) scalar(i int) (int, bool) {
	switch s.doc[i] {
	case '"':
		end, _, ok := s.text(i + 1)
		return end, ok
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	}
	return s.number(i)
}

// skip reads any value, however deep, on a fixed stack of one bit a level.
func (s *Scanner) skip(i int) (int, bool) { //nolint:gocognit // one loop over bytes with every state in sight
	if i < len(s.doc) && s.doc[i] != '{' && s.doc[i] != '[' {
		return s.scalar(i)
	}
	var objects [MaxDepth / 64]uint64
	level := 0
	for {
		if i >= len(s.doc) {
			return i, false
		}
		c := s.doc[i]
		opened := c == '{' || c == '['
		if opened {
			if level+s.depth >= MaxDepth {
				return i, false
			}
			objects[level>>6] &^= 1 << (level & 63)
			if c == '{' {
				objects[level>>6] |= 1 << (level & 63)
			}
			level++
			i = s.space(i + 1)
		} else {
			var ok bool
			if i, ok = s.scalar(i); !ok {
				return i, false
			}
		}
		// After a value: close what ends here, then the comma and the next key.
		for {
			inObject := objects[(level-1)>>6]>>((level-1)&63)&1 == 1
			if !opened {
				i = s.space(i)
			}
			if i >= len(s.doc) {
				return i, false
			}
			c := s.doc[i]
			if inObject && c == '}' || !inObject && c == ']' {
				i++
				opened = false
				if level--; level == 0 {
					return i, true
				}
				continue
			}
			if !opened {
				if c != ',' {
					return i, false
				}
				i = s.space(i + 1)
			}
			if inObject {
				var ok bool
				if i, ok = s.key(i); !ok {
					return i, false
				}
			}
			break
		}
	}
}

// key reads `"name":` and the space around the colon.
func (s *Scanner) key(i int) (int, bool) {
	if i >= len(s.doc) || s.doc[i] != '"' {
		return i, false
	}
	i, _, ok := s.text(i + 1)
	if !ok {
		return i, false
	}
	i = s.space(i)
	if i >= len(s.doc) || s.doc[i] != ':' {
		return i, false
	}
	return s.space(i + 1), true
}
