package facts

import (
	"fmt"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// Correlation says of every objective that takes turns together by how many it
// divides, by the plan and by what the run measured; empty where none does.
func Correlation(d *result.Document, w *words.Words) string {
	title, measured, next := "Turns that hang together, design effect by the plan and by the correlation measured within conversations: ", "%s, measured %s (ρ %s)", "; "
	if w.Lang == reason.Chinese {
		title, measured, next = "相互关联的轮次，按计划的设计效应与按会话内实测相关的设计效应：", "%s，实测 %s（ρ %s）", "；"
	}
	var list []string
	for _, o := range d.Objectives {
		if o.DEFF == nil || *o.DEFF <= 1 {
			continue
		}
		text := unit.Figure(*o.DEFF)
		if o.ICC != nil && o.MeasuredDEFF != nil {
			text = fmt.Sprintf(measured, text, unit.Figure(*o.MeasuredDEFF), unit.Figure(*o.ICC))
		}
		list = append(list, escape.Clean(o.Name)+" "+text)
	}
	if list == nil {
		return ""
	}
	return title + strings.Join(list, next)
}
