package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

func scanFor(t *testing.T, doc string, paths ...string) ([]Value, bool) {
	t.Helper()
	root := node{slot: -1}
	for i, p := range paths {
		root.plant(p, i)
	}
	s := Scanner{Values: make([]Value, len(paths))}
	ok := s.scan([]byte(doc), &root)
	return s.Values, ok
}

func TestScan(t *testing.T) {
	doc := ` {"a":{"b":[1,{"c":"x\u00e9\n\"\ud83d\ude00"},true]},"n":-1.5e+3,"":0,"t":true,"z":null,"skip":[[[{"a":[{}]}]],{"b":{"c":[]}}],"long":"` + strings.Repeat("好a", 40) + `"} `
	got, ok := scanFor(t, doc, "a.b.1.c", "n", "t", "z", "a.b.0", "nowhere.x", "long", "skip")
	if !ok {
		t.Fatal("refused")
	}
	if s := string(Unescape(nil, got[0].Raw)); s != "xé\n\"😀" || !got[0].Escaped {
		t.Errorf("string %q", s)
	}
	for i, want := range map[int]string{1: "-1.5e+3", 2: "true", 3: "null", 4: "1", 5: "", 6: strings.Repeat("好a", 40), 7: `[[[{"a":[{}]}]],{"b":{"c":[]}}]`} {
		if string(got[i].Raw) != want {
			t.Errorf("value %d is %q, want %q", i, got[i].Raw, want)
		}
	}
}

func TestUnescape(t *testing.T) {
	for raw, want := range map[string]string{
		`\ud83d\ude00`: "😀", `\ud83dx`: "\ufffdx", `\ud83d\u0041`: "\ufffdA", `\ude00`: "\ufffd", `\b\f\n\r\t\/\\\"`: "\b\f\n\r\t/\\\"", `\ud800\ud800`: "\ufffd\ufffd",
	} {
		if got := string(Unescape(nil, []byte(raw))); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// The scanner takes what encoding/json takes, less broken UTF-8, great depth and
// a place twice; and finds what gjson finds.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{"answer":"ok","context":{"turns":2}}`, `{"answer":"\ud800","answer":1}`, `[1,2,{"answer":[]}]`, `"x"`, "\"\x7f\"", `{"a\"b":"cccccccccccc\u0000d"}`,
		`-0`, `1e400`, `01`, `{"context":{"turns":[{"x":1}],"":{}}}`, "\xef\xbb\xbf{}", "\"\xff\"", `{"x":"12345678\""}`, "{\"x\":\"1234567\x1f8\"}",
	} {
		f.Add([]byte(seed))
	}
	paths := []string{"answer", "context.turns", "choices.0.message.content"}
	f.Fuzz(func(t *testing.T, doc []byte) {
		root := node{slot: -1}
		for i, p := range paths {
			root.plant(p, i)
		}
		s := Scanner{Values: make([]Value, len(paths))}
		ok := s.scan(doc, &root)
		if want := json.Valid(doc) && utf8.Valid(doc); ok != want {
			if ok || !twice(doc) && deepest(doc) <= MaxDepth {
				t.Fatalf("%q: %t, encoding/json says %t", doc, ok, want)
			}
		}
		if !ok {
			return
		}
		for i, p := range paths {
			r := gjson.GetBytes(doc, p)
			if s.Values[i].Kind == Text && !bytes.Contains(doc, []byte(`\`)) && r.String() != string(Unescape(nil, s.Values[i].Raw)) {
				t.Errorf("%q: %s is %q, gjson says %q", doc, p, s.Values[i].Raw, r.String())
			}
		}
	})
}

// twice tells whether a document may have a member twice.
func twice(doc []byte) bool {
	return bytes.Count(doc, []byte("answer")) > 1 || bytes.Count(doc, []byte("turns")) > 1 || bytes.Count(doc, []byte("context")) > 1 ||
		bytes.Count(doc, []byte("content")) > 1 || bytes.Count(doc, []byte("message")) > 1
}

func deepest(doc []byte) int { return bytes.Count(doc, []byte("{")) + bytes.Count(doc, []byte("[")) }

// BenchmarkFind takes an answer of the reference server apart, beside what the
// libraries need for the same: the document checked, and seven values of it.
func BenchmarkFind(b *testing.B) {
	doc := []byte(`{"dialog_id":"0123456789abcdef0123456789abcdef","answer":"满减优惠券可以在结算页选择使用,每单限用一张。","cost_ms":112.345,"turn_id":"abc","seq":2,"epoch":1,"tier":"llm","degraded":false,"source":"llm","suggestions":["退货","发票"],"context":{"status":"ok","turns":2},"persisted":true,"pii":{"in":0,"out":0},"group":"base","trace_id":"0af7651916cd43dd8448eb211c80319c"}`)
	paths := []string{"dialog_id", "answer", "turn_id", "tier", "degraded", "context.status", "context.turns"}
	places := map[int]string{}
	for slot, path := range paths {
		places[slot] = path
	}
	find := Compile(places)
	s := Scanner{Values: make([]Value, len(paths))}
	var into struct {
		DialogID string `json:"dialog_id"`
		Answer   string `json:"answer"`
		TurnID   string `json:"turn_id"`
		Tier     string `json:"tier"`
		Degraded bool   `json:"degraded"`
		Context  struct {
			Status string `json:"status"`
			Turns  int    `json:"turns"`
		} `json:"context"`
	}
	for name, read := range map[string]func() bool{
		"jsonscan":      func() bool { return find.Find(&s, doc) && s.Values[6].Kind == Number },
		"gjson":         func() bool { return gjson.ValidBytes(doc) && gjson.GetManyBytes(doc, paths...)[6].Int() == 2 },
		"encoding/json": func() bool { return json.Unmarshal(doc, &into) == nil && into.Context.Turns == 2 },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !read() {
					b.Fatal("not found")
				}
			}
		})
	}
}
