package derive

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
)

// tree is a JSON document with its members in their order.
type tree struct {
	kind  byte // { [ s n
	text  string
	keys  []string
	items []*tree
}

// maxDepth and maxNodes bound what is looked at.
const (
	maxDepth = 32
	maxNodes = 20_000
)

func parseJSON(text string) (*tree, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	b := bounds{depth: maxDepth, nodes: maxNodes}
	t, err := b.read(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, reason.Errorf("something follows the JSON")
	}
	return t, nil
}

// bounds are how deep and how large a document may still be.
type bounds struct{ depth, nodes int }

func (b *bounds) read(d *json.Decoder, depth int) (*tree, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if b.nodes--; depth > b.depth || b.nodes < 0 {
		return nil, reason.Errorf("the JSON is too deep or too large")
	}
	switch v := token.(type) {
	case string:
		return &tree{kind: 's', text: v}, nil
	case json.Number:
		return &tree{kind: 'n', text: v.String()}, nil
	case bool:
		return &tree{kind: 'n', text: strconv.FormatBool(v)}, nil
	case json.Delim:
		t := &tree{kind: byte(v)}
		for d.More() {
			if v == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				name, _ := key.(string) // a decoder gives nothing else here
				t.keys = append(t.keys, name)
			}
			item, err := b.read(d, depth+1)
			if err != nil {
				return nil, err
			}
			t.items = append(t.items, item)
		}
		_, err := d.Token()
		return t, err
	default:
		return &tree{kind: 'n', text: "null"}, nil
	}
}

// leaf is a text or a number of a document, and where it stands.
type leaf struct {
	*tree
	key  string // of the nearest object
	path string // as gjson has it; items of lists as #
	list bool   // in a list
}

// leaves gives them in their order.
func (t *tree) leaves() (out []leaf) {
	var walk func(t *tree, key, path string, list bool)
	walk = func(t *tree, key, path string, list bool) {
		switch t.kind {
		case '{':
			for i, k := range t.keys {
				walk(t.items[i], k, join(path, escapeKey(k)), list)
			}
		case '[':
			for _, item := range t.items {
				walk(item, key, join(path, "#"), true)
			}
		default:
			out = append(out, leaf{t, key, path, list})
		}
	}
	walk(t, "", "", false)
	return out
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// escapeKey escapes what gjson takes for something else.
func escapeKey(k string) string {
	var b strings.Builder
	for _, r := range k {
		if strings.ContainsRune(`.*?|#@!{}[]()\=<>%"'~`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// member gives a member of an object, nil where there is none, or no object.
func (t *tree) member(key string) *tree {
	if t == nil {
		return nil
	}
	for i, k := range t.keys {
		if k == key {
			return t.items[i]
		}
	}
	return nil
}

// write prints t as JSON on one line, which is YAML as well.
func (t *tree) write(b *strings.Builder) {
	switch t.kind {
	case '{', '[':
		b.WriteByte(t.kind)
		for i, item := range t.items {
			if i > 0 {
				b.WriteString(", ")
			}
			if t.kind == '{' {
				b.WriteString(quote(t.keys[i]) + ": ")
			}
			item.write(b)
		}
		b.WriteByte(t.kind + 2) // } is two behind {, ] two behind [
	case 's':
		b.WriteString(quote(t.text))
	default:
		b.WriteString(t.text)
	}
}

func (t *tree) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

// quote writes a text so that YAML takes it for nothing else.
func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text into memory: cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}
