package visible

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

func TestAppend(t *testing.T) {
	for r, want := range map[rune]string{
		0x1b: "^[", 0x9b: "^[", 0x07: "^G", 0x00: "^@", 0x7f: "^?", 0x85: "^E", '\n': "^J", 0x202e: "<U+202E>", 0x2066: "<U+2066>", 0xad: "<U+00AD>",
		0xe0041: "<U+E0041>", 0xfffe: "\ufffd", 0x1ffff: "\ufffd", utf8.RuneError: "\ufffd", '客': "客", 'a': "a", 0x200d: "\u200d", 0xa0: "\u00a0",
	} {
		if got := string(Append(nil, r)); got != want {
			t.Errorf("U+%04X became %q, want %q", r, got, want)
		}
	}
}

// What is escaped for a format holds nothing that a terminal would obey, and
// reads back the same.
func TestEscapesReadBackTheSame(t *testing.T) {
	all := ""
	for r := rune(0); r <= 0xe00ff; r++ {
		if (control(r) || Hidden(r) || r >= 0x20 && r < 0x7f || r == '客') && utf8.ValidRune(r) {
			all += string(r)
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := yaml.Dump(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: all, Style: yaml.DoubleQuotedStyle}, yaml.WithLineWidth(-1), yaml.WithUnicode(true))
	if err != nil {
		t.Fatal(err)
	}
	var fromJSON, fromYAML string
	if err := json.Unmarshal(JSON(b), &fromJSON); err != nil || fromJSON != all {
		t.Errorf("JSON: %v, %q is not %q", err, fromJSON, all)
	}
	if err := yaml.Load(YAML(quoted), &fromYAML); err != nil || fromYAML != all {
		t.Errorf("YAML: %v, %q is not %q", err, fromYAML, all)
	}
	for _, text := range []string{string(JSON(b)), string(YAML(quoted))} {
		for _, r := range text {
			if r != '\n' && string(Append(nil, r)) != string(r) {
				t.Errorf("U+%04X came through", r)
			}
		}
	}
}

func TestNothingToEscapeIsTheSameText(t *testing.T) {
	in := []byte("{\"a\":\"客服\"}\r\n\t")
	if out := JSON(in); &out[0] != &in[0] || len(out) != len(in) {
		t.Error("a text without anything to escape was copied")
	}
}
