package chat

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/pii"
)

// Which way a text goes.
const (
	In  = "in"
	Out = "out"
)

// Screen takes out of texts what may not be kept of a question, or not leave in
// an answer, and leaves an audit line with kind and count, never the text. Safe
// for concurrent use.
type Screen struct {
	knobs  *knobs.Live
	masker *pii.Masker
	check  *answer.Check
	log    *slog.Logger
	masked *prometheus.CounterVec
	flaws  *prometheus.CounterVec
}

// NewScreen makes a screen whose answers never repeat one of the prompts.
func NewScreen(live *knobs.Live, prompts []string, log *slog.Logger, reg prometheus.Registerer) *Screen {
	s := &Screen{
		knobs: live, masker: pii.New(), check: answer.NewCheck(prompts...), log: log,
		masked: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pii_masked_total", Help: "Personal data masked, by type and direction."}, []string{"type", "direction"}),
		flaws:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "output_flaws_total", Help: "What was taken out of answers, by flaw."}, []string{"flaw"}),
	}
	reg.MustRegister(s.masked, s.flaws)
	return s
}

// Question masks personal data in what a user says; n is how many pieces.
func (s *Screen) Question(traceID, text string) (masked string, n int) {
	return s.mask(traceID, text, In)
}

// Answer takes out of an answer what may not leave, and masks personal data in
// the rest; n is how many pieces of that.
func (s *Screen) Answer(traceID, text string) (clean string, n int) {
	return s.mask(traceID, s.checked(traceID, text), Out)
}

func (s *Screen) mask(traceID, text, direction string) (string, int) {
	if !s.knobs.Load().PIIMask {
		return text, 0
	}
	masked, found := s.masker.Mask(text)
	n := found.Total()
	if n > 0 {
		for i, c := range found {
			if c > 0 {
				kind := pii.Kind(i).String()
				s.masked.WithLabelValues(kind, direction).Add(float64(c))
				s.log.Info("pii", "trace_id", traceID, "type", kind, "direction", direction, "count", c)
			}
		}
	}
	return masked, n
}

func (s *Screen) checked(traceID, text string) string {
	clean, flaws := s.check.Clean(text)
	if flaws.Total() > 0 {
		for i, c := range flaws {
			if c > 0 {
				flaw := answer.Flaw(i).String()
				s.flaws.WithLabelValues(flaw).Add(float64(c))
				s.log.Warn("answer", "trace_id", traceID, "flaw", flaw, "count", c)
			}
		}
	}
	return clean
}

// stream is what a model says, piece by piece, on its way to the caller: it
// gives what Answer makes of the whole.
type stream struct {
	check *answer.CheckStream
	mask  *pii.Stream // nil: not masked
}

func (s *Screen) stream() *stream {
	st := &stream{check: s.check.Stream()}
	if s.knobs.Load().PIIMask {
		st.mask = s.masker.Stream()
	}
	return st
}

func (s *stream) add(piece string) string { return s.masked(s.check.Add(piece)) }

func (s *stream) end() string {
	rest := s.masked(s.check.End())
	if s.mask != nil {
		rest += s.mask.End()
	}
	return rest
}

func (s *stream) masked(piece string) string {
	if s.mask == nil {
		return piece
	}
	return s.mask.Add(piece)
}
