package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Body is a request's JSON with ${variables} in its strings, ready to be
// rendered. A member of an object whose whole value is one variable is left out
// when the variable is empty; an item of a list then is an empty string. Body is
// read-only and safe for concurrent use.
type Body struct {
	ops   []bodyOp
	names []string
}

// bodyOp writes a literal, or a variable's value inside of a string, or (with
// optional) literal, value and closing quote, unless the value is empty. comma
// comes first, unless nothing of the object stands before.
type bodyOp struct {
	literal  string
	name     string
	comma    bool
	optional bool
}

// ParseBody reads a template of JSON. Names of members are taken as they are.
func ParseBody(text json.RawMessage) (Body, error) {
	if len(text) == 0 {
		return Body{}, nil
	}
	if len(text) > maxTemplate {
		return Body{}, fmt.Errorf("is longer than %d bytes", maxTemplate)
	}
	root, err := readJSON(text)
	if err != nil {
		return Body{}, err
	}
	var c bodyCompiler
	if err := c.value(root); err != nil {
		return Body{}, err
	}
	c.flush()
	return Body{ops: c.ops, names: c.names}, nil
}

// Names lists the variables in the order of the body, repeated ones too.
func (b Body) Names() []string { return b.names }

// Append renders the body behind dst. It allocates only when dst must grow.
func (b Body) Append(dst []byte, values Values) []byte {
	for i := range b.ops {
		op := &b.ops[i]
		before := len(dst)
		// A brace last means that nothing of this object stands yet: every value
		// ends in a quote, a digit, a letter or a closing bracket.
		if op.comma && before > 0 && dst[before-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, op.literal...)
		if op.name == "" {
			continue
		}
		start := len(dst)
		dst = appendValueJSON(dst, values, op.name)
		if !op.optional {
			continue
		}
		if len(dst) == start {
			dst = dst[:before]
			continue
		}
		dst = append(dst, '"')
	}
	return dst
}

// jsonValue is a JSON value with its members in order. token is a json.Delim,
// a string, a json.Number, a bool or nil.
type jsonValue struct {
	token any
	keys  []string
	items []jsonValue
}

// readJSON reads one value of bounded depth with nothing behind it.
func readJSON(text []byte) (jsonValue, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return v, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, errors.New("something follows the JSON value")
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (jsonValue, error) {
	var v jsonValue
	var err error
	if depth > maxDepth {
		return v, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	if v.token, err = d.Token(); err != nil {
		return v, fmt.Errorf("is not JSON: %w", err)
	}
	open, ok := v.token.(json.Delim)
	if !ok {
		return v, nil
	}
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return v, fmt.Errorf("is not JSON: %w", err)
			}
			name, _ := key.(string) // inside an object the decoder gives nothing else
			v.keys = append(v.keys, name)
		}
		item, err := readValue(d, depth+1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	if _, err := d.Token(); err != nil {
		return v, fmt.Errorf("is not JSON: %w", err)
	}
	return v, nil
}

// bodyCompiler turns values into operations, neighbouring literals into one.
type bodyCompiler struct {
	literal []byte
	ops     []bodyOp
	names   []string
}

func (c *bodyCompiler) flush() {
	if len(c.literal) > 0 {
		c.ops = append(c.ops, bodyOp{literal: string(c.literal)})
		c.literal = c.literal[:0]
	}
}

func (c *bodyCompiler) value(v jsonValue) error {
	switch token := v.token.(type) {
	case json.Delim:
		if token == '{' {
			return c.object(v)
		}
		c.literal = append(c.literal, '[')
		for i, item := range v.items {
			if i > 0 {
				c.literal = append(c.literal, ',')
			}
			if err := c.value(item); err != nil {
				return err
			}
		}
		c.literal = append(c.literal, ']')
	case string:
		return c.text(token)
	case json.Number:
		c.literal = append(c.literal, token...)
	case bool:
		c.literal = strconv.AppendBool(c.literal, token)
	default:
		c.literal = append(c.literal, "null"...)
	}
	return nil
}

func (c *bodyCompiler) text(text string) error {
	t, err := ParseTemplate(text)
	if err != nil {
		return err
	}
	c.names = append(c.names, t.Names()...)
	c.literal = append(c.literal, '"')
	for _, part := range t.parts {
		if part.name == "" {
			c.literal = appendEscaped(c.literal, part.literal)
			continue
		}
		c.flush()
		c.ops = append(c.ops, bodyOp{name: part.name})
	}
	c.literal = append(c.literal, '"')
	return nil
}

func (c *bodyCompiler) object(v jsonValue) error {
	c.literal = append(c.literal, '{')
	certain := false // a member that is never left out stands already
	for i, key := range v.keys {
		name, optional := "", false
		if text, ok := v.items[i].token.(string); ok {
			t, err := ParseTemplate(text)
			if err != nil {
				return err
			}
			name, optional = t.variable()
		}
		quoted := append(appendEscaped([]byte{'"'}, key), '"', ':')
		if optional {
			c.flush()
			c.names = append(c.names, name)
			c.ops = append(c.ops, bodyOp{literal: string(quoted) + `"`, name: name, comma: i > 0, optional: true})
			continue
		}
		switch {
		case certain:
			c.literal = append(c.literal, ',')
		case i > 0:
			c.flush()
			c.ops = append(c.ops, bodyOp{comma: true})
		}
		certain = true
		c.literal = append(c.literal, quoted...)
		if err := c.value(v.items[i]); err != nil {
			return err
		}
	}
	c.literal = append(c.literal, '}')
	return nil
}
