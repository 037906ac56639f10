package driver

import (
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep a document may nest.
const maxDepth = 128

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

// token types of a value, by its first byte.
const (
	nothing  = 0
	jsonText = '"'
	jsonTrue = 't'
	jsonNo   = 'f'
	jsonNull = 'n'
	number   = '0'
	object   = '{'
	array    = '['
)

// value is what a slot found: raw is the inside of a string, else the value as
// it stands.
type value struct {
	raw     []byte
	kind    byte
	escaped bool // raw has escapes
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

// scanner reads one document once, checks all of it and keeps the values at the
// places asked for.
type scanner struct {
	doc    []byte
	values []value
	depth  int
}

// scan fills s.values with what doc has at the places below root. It gives
// false when doc is not one JSON value, nests deeper than maxDepth, is not
// UTF-8, or has a place twice.
func (s *scanner) scan(doc []byte, root *node) bool {
	s.doc, s.depth = doc, 0
	clear(s.values)
	i := s.space(0)
	i, ok := s.value(i, root)
	if !ok || s.space(i) != len(doc) {
		return false
	}
	return utf8.Valid(doc)
}

func (s *scanner) space(i int) int {
	for i < len(s.doc) && (s.doc[i] == ' ' || s.doc[i] == '\n' || s.doc[i] == '\t' || s.doc[i] == '\r') {
		i++
	}
	return i
}

// value reads the value at i. Below places that are asked for it descends by
// recursion, as deep as the longest path; elsewhere skip goes without.
func (s *scanner) value(i int, at *node) (int, bool) {
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
	v := &s.values[at.slot]
	if v.kind != nothing {
		return i, false
	}
	v.raw, v.kind, v.escaped = s.doc[start:i], c, escaped
	switch {
	case c == '"':
		v.raw = s.doc[start+1 : i-1]
	case c == '-' || c >= '0' && c <= '9':
		v.kind = number
	}
	return i, true
}

func (s *scanner) object(i int, at *node) (int, bool) {
	if s.depth++; s.depth > maxDepth {
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

func (s *scanner) array(i int, at *node) (int, bool) {
	if s.depth++; s.depth > maxDepth {
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
func (s *scanner) scalar(i int) (int, bool) {
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
func (s *scanner) skip(i int) (int, bool) {
	if i < len(s.doc) && s.doc[i] != '{' && s.doc[i] != '[' {
		return s.scalar(i)
	}
	var objects [maxDepth / 64]uint64
	level := 0
	for {
		if i >= len(s.doc) {
			return i, false
		}
		c := s.doc[i]
		opened := c == '{' || c == '['
		if opened {
			if level+s.depth >= maxDepth {
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
func (s *scanner) key(i int) (int, bool) {
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
