package facts

import (
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// SlowestTable is where the time of the slowest turns went, as every form shows it.
type SlowestTable struct {
	Title, Note string
	Head        []string
	Rows        [][]string
}

// Slowest is nil where nothing is known of them.
func Slowest(d *result.Document, w *words.Words) *SlowestTable {
	if d.Slowest == nil {
		return nil
	}
	v := &SlowestTable{
		Title: "Where the slowest turns spent their time", Head: []string{"", "slowest", "all others", "of their time"},
		Note: "Means per turn. The phases add up to the response time from the intended start.",
	}
	server := "server: "
	told := " What the server itself says (Server-Timing) lies within them."
	if w.Lang == reason.Chinese {
		v.Title, v.Head = "最慢的轮次耗时在哪里", []string{"", "最慢的", "其余", "占其耗时"}
		v.Note = "均为每轮平均值。各阶段之和即从计划发送时刻算起的响应时间。"
		server, told = "服务端：", "服务端自报的时间（Server-Timing）包含在其中。"
	}
	for _, p := range d.Slowest.Phases {
		if p.MeanNs > 0 || p.OthersNs > 0 {
			v.Rows = append(v.Rows, slowestRow(reason.Word("phase_"+p.Name).Text(w.Lang), p))
		}
	}
	for _, p := range d.Slowest.Server {
		v.Rows = append(v.Rows, slowestRow(server+escape.Fit(p.Name, 40), p))
	}
	if len(d.Slowest.Server) > 0 {
		v.Note += told
	}
	return v
}

func slowestRow(name string, p result.Part) []string {
	return []string{name, figure.Duration(p.MeanNs), figure.Duration(p.OthersNs), figure.Share(p.Share)}
}
