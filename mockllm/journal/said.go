package journal

import "strings"

// Said tells a text apart from others without holding it: a hash (FNV-1a) of the
// whole, of its first and of its last saidPiece bytes, white space around it left
// out. The zero Said is of no text; Head and Tail are 0 where it is too short.
type Said struct{ Whole, Head, Tail uint32 }

// saidPiece is how many bytes tell that a text was taken over: four Chinese
// characters, or two words.
const saidPiece = 12

// SaidOf is the Said of a text.
func SaidOf(text string) Said {
	text = strings.TrimSpace(text)
	if text == "" {
		return Said{}
	}
	s := Said{Whole: fnv(text)}
	if len(text) >= saidPiece {
		s.Head, s.Tail = fnv(text[:saidPiece]), fnv(text[len(text)-saidPiece:])
	}
	return s
}

// In tells whether an answer carries s: as a whole, or at its begin or its end.
// known is false where s is too little to say that it does not.
func (s Said) In(answer Said) (carried, known bool) {
	switch {
	case s.Whole == 0:
		return false, false
	case s.Whole == answer.Whole:
		return true, true
	case s.Head == 0:
		return false, false
	}
	return s.Head == answer.Head || s.Tail == answer.Tail, true
}

// fnv is never 0, which stands for no text.
func fnv(text string) uint32 {
	h := uint32(2166136261)
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * 16777619
	}
	return max(h, 1)
}
