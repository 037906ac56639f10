package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// What users got has a row for those whom nobody answered, and its shares are of
// all turns whose end is known.
func TestWhatUsersGotCountsWhomNobodyAnswered(t *testing.T) {
	d := slowDocument(t)
	d.Tiers = result.Tiers{LLM: 600, FAQ: 100, Unknown: 50, Wrong: 50, Nobody: 200}
	if d.Tiers.All() != 1000 || d.Tiers.Sum() != 750 {
		t.Fatalf("%d and %d", d.Tiers.All(), d.Tiers.Sum())
	}
	nobody := *d
	nobody.Tiers = result.Tiers{Nobody: 7}
	for lang, want := range map[reason.Lang][2]string{reason.English: {"no answer", "answer of no use"}, reason.Chinese: {"没有应答", "应答无用"}} {
		var text, markdown bytes.Buffer
		if err := WriteText(d, &text, TextOptions{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		if err := WriteMarkdown(d, &markdown, lang); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]string{"text": text.String(), "Markdown": markdown.String(), "HTML": strings.ReplaceAll(pageOf(t, d, lang), "\u00a0", " ")} {
			for _, row := range [][2]string{{want[0], "20 %"}, {want[1], "5 %"}, {words.In(lang).Word("llm"), "60 %"}} {
				if !lineHas(got, row[0], row[1]) {
					t.Errorf("%s, %s: no row with %q and %q", name, lang, row[0], row[1])
				}
			}
		}
		var alone bytes.Buffer
		if err := WriteText(&nobody, &alone, TextOptions{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		if !lineHas(alone.String(), want[0], "100 %") {
			t.Errorf("%s: nothing is said where nobody was answered\n%s", lang, alone.String())
		}
	}
}

func lineHas(text string, all ...string) bool {
	for line := range strings.Lines(text) {
		has := true
		for _, part := range all {
			has = has && strings.Contains(line, part)
		}
		if has {
			return true
		}
	}
	return false
}

// Turns by address are told where a target has several, handshakes where there were any.
func TestAddressesAndHandshakesAreTold(t *testing.T) {
	d := slowDocument(t)
	d.Generator.Addresses = []result.AddressTurns{{Address: "10.0.0.1:443", Turns: 750, Failed: 3}, {Address: "[fd00::2]:443", Turns: 250, Failed: 250}}
	d.Generator.FullHandshakes, d.Generator.ResumedHandshakes, d.Generator.Resent = 12, 988, 3
	d.Generator.Sockets = &result.Sockets{Opened: 40, Reopened: 7, LateAnswers: 5, RepeatedAnswers: 6, Unsolicited: 9}
	one := *d
	one.Generator.Sockets = nil
	one.Generator.Addresses = d.Generator.Addresses[:1]
	one.Generator.FullHandshakes, one.Generator.ResumedHandshakes, one.Generator.Resent = 0, 0, 0
	for lang, want := range map[reason.Lang][]string{
		reason.English: {"12 full and 988 resumed TLS handshakes", "3 requests went over another connection", "40 sockets opened, 7 of them in place of one that was closed", "5 late, 6 second, 9 unasked messages", "address"},
		reason.Chinese: {"TLS 握手：完整 12 次，恢复 988 次", "3 个请求改走其他连接", "打开 40 个套接字，其中 7 个替换已关闭的", "迟到 5 条，重复 6 条，未请求 9 条", "地址"},
	} {
		render := func(d *result.Document) map[string]string {
			var text, markdown bytes.Buffer
			if err := WriteText(d, &text, TextOptions{Lang: lang}); err != nil {
				t.Fatal(err)
			}
			if err := WriteMarkdown(d, &markdown, lang); err != nil {
				t.Fatal(err)
			}
			return map[string]string{"text": text.String(), "Markdown": markdown.String(), "HTML": strings.ReplaceAll(pageOf(t, d, lang), "\u00a0", " ")}
		}
		for name, got := range render(d) {
			flat := strings.Join(strings.Fields(got), " ")
			for _, text := range append(want, "10.0.0.1:443", "[fd00::2]:443", "75 %", "25 %") {
				if !strings.Contains(flat, text) && !strings.Contains(flat, markdown.Escape(text)) {
					t.Errorf("%s, %s: it does not say %q", name, lang, text)
				}
			}
		}
		for name, got := range render(&one) {
			for _, text := range append(want[:4:4], "10.0.0.1:443") {
				if strings.Contains(got, text) {
					t.Errorf("%s, %s: it says %q of one address without TLS", name, lang, text)
				}
			}
		}
	}
}
