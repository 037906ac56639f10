package derive

import (
	"slices"
	"strings"
)

// What is said where a description has no example.
const (
	sampleText   = "你好，优惠券怎么用？"
	sampleAnswer = "您好，满减券在结算页使用。"
)

// sampler makes values of a schema. Of a request it takes the members that are required
// and those that a chat has; of an answer all, but no number that the document itself
// does not have: it would say that a code means that all is well.
type sampler struct {
	o       *openAPI
	request bool
	made    int
	err     error
}

// valueOf is the example of a media type, else one made of its schema.
func (o *openAPI) valueOf(described *tree, request bool) (*tree, error) {
	if t := o.exampleOf(described); t != nil {
		return t, nil
	}
	s := sampler{o: o, request: request}
	t := s.of(described.member("schema"), "", 0)
	return t, s.err
}

// exampleOf is an example that a media type, or an answer of Swagger 2.0, has.
func (o *openAPI) exampleOf(described *tree) *tree {
	if t := described.member("example"); t != nil {
		return t
	}
	list := described.member("examples")
	if list == nil || list.kind != '{' || len(list.items) == 0 {
		return nil
	}
	first := o.resolved(list.items[0])
	if o.two {
		return first
	}
	return first.member("value")
}

// of makes a value; nil where there is none to be made.
func (s *sampler) of(schema *tree, name string, depth int) *tree {
	if s.made++; s.made > sampleSize || depth > sampleDeep || s.err != nil || schema == nil {
		return nil
	}
	if schema = s.o.resolved(schema); schema == nil {
		s.err = errRef
		return nil
	}
	if t := s.told(schema); t != nil {
		return t
	}
	if all := s.o.list(schema, "allOf"); len(all) > 0 {
		return s.merged(schema, all, name, depth)
	}
	for _, word := range []string{"oneOf", "anyOf"} {
		for _, one := range s.o.list(schema, word) {
			if t := s.of(one, name, depth+1); t != nil && t.text != "null" {
				return t
			}
		}
	}
	switch kind := s.kindOf(schema); kind {
	case "object":
		return s.object(schema, depth)
	case "array":
		t := &tree{kind: '['}
		if item := s.of(schema.member("items"), name, depth+1); item != nil {
			t.items = append(t.items, item)
		}
		return t
	case "integer", "number", "boolean":
		return s.number(schema, kind)
	case "null":
		return &tree{kind: 'n', text: "null"}
	}
	return &tree{kind: 's', text: s.text(schema, name)}
}

// told is the value that the document itself has.
func (s *sampler) told(schema *tree) *tree {
	for _, word := range []string{"example", "const", "default"} {
		if t := schema.member(word); t != nil && t.text != "null" {
			return t
		}
	}
	if list := s.o.list(schema, "examples"); len(list) > 0 {
		return list[0]
	}
	list := s.o.list(schema, "enum")
	if i := slices.IndexFunc(list, func(t *tree) bool { return t.text == "user" }); s.request && i >= 0 {
		return list[i] // who talks
	}
	if s.request && len(list) > 0 {
		return list[0]
	}
	return nil
}

// kindOf is the type that a schema names, the first that is not null.
func (s *sampler) kindOf(schema *tree) string {
	t := schema.member("type")
	switch {
	case t != nil && t.kind == '[':
		for _, one := range t.items {
			if one.text != "null" {
				return one.text
			}
		}
		return "null"
	case t != nil:
		return t.text
	case schema.member("properties") != nil:
		return "object"
	case schema.member("items") != nil:
		return "array"
	}
	return "string"
}

func (s *sampler) object(schema *tree, depth int) *tree {
	out := &tree{kind: '{'}
	members := schema.member("properties")
	if members == nil || members.kind != '{' {
		return out
	}
	var required []string
	for _, r := range s.o.list(schema, "required") {
		required = append(required, r.text)
	}
	for i, key := range members.keys {
		of := s.o.resolved(members.items[i])
		if s.request {
			role := roleOf(key, true)
			chat := role == roleText || role == roleDialog || role == roleUser || role == roleTurn || plainName(key) == "messages"
			if text(of.member("readOnly")) == "true" || !chat && !slices.Contains(required, key) {
				continue
			}
		} else if text(of.member("writeOnly")) == "true" {
			continue
		}
		if v := s.of(members.items[i], key, depth+1); v != nil {
			out.keys, out.items = append(out.keys, key), append(out.items, v)
		}
	}
	return out
}

// merged is an object with the members of several.
func (s *sampler) merged(schema *tree, all []*tree, name string, depth int) *tree {
	out := &tree{kind: '{'}
	own := *schema
	own.keys, own.items = nil, nil
	for i, k := range schema.keys {
		if k != "allOf" {
			own.keys, own.items = append(own.keys, k), append(own.items, schema.items[i])
		}
	}
	if own.member("properties") != nil {
		all = append(slices.Clip(all), &own)
	}
	for _, one := range all {
		t := s.of(one, name, depth+1)
		if t == nil {
			continue
		}
		if t.kind != '{' {
			return t
		}
		for i, k := range t.keys {
			if out.member(k) == nil {
				out.keys, out.items = append(out.keys, k), append(out.items, t.items[i])
			}
		}
	}
	return out
}

func (s *sampler) number(schema *tree, kind string) *tree {
	switch {
	case !s.request:
		return nil
	case kind == "boolean":
		return &tree{kind: 'n', text: "false"}
	}
	if least := schema.member("minimum"); least != nil && least.kind == 'n' {
		return least
	}
	return &tree{kind: 'n', text: "0"}
}

func (s *sampler) text(schema *tree, name string) string {
	switch role := roleOf(name, false); {
	case role != roleOther:
	case s.request && rank(textNames, name) < len(textNames):
		return sampleText
	case !s.request && rank(answerNames, name) < len(answerNames):
		return sampleAnswer
	}
	switch strings.ToLower(text(schema.member("format"))) {
	case "date-time":
		return "2026-01-01T00:00:00Z"
	case "date":
		return "2026-01-01"
	case "uuid":
		return "00000000-0000-4000-8000-000000000000"
	case "uri", "url":
		return "https://shop.example/"
	case "email":
		return "anna@shop.example"
	}
	return "string"
}
