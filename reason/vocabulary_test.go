package reason

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/vocabulary.md")

const page = "../docs/vocabulary.md"

func TestEveryTextKeepsToTheVocabulary(t *testing.T) {
	for _, r := range table() {
		for _, fault := range Faults(r.en, r.zh) {
			t.Errorf("%s: %q: %s", r.code, r.zh, fault)
		}
	}
	for w, text := range words() {
		for _, fault := range Faults(text.en, text.zh) {
			t.Errorf("%s: %q: %s", w, text.zh, fault)
		}
		if !han(text.zh) && text.zh != text.en && w != "websocket" {
			t.Errorf("%s has no Chinese: %q", w, text.zh)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct{ en, zh, want string }{
		{"lag P99", "延迟 P99", "延迟 P99 is called 发送滞后, lag is 发送滞后"},
		{"seed", "种子", "seed is 随机种子"},
		{"tainted seconds", "受干扰 3 秒", "受干扰 is called 受扰, tainted is 受扰"},
		{"answers: 3", "应答:3", "half-width punctuation in 答:"},
		{"answers (3)", "应答(3)", "half-width punctuation in 答("},
		{"canaries came back", "标记返回", "canary is 金丝雀"},
		{"the flag of a plan", "计划的标志", ""},
		{"at its start", "开始时", ""},
		{"dropped starts", "丢弃", "starts is 会话到达"},
		{"turns in flight", "在途 3 轮", ""},
		{"P99 500 ms: fail", "P99 500 ms：不通过", ""},
		{"guard.max_turns", "guard.max_turns", ""},
	} {
		if got := strings.Join(Faults(tt.en, tt.zh), ", "); got != tt.want {
			t.Errorf("%q for %q: %q, want %q", tt.zh, tt.en, got, tt.want)
		}
	}
}

// oneLine fits a text into a table.
var oneLine = strings.NewReplacer("\n", " ↵ ")

// The page is the table of the vocabulary, for those who write texts and those
// who read both languages.
func TestVocabularyPageIsCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Vocabulary\n\nOne word per thing, in English and in Chinese. Every text that cstest prints in Chinese is held to this table by a test;\npunctuation in Chinese texts is full-width. Keys, names and values in files and JSON stay English.\n\n| English | 中文 | meaning |\n|---|---|---|\n")
	for _, term := range Vocabulary() {
		b.WriteString("| " + term.English + " | " + term.Chinese + " | " + term.Meaning + " |\n")
	}
	b.WriteString("\n## Words of closed sets\n\nAs they stand in `result.json`, and as they are read.\n\n| in JSON | English | 中文 |\n|---|---|---|\n")
	for _, group := range [][]wordRow{verdictWords(), outcomeWords(), tierWords(), causeWords(), settingWords(), comparisonWords()} {
		for _, w := range group {
			b.WriteString("| `" + string(w.word) + "` | " + w.en + " | " + w.zh + " |\n")
		}
	}
	b.WriteString("\n## Reasons and warnings\n\nThe codes of `reason_codes` and `warning_codes`, with the arguments in braces.\n\n| code | English | 中文 |\n|---|---|---|\n")
	for _, r := range Table() {
		b.WriteString("| `" + string(r.Code) + "` | " + oneLine.Replace(r.English) + " | " + oneLine.Replace(r.Chinese) + " |\n")
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not the table: go test ./reason -update writes it", page)
	}
}
