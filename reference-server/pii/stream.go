package pii

import "unicode/utf8"

// Stream masks a text that comes in pieces. It lets out what stands before the
// last place that nothing can span, so that the pieces together are what Mask
// makes of the whole. One goroutine at a time.
type Stream struct {
	masker *Masker
	held   []byte
}

// Stream begins a text.
func (m *Masker) Stream() *Stream { return &Stream{masker: m} }

// Add takes a piece and returns what may go out by now, masked; that may be
// nothing.
func (s *Stream) Add(piece string) string {
	// The last character held may be half of one that ends a segment.
	seen := max(0, len(s.held)-utf8.UTFMax)
	s.held = append(s.held, piece...)
	for end := len(s.held); end > seen; {
		r, n := utf8.DecodeLastRune(s.held[:end])
		if endsSegment(r) {
			return s.out(end)
		}
		end -= n
	}
	return ""
}

// End returns the rest, masked.
func (s *Stream) End() string { return s.out(len(s.held)) }

// out masks the first n bytes and keeps the others.
func (s *Stream) out(n int) string {
	masked, _ := s.masker.Mask(string(s.held[:n]))
	s.held = s.held[:copy(s.held, s.held[n:])]
	return masked
}
