package facts

import (
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// ClientTable is how the target treated the model, as every form shows it.
type ClientTable struct {
	Title, Note string
	Untied      string // why most of it is not seen, where that is for want of trace ids
	Head        []string
	Rows        []clientRow
}

// clientRow is a finding: its cells, what it says, and the verdict whose colour it has.
type clientRow struct {
	Cells          []string
	State, Class   string
	Text, Examples string
}

// Client is nil where no mock LLM told.
func Client(d *result.Document, w *words.Words) *ClientTable {
	c := d.Client
	if c == nil {
		return nil
	}
	v := &ClientTable{Title: "What the target did to the model", Head: []string{"", "seen", "n", "of", "share"}}
	names := map[scenario.ClientFinding]string{
		scenario.ClientCallsPerTurn: "calls per turn", scenario.ClientRetryAfter: "Retry-After not honoured", scenario.ClientRetries4xx: "retries after a 4xx",
		scenario.ClientAfterLeft: "calls after the user had left", scenario.ClientBroken: "broken answers passed on",
		scenario.ClientBackoff: "retries without back-off", scenario.ClientInFlight: "calls open at a time",
	}
	states := map[string]string{"found": "found", "none": "no", "not_seen": "not seen"}
	classes := map[string]string{"found": "fail", "none": "pass", "not_seen": "inconclusive"}
	note := []string{"calls " + figure.Whole(c.Calls), "of a turn of the run " + figure.Whole(c.Tied), "failed " + figure.Whole(c.Failed), "retries " + figure.Whole(c.Retries)}
	open, unread, example := "not ended ", "not looked at ", "for instance "
	if w.Lang == reason.Chinese {
		v.Title, v.Head = "被测系统如何对待模型", []string{"", "观测", "次数", "总数", "占比"}
		names = map[scenario.ClientFinding]string{
			scenario.ClientCallsPerTurn: "每轮调用次数", scenario.ClientRetryAfter: "未遵守 Retry-After", scenario.ClientRetries4xx: "4xx 之后重试",
			scenario.ClientAfterLeft: "用户离开后的调用", scenario.ClientBroken: "转交残缺应答",
			scenario.ClientBackoff: "重试无退避", scenario.ClientInFlight: "同时进行的调用",
		}
		states = map[string]string{"found": "有", "none": "无", "not_seen": "未观测到"}
		note = []string{"调用 " + figure.Whole(c.Calls), "属于本次压测轮次 " + figure.Whole(c.Tied), "失败 " + figure.Whole(c.Failed), "重试 " + figure.Whole(c.Retries)}
		open, unread, example = "未结束 ", "未查看 ", "例如 "
	}
	if c.Open > 0 {
		note = append(note, open+figure.Whole(c.Open))
	}
	if c.Unread > 0 {
		note = append(note, unread+figure.Whole(c.Unread))
	}
	v.Note = strings.Join(note, " · ")
	for _, f := range c.Findings {
		row := clientRow{State: f.State, Class: classes[f.State], Text: f.Reason}
		n, of, part := figure.Whole(f.N), figure.Whole(f.Of), w.Unknown
		switch {
		case f.Figure != nil:
			n, of = unit.Figure(*f.Figure), ""
			part = ""
		case f.Share != nil:
			part = figure.Share(*f.Share)
		default:
			n, of = w.Unknown, w.Unknown
		}
		if v.Untied == "" && len(f.ReasonCodes) == 1 && f.ReasonCodes[0].Code == reason.ClientUntied {
			v.Untied = f.Reason
		}
		row.Cells = []string{names[f.Name], states[f.State], n, of, part}
		for i, e := range f.Examples {
			if i > 0 {
				row.Examples += " · "
			}
			row.Examples += escape.Fit(e.TraceID, 32)
			if e.AtS != nil {
				row.Examples += w.Aside(figure.Seconds(*e.AtS))
			}
		}
		if row.Examples != "" {
			row.Examples = example + row.Examples
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
