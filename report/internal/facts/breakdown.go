package facts

import (
	"fmt"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// breakdownWords is every text of response times by what the turns have in common.
type breakdownWords struct {
	Title, Note string
	by          map[string]string
	got         func(*result.Got) string
}

func breakdownWordsIn(lang reason.Lang) breakdownWords {
	if lang == reason.Chinese {
		return breakdownWords{
			Title: "分项响应时间", Note: "失败的轮次计为 ∞（按档位时只有应答）；按阶段、风暴、档位与分组的数值误差不超过 1.6 %。",
			got: func(g *result.Got) string {
				return fmt.Sprintf("完整 %d，降级 %d，其他 %d，失败 %d", g.OK, g.Degraded, g.Other, g.Failed)
			},
			by: map[string]string{
				"stage": "阶段", "storm": "风暴", "turn": "第几轮", "conversation": "会话", "tier": "档位", "group": "分组",
				"before": "之前", "during": "期间", "recovery": "恢复中", "after": "之后",
			},
		}
	}
	return breakdownWords{
		Title: "Response time by …", Note: "Failed turns are infinite (by tier there are answers only); figures by stage, storm, tier and group are within 1.6 %.",
		got: func(g *result.Got) string {
			return fmt.Sprintf("full %d, degraded %d, other %d, failed %d", g.OK, g.Degraded, g.Other, g.Failed)
		},
		by: map[string]string{
			"stage": "stage", "storm": "storm", "turn": "turn", "conversation": "conversation", "tier": "tier", "group": "group",
			"before": "before", "during": "during", "recovery": "recovery", "after": "after",
		},
	}
}

// BreakdownTable is a table like that of latencies.
type BreakdownTable struct {
	Title, Note string
	Rows        []Latency
}

// Breakdowns has no rows where nothing was taken apart.
func Breakdowns(d *result.Document, w *words.Words) BreakdownTable {
	t := breakdownWordsIn(w.Lang)
	out := BreakdownTable{Title: t.Title, Note: t.Note}
	for _, b := range d.Breakdowns {
		name := b.Name
		switch b.By {
		case "storm":
			name = b.Of + w.Comma + t.by[b.Name]
		case "tier":
			name = w.Word(b.Name)
		}
		note := ""
		if b.FromS != nil && b.ToS != nil {
			note = figure.Seconds(*b.FromS) + " – " + figure.Seconds(*b.ToS)
		}
		if b.Got != nil {
			name = escape.Fit(name, 24) + ": " + t.got(b.Got)
		}
		by := t.by[b.By]
		if b.By == "storm" {
			by = ""
		}
		out.Rows = append(out.Rows, Latency{strings.TrimSpace(by + " " + escape.Fit(name, 80)), note, b.Latency})
	}
	return out
}
