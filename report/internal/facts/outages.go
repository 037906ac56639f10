package facts

import (
	"fmt"

	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// Outage says when an outage was, how long, and why.
func Outage(o result.Outage, w *words.Words) string {
	return w.OutageAt + " " + figure.Seconds(o.StartS) + w.Comma + w.Lasted + " " + figure.Seconds(o.LengthS) + w.Colon + w.Word(o.Cause)
}

// Seconds says how many were bad, and how many may be.
func Seconds(s result.Seconds, w *words.Words) string {
	out := fmt.Sprintf(w.SecondsF, figure.Whole(int64(s.BadS)), figure.Whole(int64(s.TotalS)), figure.Whole(int64(s.BudgetS)))
	if s.Scaled && s.BudgetPerHourS > 0 {
		out += w.Aside(fmt.Sprintf(w.ScaledF, unit.Figure(s.BudgetPerHourS)))
	}
	if s.UnknownS > 0 {
		out += " · " + w.Unavailable + w.Colon + figure.Whole(int64(s.UnknownS))
	}
	return out
}
