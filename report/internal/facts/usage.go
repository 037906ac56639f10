package facts

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// usageWords are the texts about tokens.
type usageWords struct {
	Title, NotTold, Input, Output, Cached, Reasoning, Total, PerTurn, PerSecond, Cost, AtLeast string
	ToldF, SomeF, CallsF                                                                       string
}

func usageWordsIn(lang reason.Lang) usageWords {
	if lang == reason.Chinese {
		return usageWords{
			Title: "Token 用量", NotTold: "未告知", Input: "输入", Output: "输出", Cached: "其中命中缓存", Reasoning: "其中推理",
			Total: "合计", PerTurn: "每轮", PerSecond: "每秒", Cost: "费用", AtLeast: "至少 ",
			ToldF: "模型的 %[2]s 个应答中有 %[1]s 个告知了用量", SomeF: "%s：%s 个应答告知", CallsF: "工具调用 %s 次",
		}
	}
	return usageWords{
		Title: "Tokens", NotTold: "not told", Input: "input", Output: "output", Cached: "of it cached", Reasoning: "of it reasoning",
		Total: "total", PerTurn: "per turn", PerSecond: "per second", Cost: "cost", AtLeast: "at least ",
		ToldF: "told by %s of the model's %s answers", SomeF: "%s: told by %s answers", CallsF: "%s tool calls",
	}
}

// Usage has a row for each kind of token, under a head; nil where no model was
// asked for tokens.
func Usage(d *result.Document, w *words.Words) [][]string {
	u, t := d.Usage, usageWordsIn(w.Lang)
	if u == nil || u.Answers == 0 {
		return nil
	}
	sum := func(v *int64) string {
		if v == nil {
			return t.NotTold
		}
		return figure.Whole(*v)
	}
	mean := func(v *float64) string {
		if v == nil {
			return t.NotTold
		}
		return unit.Figure(*v)
	}
	some := func(name string, told int64) string {
		if told > 0 && told < u.Told {
			return fmt.Sprintf(t.SomeF, name, figure.Whole(told))
		}
		return name
	}
	return [][]string{
		{t.Title, t.Total, t.PerTurn, t.PerSecond},
		{t.Input, sum(u.InputTokens), mean(u.InputPerTurn), mean(u.InputPerS)},
		{some(t.Cached, u.CachedTold), sum(u.CachedTokens), "", ""},
		{t.Output, sum(u.OutputTokens), mean(u.OutputPerTurn), mean(u.OutputPerS)},
		{some(t.Reasoning, u.ReasoningTold), sum(u.ReasoningTokens), "", ""},
	}
}

// UsageNote says what the table rests on, and what it cost.
func UsageNote(d *result.Document, w *words.Words) string {
	u, t := d.Usage, usageWordsIn(w.Lang)
	if u == nil || u.Answers == 0 {
		return ""
	}
	notes := []string{fmt.Sprintf(t.ToldF, figure.Whole(u.Told), figure.Whole(u.Answers))}
	if u.Told == 0 {
		notes[0] = t.NotTold + w.Aside(notes[0])
	}
	if u.ToolCalls > 0 {
		notes = append(notes, fmt.Sprintf(t.CallsF, figure.Whole(u.ToolCalls)))
	}
	if c := u.Cost; c != nil {
		least := ""
		if c.AtLeast {
			least = t.AtLeast
		}
		cost := t.Cost + w.Colon + least + sumOf(c.Total, c.Currency)
		if c.PerTurn != nil {
			cost += w.Aside(t.PerTurn + " " + sumOf(*c.PerTurn, c.Currency))
		}
		notes = append(notes, cost)
	}
	return strings.Join(notes, " · ")
}

// sumOf is an amount of money: prices have more digits than quantities.
func sumOf(v float64, currency string) string {
	return strings.TrimSpace(strconv.FormatFloat(v, 'f', -1, 64) + " " + currency)
}
