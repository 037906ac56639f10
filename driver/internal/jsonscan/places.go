package jsonscan

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Places are where the values that are asked for stand in a document. What a
// dotted path of plain names cannot say is left to gjson. It is read-only.
type Places struct {
	root    node
	same    [][2]int // slots whose place another slot has: {to, from}
	complex []complexPath
}

type complexPath struct {
	slot int
	path string
}

// Compile takes the path of each slot; an empty one asks for nothing.
func Compile(paths map[int]string) Places {
	l := Places{root: node{slot: -1}}
	taken := map[string]int{}
	for _, slot := range slices.Sorted(maps.Keys(paths)) {
		path := paths[slot]
		if path == "" {
			continue
		}
		if from, ok := taken[path]; ok {
			l.same = append(l.same, [2]int{slot, from})
			continue
		}
		taken[path] = slot
		if Plain(path) {
			l.root.plant(path, slot)
		} else {
			l.complex = append(l.complex, complexPath{slot, path})
		}
	}
	return l
}

// Plain tells whether path has nothing but names and dots.
func Plain(path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		if name == "" {
			return false
		}
	}
	return !strings.ContainsAny(path, "|#@*?\\!{}()[]=<>%\"~:, ")
}

// Find reads doc into s; it gives false where doc is not one valid JSON value.
func (l *Places) Find(s *Scanner, doc []byte) bool {
	if !s.scan(doc, &l.root) {
		return false
	}
	for _, c := range l.complex {
		r := gjson.GetBytes(doc, c.path)
		if !r.Exists() {
			continue
		}
		v := &s.Values[c.slot]
		switch r.Type {
		case gjson.String:
			v.Kind, v.Raw = Text, []byte(r.Str)
		case gjson.Number:
			v.Kind, v.Raw = Number, []byte(r.Raw)
		case gjson.True:
			v.Kind, v.Raw = True, []byte("true")
		case gjson.False:
			v.Kind, v.Raw = False, []byte("false")
		case gjson.JSON:
			v.Kind, v.Raw = Object, []byte(r.Raw)
		default:
			v.Kind, v.Raw = Null, []byte("null")
		}
	}
	for _, pair := range l.same {
		s.Values[pair[0]] = s.Values[pair[1]]
	}
	return true
}
