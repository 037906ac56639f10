package scenario

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// turnValues is what a driver has at hand: bytes of the turn, strings of the user.
type turnValues struct {
	text, dialog []byte
	vars         map[string]string
}

func (v *turnValues) AppendValue(dst []byte, name string) []byte {
	switch name {
	case "turn.text":
		return append(dst, v.text...)
	case "dialog.id":
		return append(dst, v.dialog...)
	}
	return append(dst, v.vars[name]...)
}

func TestTemplate(t *testing.T) {
	values := &turnValues{text: []byte("你好 \"x\"\n"), vars: map[string]string{"user.id": "u1", "env:TOKEN": `a\b`}}
	for _, tt := range []struct{ in, want, wantJSON, err string }{
		{in: "", want: "", wantJSON: ""},
		{in: "plain", want: "plain", wantJSON: "plain"},
		{in: "$$5 for ${user.id}", want: "$5 for u1", wantJSON: "$5 for u1"},
		{in: "${turn.text}|${env:TOKEN}", want: "你好 \"x\"\n|a\\b", wantJSON: `你好 \"x\"\n|a\\b`},
		{in: "${dialog.id}", want: "", wantJSON: ""},
		{in: "${file:secrets/token.txt}", want: "", wantJSON: ""},
		{in: "5$", err: "a single $ means nothing: write ${NAME} for a variable, $$ for a dollar"},
		{in: "${user.id", err: "a } is missing after ${user.id"},
		{in: "${user}", err: "${user} is not a variable: write for example ${user.id} or ${orders.order_no}"},
		{in: "${exec:rm}", err: "${exec:rm} is not a variable: from outside there are ${env:NAME} and ${file:PATH}"},
		{in: "${env:A-B}", err: "${env:A-B} is not a variable: from outside there are ${env:NAME} and ${file:PATH}"},
		{in: strings.Repeat("${user.id}", 257), err: "has more than 256 variables"},
	} {
		got, err := ParseTemplate(tt.in)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%q: error %v, want %s", short(tt.in), err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if out := string(got.Append([]byte(">"), values)); out != ">"+tt.want {
			t.Errorf("%q renders %q, want %q", tt.in, out, tt.want)
		}
		if out := string(got.AppendJSON([]byte(">"), values)); out != ">"+tt.wantJSON {
			t.Errorf("%q renders %q in JSON, want %q", tt.in, out, tt.wantJSON)
		}
	}
}

func TestBody(t *testing.T) {
	for _, tt := range []struct {
		in, dialog, want string
	}{
		{`{"uid":"${user.id}","text":"${turn.text}","dialog_id":"${dialog.id}"}`, "", `{"uid":"u1","text":"hi"}`},
		{`{"uid":"${user.id}","text":"${turn.text}","dialog_id":"${dialog.id}"}`, "d\"1", `{"uid":"u1","text":"hi","dialog_id":"d\"1"}`},
		{`{"dialog_id":"${dialog.id}","text":"${turn.text}"}`, "", `{"text":"hi"}`},
		{`{"dialog_id":"${dialog.id}","n":1,"b":true,"z":null,"f":1.50}`, "", `{"n":1,"b":true,"z":null,"f":1.50}`},
		{`{"dialog_id":"${dialog.id}","n":1}`, "d", `{"dialog_id":"d","n":1}`},
		{`{"a":"${dialog.id}","b":"${dialog.id}"}`, "", `{}`},
		{`{"a":{"id":"${dialog.id}"},"t":"x ${dialog.id} y"}`, "", `{"a":{},"t":"x  y"}`},
		{`{"m":[{"role":"user","content":"${turn.text}"},"${dialog.id}"]}`, "", `{"m":[{"role":"user","content":"hi"},""]}`},
		{`{"<&>":"a{","d":"${dialog.id}","e":"$$"}`, "d", `{"<&>":"a{","d":"d","e":"$"}`},
		{`"${turn.text}"`, "", `"hi"`},
		{`[]`, "", `[]`},
	} {
		body, err := ParseBody(json.RawMessage(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		values := &turnValues{text: []byte("hi"), dialog: []byte(tt.dialog), vars: map[string]string{"user.id": "u1"}}
		got := string(body.Append(nil, values))
		if got != tt.want || !json.Valid([]byte(got)) {
			t.Errorf("%s renders %s, want %s", tt.in, got, tt.want)
		}
		if again := string(body.Append([]byte("{"), values)); again != "{"+tt.want {
			t.Errorf("%s renders %s behind a brace", tt.in, again)
		}
	}
	for in, want := range map[string]string{
		`{"a":1} x`:             "something follows the JSON value",
		`{"a":`:                 "is not JSON: ",
		`{"a":"${x}"}`:          "${x} is not a variable",
		strings.Repeat("[", 40): "nested deeper than 32 levels",
		`{"a":"` + strings.Repeat("x", maxTemplate) + `"}`: "is longer than 65536 bytes",
	} {
		if _, err := ParseBody(json.RawMessage(in)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", short(in), err, want)
		}
	}
}

// Whatever the values hold, a rendered body is valid JSON that says them.
func TestBodyAlwaysValid(t *testing.T) {
	body, err := ParseBody(json.RawMessage(`{"d":"${dialog.id}","t":"a ${turn.text} z","n":{"u":"${user.id}"}}`))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "text")
		user := rapid.String().Draw(t, "user")
		values := &turnValues{text: text, vars: map[string]string{"user.id": user}}
		var got struct {
			T string
			N struct{ U string }
		}
		out := body.Append(nil, values)
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if got.N.U != user {
			t.Fatalf("user %q came out as %q", user, got.N.U)
		}
		if utf8.Valid(text) && got.T != "a "+string(text)+" z" {
			t.Fatalf("text %q came out as %q", text, got.T)
		}
	})
}

func TestRenderingAllocatesNothing(t *testing.T) {
	body, path, values := hotBody(t)
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		buf = path.Append(buf[:0], values)
		buf = body.Append(buf, values)
	}); n != 0 {
		t.Errorf("%v allocations a turn, want none", n)
	}
}

func hotBody(t testing.TB) (Body, Template, *turnValues) {
	t.Helper()
	body, err := ParseBody(json.RawMessage(`{"uid":"${user.id}","text":"${turn.text}","dialog_id":"${dialog.id}","meta":{"channel":"app"}}`))
	if err != nil {
		t.Fatal(err)
	}
	path, err := ParseTemplate("/chat/${user.id}")
	if err != nil {
		t.Fatal(err)
	}
	return body, path, &turnValues{
		text:   []byte("我要退货,订单号 \"20261111000181\"\n谢谢"),
		dialog: []byte("0123456789abcdef0123456789abcdef"),
		vars:   map[string]string{"user.id": "u-000123"},
	}
}

func BenchmarkBody(b *testing.B) {
	body, path, values := hotBody(b)
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = path.Append(buf[:0], values)
		buf = body.Append(buf, values)
	}
}
