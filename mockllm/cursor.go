package mockllm

import (
	"strings"

	"github.com/tidwall/gjson"
)

// cursor walks JSON that is known to be valid, looking at each byte once. What it
// steps over it does not look into, so a request is decoded at the cost of its text.
type cursor struct {
	s string
	i int
}

// space steps to the next byte that is not white space or a separator.
func (c *cursor) space() byte {
	for ; c.i < len(c.s); c.i++ {
		switch b := c.s[c.i]; b {
		case ' ', '\t', '\n', '\r', ',', ':':
		default:
			return b
		}
	}
	return 0
}

// members steps into an object and through it; each must take the value.
func (c *cursor) members(each func(key string) *apiError) *apiError {
	c.i++ // the brace
	for c.space() == '"' {
		if err := each(c.text().Str); err != nil {
			return err
		}
	}
	c.i++
	return nil
}

// items steps into an array and through it; each must take the item.
func (c *cursor) items(each func(first byte) *apiError) *apiError {
	c.i++ // the bracket
	for b := c.space(); b != ']' && b != 0; b = c.space() {
		if err := each(b); err != nil {
			return err
		}
	}
	c.i++
	return nil
}

// value takes the next value, objects and arrays unread.
func (c *cursor) value() gjson.Result {
	first := c.space()
	start := c.i
	switch first {
	case '"':
		return c.text()
	case '{', '[':
		c.skip()
		return gjson.Result{Type: gjson.JSON, Raw: c.s[start:c.i]}
	}
	for c.i < len(c.s) && strings.IndexByte(" \t\n\r,]}", c.s[c.i]) < 0 {
		c.i++
	}
	return gjson.Parse(c.s[start:c.i])
}

// text takes a string.
func (c *cursor) text() gjson.Result {
	start := c.i
	end := endOfString(c.s, start)
	c.i = min(end+1, len(c.s))
	raw := c.s[start:c.i]
	if strings.IndexByte(raw, '\\') >= 0 || len(raw) < 2 {
		return gjson.Parse(raw)
	}
	return gjson.Result{Type: gjson.String, Raw: raw, Str: raw[1 : len(raw)-1]}
}

// skip steps over an object or array.
func (c *cursor) skip() {
	for depth := 0; c.i < len(c.s); c.i++ {
		switch c.s[c.i] {
		case '"':
			c.i = endOfString(c.s, c.i)
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

// shallow reports whether brackets nest at most maxDepth deep, in any text: the
// JSON library recurses, so depth is bounded before it looks.
func shallow(s string) bool {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = endOfString(s, i)
		case '{', '[':
			if depth++; depth > maxDepth {
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
