package result

import (
	"io"
	"time"

	"github.com/cstest/cstest/measure/hdrlog"
)

// Log is what an HdrHistogram log holds, of cstest or of any other tool, over all
// its intervals. There is no verdict in it. Null stands for what cannot be known.
type Log struct {
	File      string      `json:"file"`
	StartedAt *time.Time  `json:"started_at"`
	Series    []LogSeries `json:"series"`
}

// LogSeries is one tag of a log, with the names that Quantiles have.
type LogSeries struct {
	Tag       string  `json:"tag"`
	Intervals int     `json:"intervals"`
	FromS     float64 `json:"from_s"`
	ToS       float64 `json:"to_s"`
	N         int64   `json:"n"`
	MeanNs    *int64  `json:"mean_ns"`
	P50Ns     *int64  `json:"p50_ns"`
	P90Ns     *int64  `json:"p90_ns"`
	P95Ns     *int64  `json:"p95_ns"`
	P99Ns     *int64  `json:"p99_ns"`
	P999Ns    *int64  `json:"p999_ns"`
	MaxNs     *int64  `json:"max_ns"`
}

// ReadLog reads the log of a file by that name. The log does not say what its
// values count: unit does.
func ReadLog(r io.Reader, file string, unit time.Duration) (*Log, error) {
	log, err := hdrlog.Read(r, unit)
	if err != nil {
		return nil, err
	}
	out := &Log{File: file, Series: make([]LogSeries, len(log.Series))}
	if !log.Start.IsZero() {
		out.StartedAt = &log.Start
	}
	for i := range log.Series {
		out.Series[i] = logSeries(&log.Series[i])
	}
	return out, nil
}

func logSeries(s *hdrlog.Series) LogSeries {
	out := LogSeries{Tag: s.Tag, Intervals: s.Intervals, FromS: s.From.Seconds(), ToS: s.To.Seconds(), N: s.N()}
	for _, q := range []struct {
		q  float64
		to **int64
	}{{0.5, &out.P50Ns}, {0.9, &out.P90Ns}, {0.95, &out.P95Ns}, {0.99, &out.P99Ns}, {0.999, &out.P999Ns}} {
		if s.N() >= QuantileNeeds(q.q) {
			*q.to = optionalNs(s.Quantile(q.q))
		}
	}
	out.MeanNs, out.MaxNs = optionalNs(s.Mean()), optionalNs(s.Max())
	return out
}
