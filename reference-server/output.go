package refserver

import (
	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/pii"
)

func (t *turn) mask(text, direction string) (string, int) {
	return t.srv.mask(t.set, t.tr.ID, text, direction)
}

// mask replaces personal data where the knob says so, and leaves an audit line
// with type and count, never the value.
func (s *Server) mask(set *settings, traceID, text, direction string) (string, int) {
	if !set.piiMask {
		return text, 0
	}
	masked, found := s.masker.Mask(text)
	n := found.Total()
	if n > 0 {
		for i, c := range found {
			kind := pii.Kind(i).String()
			if c > 0 {
				s.metrics.pii.WithLabelValues(kind, direction).Add(float64(c))
				s.log.Info("pii", "trace_id", traceID, "type", kind, "direction", direction, "count", c)
			}
		}
	}
	return masked, n
}

// cleanReply takes out of a person's reply what may not leave.
func (s *Server) cleanReply(traceID, text string) string {
	text, _ = s.mask(s.set.Load(), traceID, s.checked(traceID, text), "out")
	return text
}

// checked takes out of an answer what may not leave, and leaves an audit line
// with flaw and count, never the text.
func (s *Server) checked(traceID, text string) string {
	clean, flaws := s.check.Clean(text)
	if flaws.Total() > 0 {
		for i, c := range flaws {
			if c > 0 {
				flaw := answer.Flaw(i).String()
				s.metrics.flaws.WithLabelValues(flaw).Add(float64(c))
				s.log.Warn("answer", "trace_id", traceID, "flaw", flaw, "count", c)
			}
		}
	}
	return clean
}
