package find

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// answer looks for what paths ask for in a JSON document.
func answer(paths *Paths, doc []byte) *Answer {
	s := jsonscan.Scanner{Values: make([]jsonscan.Value, paths.Next)}
	places := jsonscan.Compile(paths.Of)
	a := &Answer{Body: doc, Head: &wire.Head{Status: 200}}
	if places.Find(&s, doc) {
		a.JSON = s.Values
	}
	return a
}

// What each word of a condition says of each kind of value.
func TestConditions(t *testing.T) {
	const doc = `{"t":true,"f":false,"z":null,"n":1.50,"s":"a\"b","e":"","l":[],"o":{},"texts":["a","b"]}`
	for _, tt := range []struct {
		condition scenario.Condition
		want      State
	}{
		{scenario.Condition{Path: "t"}, Holds},
		{scenario.Condition{Path: "f"}, Fails},
		{scenario.Condition{Path: "s"}, Fails},
		{scenario.Condition{Path: "none"}, Silent},
		{scenario.Condition{Path: "n", Equals: new(scenario.Literal("1.50"))}, Holds},
		{scenario.Condition{Path: "n", Equals: new(scenario.Literal("1.5"))}, Fails},
		{scenario.Condition{Path: "s", Equals: new(scenario.Literal(`a"b`))}, Holds},
		{scenario.Condition{Path: "e", Equals: new(scenario.Literal(""))}, Holds},
		{scenario.Condition{Path: "z", Equals: new(scenario.Literal("null"))}, Holds},
		{scenario.Condition{Path: "none", Equals: new(scenario.Literal(""))}, Silent},
		{scenario.Condition{Path: "none", Not: new(scenario.Literal("1"))}, Silent},
		{scenario.Condition{Path: "n", Not: new(scenario.Literal("1"))}, Holds},
		{scenario.Condition{Path: "n", Not: new(scenario.Literal("1.50"))}, Fails},
		{scenario.Condition{Path: "n", In: []scenario.Literal{"1", "1.50"}}, Holds},
		{scenario.Condition{Path: "n", In: []scenario.Literal{"1"}}, Fails},
		{scenario.Condition{Path: "s", Matches: "^a"}, Holds},
		{scenario.Condition{Path: "s", Matches: "^b"}, Fails},
		{scenario.Condition{Path: "s", Matches: "^a", Not: new(scenario.Literal(`a"b`))}, Fails},
		{scenario.Condition{Path: "e", Exists: new(true)}, Holds},
		{scenario.Condition{Path: "f", Exists: new(true)}, Holds},
		{scenario.Condition{Path: "z", Exists: new(true)}, Fails},
		{scenario.Condition{Path: "l", Exists: new(true)}, Fails},
		{scenario.Condition{Path: "none", Exists: new(true)}, Fails},
		{scenario.Condition{Path: "none", Exists: new(false)}, Holds},
		{scenario.Condition{Path: "z", Exists: new(false)}, Holds},
		{scenario.Condition{Path: "n", Exists: new(false)}, Fails},
		{scenario.Condition{Path: "n", Exists: new(true), Equals: new(scenario.Literal("2"))}, Fails},
		{scenario.Condition{Path: "texts", Equals: new(scenario.Literal("a\nb"))}, Holds},
		{scenario.Condition{Path: "http:status", Equals: new(scenario.Literal("200"))}, Holds},
	} {
		paths := &Paths{Of: map[int]string{}}
		all, err := Conditions(scenario.Conditions{tt.condition}, paths)
		if err != nil {
			t.Fatal(err)
		}
		if got := all.In(answer(paths, []byte(doc))); got != tt.want {
			t.Errorf("%+v: %d, want %d", tt.condition, got, tt.want)
		}
	}
	if All(nil).Hold(&Answer{}) || All(nil).In(&Answer{}) != Silent {
		t.Error("no condition holds")
	}
}

// Several hold where each does; one that fails outweighs those that are silent.
func TestConditionsTogether(t *testing.T) {
	paths := &Paths{Of: map[int]string{}}
	all, err := Conditions(scenario.Conditions{{Path: "a"}, {Path: "b"}}, paths)
	if err != nil {
		t.Fatal(err)
	}
	for doc, want := range map[string]State{
		`{"a":true,"b":true}`: Holds, `{"a":true}`: Silent, `{}`: Silent, `{"b":false}`: Fails, `{"a":true,"b":1}`: Fails, `no JSON`: Silent,
	} {
		if got := all.In(answer(paths, []byte(doc))); got != want {
			t.Errorf("%s: %d, want %d", doc, got, want)
		}
	}
}

// Whatever stands at a place in whatever body: nothing panics, a JSON value that is
// found is one, and a condition and its opposite never hold both.
func FuzzConditions(f *testing.F) {
	for place, body := range map[string]string{
		"a.b": `{"a":{"b":1}}`, "#.text": `[{"text":"a"},{"text":["b"]}]`, `l.#(k=="v")#.t`: `{"l":[{"k":"v","t":"x"}]}`, "xml:a/b": "<a><b>x</b></a>", "xml:a/@b": `<a b="c"/>`,
		"html:#x": "<p id=x>y", "html:.x": `<p class="y x">`, "regex:(a)b": "ab", "body:text": " x ", "cookie:c": "", "header:h": "", "http:status": "", "sse:event": "",
		"d.@fromstr.x": `{"d":"{\"x\":1}"}`,
	} {
		f.Add(place, "1", body)
	}
	f.Fuzz(func(t *testing.T, place, value, body string) {
		if kind, rest := scenario.Find(place); rest == "" && kind <= scenario.PlaceHTML || len(place) > 256 {
			return // validate refuses it
		}
		paths := &Paths{Of: map[int]string{}}
		literal := scenario.Literal(value)
		var states [3]State
		for i, c := range []scenario.Condition{{Path: place, Equals: &literal}, {Path: place, Not: &literal}, {Path: place, Exists: new(false)}} {
			all, err := Conditions(scenario.Conditions{c}, paths)
			if err != nil {
				return
			}
			states[i] = all.In(answer(paths, []byte(body)))
		}
		if states[0] == Holds && states[1] == Holds || (states[0] == Silent) != (states[1] == Silent) {
			t.Errorf("%q in %q against %q: %v", place, body, value, states)
		}
		if states[0] == Silent && states[2] != Holds {
			t.Errorf("%q in %q: silent, and not absent", place, body)
		}
		if text, ok := Joined(nil, []byte(body)); ok && json.Valid([]byte(body)) && utf8.ValidString(body) && !utf8.Valid(text) {
			t.Errorf("%q joined is %q", body, text)
		}
	})
}
