package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMembers(t *testing.T) {
	got := JSON(nil).Object("").String("a", "\"\n").StringIf("none", "").StringIf("b", "x").Int("n", -3).Float("f", 1.5, 3).Bool("t", true).
		Array("l").String("", "one").Object("").EndObject().Raw("", []byte("[1]")).EndArray().Object("o").EndObject().EndObject()
	if want := `{"a":"\"\n","b":"x","n":-3,"f":1.500,"t":true,"l":["one",{},[1]],"o":{}}`; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !json.Valid(got) {
		t.Errorf("not JSON: %s", got)
	}
}

func TestRenderingAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		_ = JSON(buf).Object("").String("answer", "可以的").Int("seq", 3).Float("cost_ms", 1.25, 3).Bool("persisted", true).EndObject()
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestAppendStringIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		var got string
		if err := json.Unmarshal(AppendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); got != want {
			t.Fatalf("%q came back as %q", s, got)
		}
	})
	if got := string(AppendString(nil, "</script>\u2028\x7f\xff")); got != `"\u003c/script\u003e\u2028\u007f\ufffd"` {
		t.Errorf("AppendString = %s", got)
	}
}
