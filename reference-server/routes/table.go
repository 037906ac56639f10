package routes

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cstest/cstest/reference-server/problem"
)

// Table is what answers, by path and method. An endpoint has one spelling: nothing is
// cleaned, decoded, folded or redirected to it, so that whatever stands in front of the
// server and this table never mean different things by one path. Safe for concurrent
// use once it is filled.
type Table[T any] struct {
	plain map[string]*place[T]
	open  []*place[T] // with a segment that the caller fills in
}

// place is one path.
type place[T any] struct {
	before, name, after string // of and around the open segment
	by                  map[string]T
	allow               string
}

// Add has a method at a path answered by to, with GET also HEAD. One segment of the path
// may be a name in braces: it stands for any.
func (t *Table[T]) Add(method, path string, to T) {
	p := t.placeOf(path)
	p.by[method] = to
	if method == http.MethodGet {
		p.by[http.MethodHead] = to
	}
	p.allow = strings.Join(slices.Sorted(maps.Keys(p.by)), ", ")
}

func (t *Table[T]) placeOf(path string) *place[T] {
	before, rest, open := strings.Cut(path, "{")
	name, after, _ := strings.Cut(rest, "}")
	if !open {
		if t.plain == nil {
			t.plain = map[string]*place[T]{}
		}
		if t.plain[path] == nil {
			t.plain[path] = &place[T]{by: map[string]T{}}
		}
		return t.plain[path]
	}
	for _, p := range t.open {
		if p.before == before && p.after == after {
			return p
		}
	}
	p := &place[T]{before: before, name: name, after: after, by: map[string]T{}}
	t.open = append(t.open, p)
	return p
}

// Find is what answers a request, which then has its open segment as a path value. refused
// is nil then: a path that is not in the table is problem.NotFound, and for a wrong method
// the problem says which would be right.
func (t *Table[T]) Find(r *http.Request) (to T, refused *problem.Problem) {
	p := t.at(r)
	if p == nil {
		return to, problem.NotFound
	}
	to, ok := p.by[r.Method]
	if !ok {
		wrong := *problem.Method
		wrong.Header = map[string]string{"Allow": p.allow}
		return to, &wrong
	}
	return to, nil
}

func (t *Table[T]) at(r *http.Request) *place[T] {
	if r.URL.RawPath != "" { // it was sent with escapes that need not be, or with an escaped slash
		return nil
	}
	path := r.URL.Path
	if p := t.plain[path]; p != nil {
		return p
	}
	for _, p := range t.open {
		rest, ok := strings.CutPrefix(path, p.before)
		if !ok {
			continue
		}
		segment, ok := strings.CutSuffix(rest, p.after)
		if ok && segment != "" && segment != "." && segment != ".." && !strings.Contains(segment, "/") {
			r.SetPathValue(p.name, segment)
			return p
		}
	}
	return nil
}
