package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
)

// withConversations puts imported conversations into a scenario.
func withConversations(t interface{ Fatalf(string, ...any) }, imported []byte) *Scenario {
	text := least[:strings.Index(least, "conversations:")] + string(imported) + "sla: {availability: 99%}\n"
	s, err := Parse("imported.yaml", []byte(text), Options{})
	if err != nil {
		t.Fatalf("what was imported is not a scenario: %v\n%s", err, text)
	}
	return s
}

func TestImport(t *testing.T) {
	const shareGPT = `[
  {"id": "a", "conversations": [
    {"from": "system", "value": "be kind"}, {"from": "human", "value": "优惠券: 怎么用?\n第二行"}, {"from": "gpt", "value": "…"}, {"from": "human", "value": "$5 'off'"}]},
  {"id": "b", "conversations": [{"from": "user", "value": "NO"}]},
  {"id": "c", "conversations": [{"from": "user", "value": " NO "}]},
  {"id": "d", "conversations": [{"from": "gpt", "value": "hello?"}]}]`
	const messages = `{"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": [{"type": "text", "text": "看图"}, {"type": "image_url"}]}, {"role": "assistant", "content": null}]}

{"messages": [{"role": "user", "content": "2026-01-01"}]}`
	for _, tt := range []struct{ name, in, want, comment string }{
		{"ShareGPT", shareGPT, "imported-1*1: 优惠券: 怎么用?\n第二行 / $5 'off' | imported-2*2: NO", "# 4 conversations from ShareGPT; 1 without a message of a user; 1 system prompts left out: they are the server's"},
		{"one dialog", `{"conversations":[{"from":"human","value":"hi"}]}`, "imported-1*1: hi", "# 1 conversations from one dialog"},
		{"messages", messages, "imported-1*1: 看图 | imported-2*1: 2026-01-01", "# 2 conversations from messages; 1 system prompts left out: they are the server's; 1 images and other parts left out: users say texts"},
		{"bare messages", `[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]`, "imported-1*1: a / c", "# 1 conversations from bare messages"},
	} {
		out, err := Import(tt.name, []byte(tt.in), reason.English)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if comment, _, _ := strings.Cut(string(out), "\n"); comment != tt.comment {
			t.Errorf("%s: %s, want %s", tt.name, comment, tt.comment)
		}
		var got []string
		for _, c := range withConversations(t, out).Conversations {
			var says []string
			for _, turn := range c.Turns {
				says = append(says, turn.Say)
			}
			got = append(got, fmt.Sprintf("%s*%g: %s", c.Name, c.Weight, strings.Join(says, " / ")))
		}
		if s := strings.Join(got, " | "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, s, tt.want)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "x: has no conversation with a message of a user",
		"[]":                                   "x: has no conversation with a message of a user",
		"{\"a\":1}":                            "x:1: has neither conversations (ShareGPT) nor messages (OpenAI)",
		"{\"messages\":[]}\n{\"messages\":3}":  "x:2: is neither ShareGPT nor OpenAI messages",
		"[{\"messages\":[{\"text\":\"hi\"}]}]": "x:1: item 1: message 1: has neither from (ShareGPT) nor role (OpenAI)",
		"{\"messages\":[{\"role\":\"user\",\"content\":7}]}": "x:1: message 1: content is neither a text nor a list of parts",
		"a,b\n1,2":     "x:1: invalid character 'a' looking for beginning of value",
		"{\"a\":\xff}": "x:1:6: is not UTF-8: save the file as UTF-8 (Excel: \"CSV UTF-8\")",
	} {
		if _, err := Import("x", []byte(in), reason.English); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestImportIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range maxConversations + 7 {
		fmt.Fprintf(&b, "{\"messages\":[{\"role\":\"user\",\"content\":\"question %d\"}]}\n", i)
	}
	path := filepath.Join(t.TempDir(), "chats.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := ImportFile(path, reason.English)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(withConversations(t, out).Conversations); n != maxConversations || !strings.Contains(string(out), "; 7 left out") {
		t.Errorf("%d conversations; %s", n, out[:200])
	}
	if _, err := ImportFile(t.TempDir(), reason.English); err == nil || !strings.HasSuffix(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(`[{"conversations":[{"from":"human","value":"\u0000\u2028 ~ $"}]}]`))
	f.Add([]byte("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n{\"messages\":[]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		out, err := Import("x", text, reason.English)
		if err == nil {
			withConversations(t, out)
		}
	})
}

// Of a ChatGPT export the branch that was shown is taken, without pictures, and a
// tree that bites its tail ends.
func TestImportChatGPT(t *testing.T) {
	text := `[{"title":"t","current_node":"d","mapping":{
		"a":{"parent":null,"message":null},
		"b":{"parent":"a","message":{"author":{"role":"user"},"content":{"parts":["第一问"]}}},
		"c":{"parent":"b","message":{"author":{"role":"assistant"},"content":{"parts":["答"]}}},
		"x":{"parent":"c","message":{"author":{"role":"user"},"content":{"parts":["改掉的问题"]}}},
		"d":{"parent":"c","message":{"author":{"role":"user"},"content":{"parts":["第二问",{"asset_pointer":"file"}]}}}}},
	{"current_node":"a","mapping":{"a":{"parent":"a","message":{"author":{"role":"user"},"content":{"parts":["环"]}}}}}]`
	got, err := Import("c.json", []byte(text), reason.English)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(got); !strings.Contains(s, "第一问") || !strings.Contains(s, "第二问") || strings.Contains(s, "改掉") || strings.Index(s, "第一问") > strings.Index(s, "第二问") || strings.Count(s, "环") != 1 {
		t.Errorf("got\n%s", s)
	}
}

func TestImportTellsWhatItLeavesOut(t *testing.T) {
	got, err := Import("x.json", []byte(`{"messages":[{"role":"system","content":"be kind"},{"role":"user","content":[{"type":"text","text":"看看这张"},{"type":"image_url","image_url":{"url":"x"}}]}]}`), reason.English)
	if err != nil || !strings.Contains(string(got), "# 1 conversations from x.json; 1 system prompts left out: they are the server's; 1 images and other parts left out: users say texts\n") {
		t.Errorf("%v\n%s", err, got)
	}
	_, err = Import("x.json", []byte(`{"messages":[{"role":"user","content":"`+strings.Repeat("长", 4000)+`"}]}`), reason.English)
	if err == nil || !strings.Contains(err.Error(), "all 1 conversations with a message of a user were left out for their size") {
		t.Error(err)
	}
}
