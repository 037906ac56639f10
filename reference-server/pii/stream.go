package pii

// Stream masks a text that comes in pieces. It lets out what stands before the
// last place that nothing can span, so that the pieces together are what Mask
// makes of the whole. One goroutine at a time.
type Stream struct {
	masker *Masker
	held   string
}

// Stream begins a text.
func (m *Masker) Stream() *Stream { return &Stream{masker: m} }

// Add takes a piece and returns what may go out by now, masked; that may be
// nothing.
func (s *Stream) Add(piece string) string {
	s.held += piece
	cut := segmentEnd(s.held)
	out := s.held[:cut]
	s.held = s.held[cut:]
	masked, _ := s.masker.Mask(out)
	return masked
}

// End returns the rest, masked.
func (s *Stream) End() string {
	out := s.held
	s.held = ""
	masked, _ := s.masker.Mask(out)
	return masked
}
