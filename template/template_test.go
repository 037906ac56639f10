package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// turn is what the templates of these tests are filled from.
type turn struct {
	text, dialog []byte
	vars         map[string]string
	history      []string
}

var message = must(ParseJSON([]byte(`{"role":"user","content":"${text}"}`)))

// variable knows text, dialog, history, env:K, env:NONE and whatever begins with a v.
func variable(name string) (Variable[turn], error) {
	switch name {
	case "text":
		return Value(func(dst []byte, v *turn) []byte { return append(dst, v.text...) }), nil
	case "dialog":
		return Value(func(dst []byte, v *turn) []byte { return append(dst, v.dialog...) }), nil
	case "history":
		one := must(Bind(message, func(string) (Variable[string], error) {
			return Always(func(dst []byte, s *string) []byte { return append(dst, *s...) }), nil
		}))
		return List(func(dst []byte, v *turn) []byte {
			for i := range v.history {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = one.Append(dst, &v.history[i])
			}
			return dst
		}), nil
	case "env:K":
		return Constant[turn]("s\"e/c\n"), nil
	case "env:NONE":
		return Constant[turn](""), nil
	}
	if strings.HasPrefix(name, "v") {
		return Value(func(dst []byte, v *turn) []byte { return append(dst, v.vars[name]...) }), nil
	}
	return Variable[turn]{}, errors.New("is not known")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestDollars(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"plain":             "plain",
		"5$":                "5$",
		"$":                 "$",
		"$$":                "$",
		"$$$":               "$$",
		"$5, US$ 5 or $a":   "$5, US$ 5 or $a",
		"$${text}":          "${text}",
		"$$${text}":         "$hi",
		"${text}$":          "hi$",
		"}{ ${text} }":      "}{ hi }",
		"${v}${text}${v.a}": "hiA",
		"${v 中/a.txt}":      "spaced",
	} {
		b, err := Bind(must(Parse(in, Text)), variable)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		v := &turn{text: []byte("hi"), vars: map[string]string{"v.a": "A", "v 中/a.txt": "spaced"}}
		if got := string(b.Append([]byte(">"), v)); got != ">"+want {
			t.Errorf("%q renders %q, want %q", in, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"$5 or 5$": "$5 or 5$", "$$5": "$$$5", "${x}": "$${x}", "$${": "$$$${", "$$$": "$$$$$", "": "",
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringOf(rapid.SampledFrom([]rune("${}ax"))).Draw(t, "text")
		if got, ok := must(Parse(Quote(in), Text)).Constant(); got != in || !ok {
			t.Fatalf("%q comes back as %q", in, got)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		form     Form
		in, want string
	}{
		{Text, "a ${text", `a } is missing after "${text": close it, or write $$ for a dollar`},
		{Text, "${te\nxt}", `a } is missing after "${te": close it, or write $$ for a dollar`},
		{Text, "${a ${text}", `a } is missing after "${a ${text}": close it, or write $$ for a dollar`},
		{Text, "${", `a } is missing after "${": close it, or write $$ for a dollar`},
		{Text, "${\x1b", `a } is missing after "${\x1b": close it, or write $$ for a dollar`},
		{Text, "${}", `${} names no variable: write for example ${user.id}, or $$ for a dollar`},
		{Text, "${ }", `${ } names no variable: write for example ${user.id}, or $$ for a dollar`},
		{Text, strings.Repeat("${v}", 257), "has more than 256 variables"},
		{Text, strings.Repeat("x", maxBytes+1), "is longer than 65536 bytes"},
		{Text, "${" + strings.Repeat("x", maxName+1) + "}", `a } is missing after "${` + strings.Repeat("x", 38) + `": close it, or write $$ for a dollar`},
		{Path, "/a b", `"/a b": percent-encode what is not printable ASCII`},
		{Path, "/${text}/退", `"/退": percent-encode what is not printable ASCII`},
		{Header, "a\r\nX: y", `"a\r\nX: y": has a line end or another control character in it`},
		{JSON, `{"a":1} x`, "something follows the JSON value"},
		{JSON, `{"a":`, "is not JSON: EOF"},
		{JSON, ``, "is not JSON: EOF"},
		{JSON, `{"a":[{"b":"x ${text"}]}`, `a[0].b: a } is missing after "${text": close it, or write $$ for a dollar`},
		{JSON, `{"a":[1,"${}"]}`, `a[1]: ${} names no variable: write for example ${user.id}, or $$ for a dollar`},
		{JSON, strings.Repeat("[", 40), "nested deeper than 32 levels"},
		{JSON, `["` + strings.Repeat("x", maxBytes) + `"]`, "is longer than 65536 bytes"},
	} {
		_, err := parse(tt.in, tt.form)
		var problem *Error
		if !errors.As(err, &problem) || err.Error() != tt.want {
			t.Errorf("%.50q: error %v, want %s", tt.in, err, tt.want)
		}
	}
}

func parse(text string, form Form) (Template, error) {
	if form == JSON {
		return ParseJSON([]byte(text))
	}
	return Parse(text, form)
}

func TestBindRefuses(t *testing.T) {
	for _, tt := range []struct {
		form     Form
		in, want string
	}{
		{Text, "a ${text.a}", "${text.a}: is not known"},
		{Text, "${history}", "${history}: is a list: it can only be the whole of a member or an item in a JSON body"},
		{JSON, `["x ${history}"]`, "${history}: is a list: it can only be the whole of a member or an item in a JSON body"},
	} {
		if _, err := Bind(must(parse(tt.in, tt.form)), variable); err == nil || err.Error() != tt.want {
			t.Errorf("%s: error %v, want %s", tt.in, err, tt.want)
		}
	}
}

// Every form writes the same values as it must.
func TestForms(t *testing.T) {
	v := &turn{text: []byte("a/b 退\r\n\x00\"\\\t~"), dialog: []byte("\xff")}
	for form, want := range map[Form]string{
		Text:   "x=a/b 退\r\n\x00\"\\\t~ \xff s\"e/c\n",
		Header: "x=a/b 退\"\\\t~ \xff s\"e/c",
		Path:   `x=a%2Fb%20%E9%80%80%0D%0A%00%22%5C%09~&%FF&s%22e%2Fc%0A`,
		JSON:   `{"x=":"a/b 退\r\n\u0000\"\\\t~ ` + "\xff" + ` s\"e/c\n"}`,
	} {
		in := map[Form]string{Path: "x=${text}&${dialog}&${env:K}", JSON: `{"x=":"${text} ${dialog} ${env:K}"}`}[form]
		if in == "" {
			in = "x=${text} ${dialog} ${env:K}"
		}
		b := must(Bind(must(parse(in, form)), variable))
		if got := string(b.Append(nil, v)); got != want {
			t.Errorf("form %d renders %q, want %q", form, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, tt := range []struct {
		in, dialog, history, want string
	}{
		{`{"u":"${v}","t":"${text}","d":"${dialog}"}`, "", "", `{"u":"u\"1","t":"hi"}`},
		{`{"u":"${v}","t":"${text}","d":"${dialog}"}`, "d\"1", "", `{"u":"u\"1","t":"hi","d":"d\"1"}`},
		{`{"d":"${dialog}","t":"${text}"}`, "", "", `{"t":"hi"}`},
		{`{"d":"${dialog}","n":1,"b":true,"z":null,"f":1.50}`, "", "", `{"n":1,"b":true,"z":null,"f":1.50}`},
		{`{"n":1,"d":"${dialog}"}`, "", "", `{"n":1}`},
		{`{"n":1,"d":"${dialog}","m":2,"e":"${dialog}"}`, "d", "", `{"n":1,"d":"d","m":2,"e":"d"}`},
		{`{"n":1,"d":"${dialog}","m":2,"e":"${dialog}"}`, "", "", `{"n":1,"m":2}`},
		{`{"d":"${dialog}","n":1}`, "d", "", `{"d":"d","n":1}`},
		{`{"d":"${dialog}","o":{"x":"y"},"l":["${dialog}"]}`, "", "", `{"o":{"x":"y"},"l":[""]}`},
		{`{"a":"${dialog}","b":"${dialog}"}`, "", "", `{}`},
		{`{"a":"${env:NONE}","b":"${env:NONE}x","c":"${env:K}"}`, "", "", `{"b":"x","c":"s\"e/c\n"}`},
		{`{"x":{"d":"${dialog}"},"y":{"a":"${v}","d":"${dialog}"}}`, "", "", `{"x":{},"y":{"a":"u\"1"}}`},
		{`{"a":{"d":"${dialog}"},"t":"x ${dialog} y"}`, "", "", `{"a":{},"t":"x  y"}`},
		{`["${dialog}",{"d":"${dialog}"},["${v}"]]`, "", "", `["",{},["u\"1"]]`},
		{`[["${dialog}","a${dialog}"],"${dialog}",2]`, "", "", `[["","a"],"",2]`},
		{`{"<&>":"a{","d":"${dialog}","e":"$$ $5"}`, "d", "", `{"<&>":"a{","d":"d","e":"$ $5"}`},
		{`{"k\"":"x","m":"{","n":"${text}{","o":"${dialog}"}`, "d", "", `{"k\"":"x","m":"{","n":"hi{","o":"d"}`},
		{`{"o":{},"l":[]}`, "", "", `{"o":{},"l":[]}`},
		{`"${text}"`, "", "", `"hi"`},
		{`"${dialog}"`, "", "", `""`},
		{` [ 1 , [ ] ] `, "", "", `[1,[]]`},
		// Lists, with nothing and with something in them, everywhere.
		{`{"m":"${history}","n":1}`, "", "", `{"m":[],"n":1}`},
		{`{"d":"${dialog}","m":"${history}","n":1}`, "", "a|b", `{"m":[{"role":"user","content":"a"},{"role":"user","content":"b"}],"n":1}`},
		{`{"m":["${history}",{"t":"${text}"}]}`, "", "", `{"m":[{"t":"hi"}]}`},
		{`{"m":["${history}",{"t":"${text}"}]}`, "", "a\"", `{"m":[{"role":"user","content":"a\""},{"t":"hi"}]}`},
		{`[{"s":1},"${history}"]`, "", "", `[{"s":1}]`},
		{`[{"s":1},"${history}","${history}",["${history}"]]`, "", "a", `[{"s":1},{"role":"user","content":"a"},{"role":"user","content":"a"},[{"role":"user","content":"a"}]]`},
		{`["${history}",["${history}"],"${dialog}"]`, "", "", `[[],""]`},
		{`"${history}"`, "", "a", `[{"role":"user","content":"a"}]`},
		{`{"m":"${history}"}`, "", "", `{"m":[]}`},
	} {
		b, err := Bind(must(ParseJSON([]byte(tt.in))), variable)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		v := &turn{text: []byte("hi"), dialog: []byte(tt.dialog), vars: map[string]string{"v": `u"1`}}
		if tt.history != "" {
			v.history = strings.Split(tt.history, "|")
		}
		got := string(b.Append(nil, v))
		if got != tt.want || !json.Valid([]byte(got)) {
			t.Errorf("%s renders\n %s, want\n %s", tt.in, got, tt.want)
		}
		if again := string(b.Append([]byte("{"), v)); again != "{"+tt.want {
			t.Errorf("%s renders %s behind a brace", tt.in, again)
		}
	}
}

func TestUses(t *testing.T) {
	for _, tt := range []struct {
		form Form
		in   string
		want []Use
	}{
		{Text, "a $$ b", nil},
		{Text, "${v.b} $${c} ${text}${v.b}", []Use{{"v.b", ""}, {"text", ""}, {"v.b", ""}}},
		{
			JSON, `{"a":"${text}","b":{"c":["x","y ${v} ${w}","${z}"]},"${no}":[["${y}"]]}`,
			[]Use{{"text", "a"}, {"v", "b.c[1]"}, {"w", "b.c[1]"}, {"z", "b.c[2]"}, {"y", "${no}[0][0]"}},
		},
	} {
		got := must(parse(tt.in, tt.form))
		if !slices.Equal(got.Uses(), tt.want) {
			t.Errorf("%s: %v, want %v", tt.in, got.Uses(), tt.want)
		}
		for _, use := range tt.want {
			if !got.Has(use.Name) || got.Has(use.Name+"x") {
				t.Errorf("%s: Has is wrong about %s", tt.in, use.Name)
			}
		}
		if text, constant := got.Constant(); constant != (tt.want == nil) || constant && text != "a $ b" {
			t.Errorf("%s: constant %q %t", tt.in, text, constant)
		}
	}
}

func TestJoin(t *testing.T) {
	bind := func(text string) Bound[turn] { return must(Bind(must(Parse(text, Text)), variable)) }
	constant := Join(Raw[turn]("a"), Raw[turn](""), bind("b$$"), Bound[turn]{}, bind("${env:K}"))
	if text, ok := constant.Constant(); text != "ab$s\"e/c\n" || !ok {
		t.Errorf("constant %q %t", text, ok)
	}
	if text, ok := (Bound[turn]{}).Constant(); text != "" || !ok || !Raw[turn]("").Empty() || constant.Empty() {
		t.Errorf("the zero Bound: %q %t", text, ok)
	}
	dialog, err := variable("dialog")
	if got := string(Only("x", must(dialog, err), Path).Append(nil, &turn{dialog: []byte("a b")})); got != "a%20b" {
		t.Errorf("alone: %q", got)
	}
	first := bind("1${text}")
	joined := Join(first, Raw[turn]("|"), must(Bind(must(ParseJSON([]byte(`{"d":"${dialog}","t":"${text}"}`))), variable)), bind("${v}!"))
	v := &turn{text: []byte("hi"), vars: map[string]string{"v": "V"}}
	if got := string(joined.Append(nil, v)); got != `1hi|{"t":"hi"}V!` {
		t.Errorf("joined: %q", got)
	}
	if got := string(first.Append(nil, v)); got != "1hi" {
		t.Errorf("joining changed what was joined: %q", got)
	}
	if _, ok := joined.Constant(); ok || !slices.Equal(joined.Names(), []string{"text", "dialog", "text", "v"}) {
		t.Errorf("names %v", joined.Names())
	}
}

// Whatever the values hold, a rendered document is valid JSON that says them.
func TestJSONAlwaysValid(t *testing.T) {
	body := must(Bind(must(ParseJSON([]byte(`{"d":"${dialog}","t":"a ${text} z","h":["${history}","${v}"],"n":{"u":"${v}"}}`))), variable))
	rapid.Check(t, func(t *rapid.T) {
		v := &turn{
			text:    rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "text"),
			vars:    map[string]string{"v": rapid.String().Draw(t, "v")},
			history: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "history"),
		}
		var got struct {
			D *string
			T string
			H []json.RawMessage
			N struct{ U string }
		}
		out := body.Append(nil, v)
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if got.N.U != v.vars["v"] || got.D != nil || len(got.H) != len(v.history)+1 {
			t.Fatalf("%+v came out as %s", v, out)
		}
		if utf8.Valid(v.text) && got.T != "a "+string(v.text)+" z" {
			t.Fatalf("text %q came out as %q", v.text, got.T)
		}
	})
}

func hotTemplates() (path, body Bound[turn], v *turn) {
	path = must(Bind(must(Parse("/chat/${v}", Path)), variable))
	body = must(Bind(must(ParseJSON([]byte(`{"uid":"${v}","text":"${text}","dialog_id":"${dialog}","meta":{"channel":"app"},"messages":["${history}"]}`))), variable))
	return path, body, &turn{
		text:    []byte("我要退货,订单号 \"20261111000181\"\n谢谢"),
		dialog:  []byte("0123456789abcdef0123456789abcdef"),
		vars:    map[string]string{"v": "u-000123"},
		history: []string{"我有一张满减优惠券,怎么用?", "请在结算页选择。"},
	}
}

func TestRenderingAllocatesNothing(t *testing.T) {
	path, body, v := hotTemplates()
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		buf = path.Append(buf[:0], v)
		buf = body.Append(buf, v)
	}); n != 0 {
		t.Errorf("%v allocations a turn, want none", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	path, body, v := hotTemplates()
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = path.Append(buf[:0], v)
		buf = body.Append(buf, v)
	}
}

// FuzzParse looks for panics, and for texts that lose or gain a letter.
func FuzzParse(f *testing.F) {
	for _, in := range []string{"$$5 ${user.id}", "5$", "${", "${}", "${a${b}", "$${x}", "${file:a b/c}", "/p/${x}?q=${y}"} {
		for form := range XML + 1 {
			f.Add(in, byte(form), "v")
		}
	}
	f.Fuzz(func(t *testing.T, text string, form byte, value string) {
		as := Form(form) % (XML + 1)
		if as == JSON {
			return
		}
		parsed, err := Parse(text, as)
		if err != nil {
			if err.Error() == "" || !utf8.ValidString(err.Error()) {
				t.Fatalf("%q: error %q", text, err)
			}
			return
		}
		// Put each variable back as it was written, and what comes out parses the same.
		b := must(Bind(parsed, func(name string) (Variable[turn], error) {
			return Variable[turn]{value: func(dst []byte, _ *turn) []byte { return fmt.Appendf(dst, "<%s>", name) }}, nil
		}))
		want := text
		for _, use := range parsed.Uses() {
			want = strings.Replace(want, "${"+use.Name+"}", "<"+use.Name+">", 1)
		}
		if got := string(b.Append(nil, nil)); parsed.form == Text && !strings.Contains(text, "$$") && got != want {
			t.Fatalf("%q renders %q, want %q", text, got, want)
		}
		out := b.Append([]byte{}, nil)
		for _, c := range out {
			if parsed.form == Header && (c < ' ' && c != '\t' || c == 0x7f) || (parsed.form == Path || parsed.form == Query) && (c <= ' ' || c >= 0x7f) {
				t.Fatalf("%q renders %q in form %d", text, out, parsed.form)
			}
		}
	})
}

// FuzzParseJSON looks for panics, and for documents that render as no JSON.
func FuzzParseJSON(f *testing.F) {
	f.Add(`{"a":"${dialog.id}","b":["${turn.text}",1,null,true,{"c":"$$"}],"m":["${list.x}","${list.x}",{"x":"${list.y}"}]}`, "x\"\\")
	f.Fuzz(func(t *testing.T, text, value string) {
		parsed, err := ParseJSON([]byte(text))
		if err != nil {
			return
		}
		for _, v := range []string{value, ""} {
			b, err := Bind(parsed, func(name string) (Variable[turn], error) {
				switch {
				case strings.HasPrefix(name, "list."):
					items := ""
					if v != "" {
						items = `"` + string(AppendJSON(nil, v)) + `",[1]`
					}
					return List(func(dst []byte, _ *turn) []byte { return append(dst, items...) }), nil
				case strings.HasPrefix(name, "env:"):
					return Constant[turn](v), nil
				}
				return Value(func(dst []byte, _ *turn) []byte { return append(dst, v...) }), nil
			})
			if err != nil {
				continue // a list where none can be
			}
			if out := b.Append(nil, nil); !json.Valid(out) {
				t.Fatalf("%q renders %q", text, out)
			}
			if _, constant := parsed.Constant(); constant != (len(parsed.Uses()) == 0) {
				t.Fatalf("%q: constant %t with %v", text, constant, parsed.Uses())
			}
		}
	})
}
