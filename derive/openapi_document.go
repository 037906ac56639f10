package derive

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// parseDocument reads JSON within the bounds of descriptions.
func parseDocument(text []byte) (*tree, error) {
	if len(text) > maxDocument {
		return nil, reason.Errorf("the file is too long")
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	b := bounds{depth: documentDeep, nodes: documentSize}
	t, err := b.read(d, 0)
	if err != nil {
		return nil, reason.Errorf("is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, reason.Errorf("something follows the JSON")
	}
	return t, nil
}

// address is that of the first server; of Swagger 2.0 host and basePath.
func (o *openAPI) address() string {
	if o.two {
		host, base, scheme := text(o.doc.member("host")), text(o.doc.member("basePath")), "https"
		if list := o.list(o.doc, "schemes"); len(list) > 0 && !slices.ContainsFunc(list, func(t *tree) bool { return t.text == "https" }) {
			scheme = list[0].text
		}
		if host == "" {
			return ""
		}
		return literal(scheme + "://" + host + base)
	}
	for _, s := range o.list(o.doc, "servers") {
		address := text(s.member("url"))
		if vars := s.member("variables"); vars != nil && vars.kind == '{' {
			for i, name := range vars.keys {
				address = strings.ReplaceAll(address, "{"+name+"}", text(vars.items[i].member("default")))
			}
		}
		if strings.HasPrefix(address, "http") {
			return literal(address)
		}
	}
	return ""
}

// resolved follows $ref within the document; nil where that leads nowhere.
func (o *openAPI) resolved(t *tree) *tree {
	for range maxHops {
		ref := t.member("$ref")
		if t == nil || ref == nil || ref.kind != 's' {
			return t
		}
		rest, ok := strings.CutPrefix(ref.text, "#/")
		if !ok {
			return nil
		}
		t = o.doc
		for step := range strings.SplitSeq(rest, "/") {
			if plain, err := url.PathUnescape(step); err == nil {
				step = plain
			}
			step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			t = t.member(step)
		}
	}
	return nil
}

func (o *openAPI) list(t *tree, name string) []*tree {
	if l := t.member(name); l != nil && l.kind == '[' {
		return slices.Clip(l.items)
	}
	return nil
}

// text is that of a value that is no object and no list; empty for nil.
func text(t *tree) string {
	if t == nil || t.kind == '{' || t.kind == '[' {
		return ""
	}
	return t.text
}
