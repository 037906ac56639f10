package scenario

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// CompletePath proposes how a path of --set that was begun may go on: fields by
// what the format has, items of lists by what the scenario has. A proposal ends
// with = where a value can follow, else with what leads further in.
func (s *Scenario) CompletePath(begun string) []string {
	done, v := "", reflect.ValueOf(s)
	t := v.Type()
	for {
		t, v = behindPointer(t, v)
		rest := begun[len(done):]
		end := strings.IndexAny(rest, ".[]")
		switch {
		case t.Kind() == reflect.Struct && end >= 0:
			f, ok := fieldsOf(t).byName[rest[:end]]
			if !ok {
				return nil
			}
			t, v = t.Field(f.index).Type, fieldOf(v, f.index)
		case t.Kind() == reflect.Struct:
			return proposeFields(t, done, rest)
		case t.Kind() == reflect.Slice && strings.HasPrefix(rest, "[") && strings.Contains(rest, "]"):
			end = strings.IndexByte(rest, ']') + 1
			t, v = t.Elem(), itemNamed(v, strings.Trim(rest[:end], "[]"))
		case t.Kind() == reflect.Slice:
			return proposeItems(v, done, strings.TrimPrefix(rest, "["))
		default:
			return nil
		}
		done += rest[:end]
		if strings.HasPrefix(begun[len(done):], ".") {
			done += "."
		}
	}
}

// behindPointer is what a pointer points at; v is invalid where it is nil.
func behindPointer(t reflect.Type, v reflect.Value) (reflect.Type, reflect.Value) {
	if t.Kind() != reflect.Pointer {
		return t, v
	}
	if v.IsValid() {
		v = v.Elem()
	}
	return t.Elem(), v
}

func fieldOf(v reflect.Value, index int) reflect.Value {
	if !v.IsValid() {
		return v
	}
	return v.Field(index)
}

func proposeFields(t reflect.Type, done, begun string) []string {
	set := fieldsOf(t)
	var out []string
	for _, name := range set.names {
		if strings.HasPrefix(name, begun) {
			out = append(out, done+name+leadsTo(t.Field(set.byName[name].index).Type))
		}
	}
	return out
}

// leadsTo is what follows a field in a path: a dot, a bracket, or the value.
func leadsTo(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[json.RawMessage](), reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "="
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.String:
		return "["
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "."
	}
	return "="
}

func proposeItems(v reflect.Value, done, begun string) []string {
	var out []string
	for i := 0; v.IsValid() && i < v.Len(); i++ {
		if name := stepOf(v.Index(i), i); strings.HasPrefix(name, begun) {
			out = append(out, done+"["+name+"].")
		}
	}
	return out
}

// stepOf is how --set calls an item of a list: by its name, else by its place.
func stepOf(v reflect.Value, i int) string {
	_, v = behindPointer(v.Type(), v)
	if v.IsValid() && v.Kind() == reflect.Struct {
		if f, ok := fieldsOf(v.Type()).byName["name"]; ok && v.Field(f.index).Kind() == reflect.String {
			return v.Field(f.index).String()
		}
	}
	return strconv.Itoa(i)
}

// itemNamed is the item of a list that has a name; invalid where there is none.
func itemNamed(v reflect.Value, name string) reflect.Value {
	for i := 0; v.IsValid() && i < v.Len(); i++ {
		if stepOf(v.Index(i), i) == name || strconv.Itoa(i) == name {
			return v.Index(i)
		}
	}
	return reflect.Value{}
}
