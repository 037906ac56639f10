package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/cstest/cstest/reason"
)

// JSON turns one YAML document into compact JSON, under the rules of a scenario
// file: 1 MiB, no aliases, no duplicate keys. It is for configuration that is
// not a scenario. name stands before positions; the error is *Problems.
func JSON(name string, text []byte) ([]byte, error) {
	root, problems := parseTree(name, text)
	if root == nil || len(problems) > 0 {
		return nil, problemsError(problems)
	}
	var out bytes.Buffer
	if problem, at := appendJSON(&out, root); problem != (reason.Phrase{}) {
		return nil, problemsError([]Problem{{File: name, Line: at.Line, Column: at.Column, Message: problem}})
	}
	return out.Bytes(), nil
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
		return v, reason.Errorf("something follows the JSON value")
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (jsonValue, error) {
	var v jsonValue
	var err error
	if depth > maxDepth {
		return v, reason.Errorf("nested deeper than %d levels", maxDepth)
	}
	if v.token, err = d.Token(); err != nil {
		return v, reason.Errorf("is not JSON: %w", err)
	}
	open, ok := v.token.(json.Delim)
	if !ok {
		return v, nil
	}
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return v, reason.Errorf("is not JSON: %w", err)
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
		return v, reason.Errorf("is not JSON: %w", err)
	}
	return v, nil
}
