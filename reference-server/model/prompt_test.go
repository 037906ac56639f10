package model

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestPromptsInBothAPIs(t *testing.T) {
	p := Prompt{Text: "新问题", Turns: []Exchange{{User: "投诉", Replies: []string{"处理好了"}}, {User: "没人答"}}}
	got := gjson.GetBytes(p.appendChat(nil, false), "messages.#.content").Raw
	if want := `"投诉","处理好了","没人答","新问题"]`; !strings.HasSuffix(got, want) {
		t.Errorf("messages %s, want the end %s", got, want)
	}
	if got := gjson.GetBytes(p.appendChat(nil, true), "stream").Raw; got != "true" {
		t.Errorf("stream %s", got)
	}
	if text := gjson.GetBytes(p.appendCompletion(nil), "prompt").Str; !strings.HasSuffix(text, "\n用户: 投诉\n客服: 处理好了\n用户: 没人答\n用户: 新问题\n客服: ") {
		t.Errorf("prompt %q", text)
	}
}
