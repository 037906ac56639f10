package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// Every rendering tells the tokens that were told, and says of others that they were not.
func TestUsageIsTold(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	f := func(v float64) *float64 { return &v }
	told := &result.Usage{
		Answers: 1000, Told: 990, ToolCalls: 120, InputTokens: n(1_200_000), OutputTokens: n(300_000), ReasoningTokens: n(50_000), ReasoningTold: 400,
		Turns: 880, TurnsTold: 870, InputPerTurn: f(1364.25), OutputPerTurn: f(340.5), InputPerS: f(10_000), OutputPerS: f(2500),
		Cost: &result.Cost{Currency: "<b>", Total: 6.000125, AtLeast: true},
	}
	renderings := map[string]func(d *result.Document, out io.Writer, lang reason.Lang) error{
		"text": func(d *result.Document, out io.Writer, lang reason.Lang) error {
			return WriteText(d, out, TextOptions{Lang: lang})
		},
		"markdown": WriteMarkdown,
		"html":     WriteHTML,
	}
	for name, write := range renderings {
		for lang, wants := range map[reason.Lang][2][]string{
			reason.English: {
				{"Tokens", "1,200,000", "300,000", "340", "2,500", "of it reasoning: told by 400 answers", "not told", "told by 990 of the model's 1,000 answers", "120 tool calls", "cost: at least 6.000125", "time per output token"},
				{"not told (told by 0 of the model's 7 answers)"},
			},
			reason.Chinese: {
				{"Token 用量", "1,200,000", "其中推理", "未告知", "模型的 1,000 个应答中有 990 个告知了用量", "费用：至少 6.000125", "每个输出 token 用时"},
				{"未告知（模型的 7 个应答中有 0 个告知了用量）"},
			},
		} {
			for i, usage := range []*result.Usage{told, {Answers: 7, Turns: 7}} {
				d := *saleDocument(t)
				d.Usage = usage
				if i == 0 {
					d.TokenTime = &d.Latency.Service
				}
				var out bytes.Buffer
				if err := write(&d, &out, lang); err != nil {
					t.Fatal(err)
				}
				text := strings.NewReplacer(`\(`, "(", `\)`, ")", "&#39;", "'").Replace(out.String())
				for _, want := range wants[i] {
					if !strings.Contains(text, want) {
						t.Errorf("%s, %v: no %q", name, lang, want)
					}
				}
				if name != "text" && strings.Contains(text, "6.000125 <b>") {
					t.Errorf("%s: the currency is markup", name)
				}
			}
		}
		d := *saleDocument(t)
		d.Usage = &result.Usage{}
		var out, without bytes.Buffer
		if err := write(&d, &out, reason.English); err != nil {
			t.Fatal(err)
		}
		d.Usage = nil
		if err := write(&d, &without, reason.English); err != nil || out.String() != without.String() {
			t.Errorf("%s: tokens are told of a run without an answer of a model", name)
		}
	}
}
