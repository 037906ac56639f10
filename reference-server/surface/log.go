package surface

import (
	"context"
	"log/slog"
	"time"

	"github.com/cstest/cstest/reference-server/problem"
)

// logLine writes a line about the request: no text, no secrets.
func (s *Surface) logLine(x *exchange, r route, took time.Duration) {
	grave := x.status >= 500 && x.code != problem.Shed.Code // of those turned away there may be thousands a second
	if !grave && !x.set.LogsOne() {
		return
	}
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs, slog.String("trace_id", x.tr.ID), slog.String("route", routeNames[r]), slog.Int("status", x.status),
		slog.String("outcome", x.outcome()), slog.Float64("total_ms", millis(took)))
	if x.turn != nil {
		o := x.turn.Outcome()
		attrs = append(attrs, slog.String("tier", o.Tier.String()), slog.String("source", o.Source), slog.Bool("degraded", o.Degraded),
			slog.String("reason", o.Reason), slog.String("intent", o.Intent.String()), slog.String("group", o.Group),
			slog.Float64("redis_ms", millis(o.Redis)), slog.Float64("llm_ms", millis(o.Model)), slog.Int("llm_attempts", o.Attempts))
	}
	s.Log.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
}

// outcome is what became of the request, in a word: ok, degraded, replayed, or the
// code of the problem.
func (x *exchange) outcome() string {
	switch {
	case x.code != "":
		return x.code
	case x.turn == nil:
		return "ok"
	case x.turn.Replayed():
		return "replayed"
	case x.turn.Outcome().Degraded:
		return "degraded"
	}
	return "ok"
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
