package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
)

// WriteCSV writes the series, a line per second (RFC 4180). Cells that cannot
// be known are empty. Text cells never begin with what a spreadsheet takes for
// a formula.
func WriteCSV(d *result.Document, out io.Writer) error {
	w := csv.NewWriter(out)
	w.UseCRLF = true
	head := []string{
		"t_s", "stage", "starts_planned", "starts", "dropped", "in_flight", "turns", "ok", "degraded", "unexpected", "bad",
		"p50_ns", "p99_ns", "lag_p99_ns", "tier", "tier_llm", "tier_faq", "tier_handoff", "tier_static", "tier_unknown", "llm_calls", "p90_ns",
		"p95_ns", "p999_ns", "max_ns", "conversations", "valid", "answered", "goodput", "full_quality",
	}
	for i := range d.Observed {
		head = append(head, cell("observed:"+d.Observed[i].Name))
	}
	_ = w.Write(head)
	for i, s := range d.Series {
		row := []string{
			number(int64(s.TS)), cell(s.Stage), optionalFloat(s.StartsPlanned), number(s.Starts), number(s.Dropped), number(s.InFlight),
			number(s.Turns), number(s.OK), number(s.Degraded), number(s.Unexpected), number(s.Bad),
			optionalNumber(s.P50Ns), optionalNumber(s.P99Ns), optionalNumber(s.LagP99Ns), cell(s.Tier),
			number(s.Tiers.LLM), number(s.Tiers.FAQ), number(s.Tiers.Handoff), number(s.Tiers.Static), number(s.Tiers.Unknown),
			optionalNumber(s.LLMCalls), optionalNumber(s.P90Ns),
			optionalNumber(s.P95Ns), optionalNumber(s.P999Ns), optionalNumber(s.MaxNs), number(s.Conversations),
			number(s.Valid), number(s.Answered), number(s.Goodput), number(s.FullQuality),
		}
		for j := range d.Observed {
			row = append(row, optionalFloat(observedAt(&d.Observed[j], i)))
		}
		_ = w.Write(row)
	}
	w.Flush()
	return w.Error()
}

// observedAt is what was seen in a second of the series; nil where nothing was.
func observedAt(o *result.Observation, i int) *float64 {
	if i >= len(o.Values) {
		return nil
	}
	return o.Values[i]
}

// cell makes hostile text a cell that a spreadsheet shows and does not run.
func cell(s string) string {
	s = escape.Defuse(s)
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000"))
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") || strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) && s != "" {
		s = "'" + s
	}
	return s
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func optionalNumber(n *int64) string {
	if n == nil {
		return ""
	}
	return number(*n)
}

func optionalFloat(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
