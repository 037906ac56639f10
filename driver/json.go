package driver

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
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

// special gives how many of the eight bytes at the start of b a string may hold
// as they are before the first that needs a look: a quote, a backslash or a
// control character. Per byte, x-n borrows into the high bit where x < n; what
// that marks wrongly stands behind the first right one.
func special(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	w := binary.LittleEndian.Uint64(b)
	quote, back := w^('"'*ones), w^('\\'*ones)
	marks := ((w - ' '*ones) &^ w) | ((quote - ones) &^ quote) | ((back - ones) &^ back)
	return bits.TrailingZeros64(marks&highs) / 8
}

// text reads the string whose inside begins at i and gives where it ends,
// behind the quote, and whether it has escapes.
func (s *scanner) text(i int) (end int, escaped, ok bool) {
	doc := s.doc
	for i < len(doc) {
		for len(doc)-i >= 8 {
			n := special(doc[i:])
			i += n
			if n < 8 {
				break
			}
		}
		if i >= len(doc) {
			break
		}
		c := doc[i]
		switch c {
		case '"':
			return i + 1, escaped, true
		case '\\':
			escaped = true
			if i+1 >= len(doc) {
				return i, escaped, false
			}
			switch doc[i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				if _, ok := hex4(doc[i+2:]); !ok {
					return i, escaped, false
				}
				i += 6
			default:
				return i, escaped, false
			}
		default:
			if c < ' ' {
				return i, escaped, false
			}
			i++
		}
	}
	return i, escaped, false
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number reads a number as RFC 8259 spells it.
func (s *scanner) number(i int) (int, bool) {
	doc := s.doc
	if i < len(doc) && doc[i] == '-' {
		i++
	}
	start := i
	i = digits(doc, i)
	if i == start || doc[start] == '0' && i > start+1 {
		return i, false
	}
	if i < len(doc) && doc[i] == '.' {
		start = i + 1
		if i = digits(doc, start); i == start {
			return i, false
		}
	}
	if i < len(doc) && doc[i]|0x20 == 'e' {
		i++
		if i < len(doc) && (doc[i] == '+' || doc[i] == '-') {
			i++
		}
		start = i
		if i = digits(doc, start); i == start {
			return i, false
		}
	}
	return i, true
}

func digits(doc []byte, i int) int {
	for i < len(doc) && doc[i] >= '0' && doc[i] <= '9' {
		i++
	}
	return i
}

func (s *scanner) word(i int, word string) (int, bool) {
	if len(s.doc)-i < len(word) || string(s.doc[i:i+len(word)]) != word {
		return i, false
	}
	return i + len(word), true
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
		opened := false
		switch c := s.doc[i]; c {
		case '{', '[':
			if level+s.depth >= maxDepth {
				return i, false
			}
			objects[level>>6] &^= 1 << (level & 63)
			if c == '{' {
				objects[level>>6] |= 1 << (level & 63)
			}
			level++
			i = s.space(i + 1)
			opened = true
		default:
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

// unescape appends the text that raw, the inside of a JSON string, stands for.
// A lone surrogate becomes U+FFFD.
func unescape(b, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		switch c = raw[i+1]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(raw[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if len(raw)-i >= 6 && raw[i] == '\\' && raw[i+1] == 'u' {
					low, _ = hex4(raw[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			b = utf8.AppendRune(b, r)
			continue
		}
		b = append(b, c)
		i += 2
	}
	return b
}
