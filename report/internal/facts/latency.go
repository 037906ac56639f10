package facts

import (
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// Latency is a time that is told of a run, and what it is.
type Latency struct {
	Name, Note string
	Quantiles  result.Quantiles
}

// Latencies are those of all turns of a run.
func Latencies(d *result.Document, w *words.Words) []Latency {
	out := []Latency{
		{w.Response, w.ResponseNote, d.Latency.Response},
	}
	if j := d.Latency.Judged; j != nil {
		out = append(out, Latency{w.JudgedOnly, w.JudgedNote, *j})
	}
	out = append(out, Latency{w.Service, w.ServiceNote, d.Latency.Service}, Latency{w.FailedInfinite, w.FailedNote, d.Latency.FailedAsInfinite})
	for _, x := range []struct {
		name string
		q    *result.Quantiles
	}{{w.FirstReasoning, d.FirstReasoning}, {w.FirstToken, d.FirstToken}, {w.ChunkGap, d.ChunkGap}, {w.TokenTime, d.TokenTime}, {w.Connect, d.Connect}} {
		if x.q != nil {
			out = append(out, Latency{x.name, "", *x.q})
		}
	}
	return out
}
