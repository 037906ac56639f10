package trial

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Where a place leads nowhere, what the answer has instead is told, as near as there is
// anything.
func TestWhatThereIsInstead(t *testing.T) {
	const answer = `{"code":0,"data":{"reply":"hi","source":"model"},"items":[{"text":"a","from":"bot"},{"x":1}],"n":7}`
	for _, c := range []struct{ mode, place, body, want string }{
		{"sync", "data.answer", answer, "data: reply, source"},
		{"sync", "data.reply.text", answer, "data: reply, source"},
		{"sync", "answer", answer, "code, data, items, n"},
		{"sync", "dat.reply", answer, "code, data, items, n"},
		{"sync", "items.#.txt", answer, "items.#: text, from, x"},
		{"sync", `items.#(from=="you").text`, answer, "items.#: text, from, x"},
		{"sync", "#.txt", `[{"text":"a","at":1},[[{"at":2,"more":3}]],7]`, "#: text, at, more"},
		{"sync", "n.text", answer, "code, data, items, n"},
		{"sync", "answer", `["a"]`, ""},
		{"sync", "answer", `not JSON`, ""},
		{"sync", "xml:a/b", `<a/>`, ""},
		{"sync", "answer", `{` + strings.Repeat(`"key":1,`, 30) + `"z":1}`, strings.TrimSuffix(strings.Repeat("key, ", 12), ", ")},
		{"sync", "answer", "{\"a\\u001b[31m\":1}", "a\x1b[31m"}, // what is shown is cleaned where it is printed
		{"stream", "delta.txt", "data: {\"delta\":{\"text\":\"a\"}}\n\ndata: {\"delta\":{\"stop\":1}}\n\n", "delta: stop"},
	} {
		target := &scenario.Target{API: scenario.APICustom, Mode: scenario.Mode(c.mode)}
		if got := around(target, c.place, "HTTP/1.1 200 OK\r\n", c.body); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.place, c.body, got, c.want)
		}
	}
	e := Exchange{Paths: []Path{{Field: "answer", Path: "data.answer", Instead: "data: reply, source"}}}
	for lang, want := range map[reason.Lang]string{reason.English: "answer         data.answer  not found; there is data: reply, source\n", reason.Chinese: "未找到；那里有 data: reply, source\n"} {
		if got := e.Text(lang); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
