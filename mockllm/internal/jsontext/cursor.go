// Package jsontext steps through JSON that is known to be valid, and writes strings.
package jsontext

import (
	"strings"

	"github.com/tidwall/gjson"
)

// MaxDepth is how deep a text may nest.
const MaxDepth = 64

// Cursor walks JSON that is known to be valid, looking at each byte once. What it
// steps over it does not look into, so a request is decoded at the cost of its text.
type Cursor struct {
	S string
	i int
}

// Space steps to the next byte that is not white space or a separator.
func (c *Cursor) Space() byte {
	for ; c.i < len(c.S); c.i++ {
		switch b := c.S[c.i]; b {
		case ' ', '\t', '\n', '\r', ',', ':':
		default:
			return b
		}
	}
	return 0
}

// Members steps into an object and through it; each must take the value.
func (c *Cursor) Members(each func(key string) error) error {
	c.i++ // the brace
	for c.Space() == '"' {
		if err := each(c.text().Str); err != nil {
			return err
		}
	}
	c.i++
	return nil
}

// Items steps into an array and through it; each must take the item.
func (c *Cursor) Items(each func(first byte) error) error {
	c.i++ // the bracket
	for b := c.Space(); b != ']' && b != 0; b = c.Space() {
		if err := each(b); err != nil {
			return err
		}
	}
	c.i++
	return nil
}

// Value takes the next value, objects and arrays unread.
func (c *Cursor) Value() gjson.Result {
	first := c.Space()
	start := c.i
	switch first {
	case '"':
		return c.text()
	case '{', '[':
		c.skip()
		return gjson.Result{Type: gjson.JSON, Raw: c.S[start:c.i]}
	}
	for c.i < len(c.S) && strings.IndexByte(" \t\n\r,]}", c.S[c.i]) < 0 {
		c.i++
	}
	return gjson.Parse(c.S[start:c.i])
}

// text takes a string.
func (c *Cursor) text() gjson.Result {
	start := c.i
	end := endOfString(c.S, start)
	c.i = min(end+1, len(c.S))
	raw := c.S[start:c.i]
	if strings.IndexByte(raw, '\\') >= 0 || len(raw) < 2 {
		return gjson.Parse(raw)
	}
	return gjson.Result{Type: gjson.String, Raw: raw, Str: raw[1 : len(raw)-1]}
}

// skip steps over an object or array.
func (c *Cursor) skip() {
	for depth := 0; c.i < len(c.S); c.i++ {
		switch c.S[c.i] {
		case '"':
			c.i = endOfString(c.S, c.i)
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				c.i++
				return
			}
		}
	}
}

// Shallow reports whether brackets nest at most maxDepth deep, in any text: the
// JSON library recurses, so depth is bounded before it looks.
func Shallow(s string) bool {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = endOfString(s, i)
		case '{', '[':
			if depth++; depth > MaxDepth {
				return false
			}
		case '}', ']':
			depth--
		}
	}
	return true
}

// endOfString is the index of the quote that ends the string begun at i, or the
// length of s when none does.
func endOfString(s string, i int) int {
	for i++; i < len(s); i++ {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			break
		}
		i += n
		escapes := 0
		for s[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
	return len(s)
}

// Member is a member by its exact name: gjson's paths give dots and stars a meaning.
func Member(object gjson.Result, name string) gjson.Result {
	var found gjson.Result
	object.ForEach(func(key, v gjson.Result) bool {
		if key.Str == name {
			found = v
		}
		return !found.Exists()
	})
	return found
}
