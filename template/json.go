package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// ParseJSON reads a JSON document with variables in its strings; names of
// members are taken as they are. A member whose whole value is one variable is
// left out where the variable is empty; an item of a list then is an empty
// string. Where the variable is bound to a list, a member holds the list, and an
// item of a list stands for all of its items. The error is an *Error.
func ParseJSON(doc []byte) (Template, error) {
	if len(doc) > maxBytes {
		return Template{}, problem("is longer than %d bytes", maxBytes)
	}
	d := documents{Decoder: json.NewDecoder(bytes.NewReader(doc)), builder: builder{json: true}}
	d.UseNumber()
	if _, err := d.value(place{as: whole}, 0); err != nil {
		return Template{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Template{}, problem("something follows the JSON value")
	}
	d.flush()
	return Template{form: JSON, parts: d.parts}, nil
}

// documents reads JSON into parts.
type documents struct {
	*json.Decoder
	builder
}

func (d *documents) next() (json.Token, error) {
	token, err := d.Token()
	if err != nil {
		return nil, problem("is not JSON: %s", err)
	}
	return token, nil
}

// place is where a value is about to be written.
type place struct {
	as      stands
	key     string // a literal: the key and a colon, or nothing
	follows bool   // something of the same object or list comes before
	certain bool   // that is never left out
}

// value reads a value. It tells whether it may be left out.
func (d *documents) value(p place, depth int) (optional bool, err error) {
	if depth > maxDepth {
		return false, problem("nested deeper than %d levels", maxDepth)
	}
	token, err := d.next()
	if err != nil {
		return false, err
	}
	text, isText := token.(string)
	if name, ok := alone(text); ok {
		return true, d.add(part{literal: p.key, name: name, stands: p.as, comma: p.follows})
	}
	switch {
	case p.certain:
		d.literal = append(d.literal, ',')
	case p.follows:
		d.flush()
		d.comma = true
	}
	d.literal = append(d.literal, p.key...)
	if isText {
		d.literal = append(d.literal, '"')
		err := d.text(text)
		d.literal = append(d.literal, '"')
		return false, err
	}
	switch v := token.(type) {
	case json.Delim:
		return false, d.container(v, depth)
	case json.Number:
		d.literal = append(d.literal, v...)
	case bool:
		d.literal = strconv.AppendBool(d.literal, v)
	default:
		d.literal = append(d.literal, "null"...)
	}
	return false, nil
}

// alone gives the name where the text is one variable and nothing else.
func alone(text string) (name string, ok bool) {
	if len(text) < len("${x}") || text[:2] != "${" {
		return "", false
	}
	name, rest, err := cutName(text)
	return name, err == nil && rest == ""
}

// container reads what stands between brackets or braces.
func (d *documents) container(open json.Delim, depth int) error {
	d.literal = append(d.literal, byte(open))
	around := d.at
	p := place{as: item}
	for i := 0; d.More(); i++ {
		d.at = around + "[" + strconv.Itoa(i) + "]"
		if open == '{' {
			token, err := d.next()
			if err != nil {
				return err
			}
			key, _ := token.(string) // inside an object the decoder gives nothing else
			p.as, p.key = member, `"`+string(AppendJSON(nil, key))+`":`
			if d.at = key; around != "" {
				d.at = around + "." + key
			}
		}
		optional, err := d.value(p, depth+1)
		if err != nil {
			return err
		}
		p.follows, p.certain = true, p.certain || !optional
	}
	d.at = around
	_, err := d.next()
	d.literal = append(d.literal, byte(open)+2) // ] and } stand two behind [ and {
	return err
}
