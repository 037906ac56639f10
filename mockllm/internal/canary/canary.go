// Package canary reads and writes the marks in users' texts that tell which
// dialog and turn they belong to.
package canary

import (
	"strconv"
	"strings"
)

// Bounds of marks.
const (
	Len        = 8   // characters of a dialog
	Max        = 512 // seen per prompt; the rest is not looked at
	canaryOpen = "⟦c:"
	markClose  = "⟧"
)

// Mark marks a user's text: which dialog, which turn. Written ⟦c:K7F3Q2ZA.1⟧.
type Mark struct {
	Dialog [Len]byte
	Turn   uint32
}

// Scan appends the canaries of text to dst in order of appearance.
func Scan(dst []Mark, text string) []Mark {
	for len(dst) < Max {
		i := strings.Index(text, canaryOpen)
		if i < 0 {
			break
		}
		text = text[i+len(canaryOpen):]
		if c, ok := parseCanary(text); ok {
			dst = append(dst, c)
		}
	}
	return dst
}

// parseCanary reads "K7F3Q2ZA.1⟧": 8 base32 characters, a turn from 1 to 99999.
func parseCanary(s string) (Mark, bool) {
	var c Mark
	if len(s) < Len+2+len(markClose) || s[Len] != '.' {
		return c, false
	}
	for i := range Len {
		if !base32(s[i]) {
			return c, false
		}
		c.Dialog[i] = s[i]
	}
	digits := s[Len+1:]
	i := 0
	for ; i < len(digits) && i < 5 && '0' <= digits[i] && digits[i] <= '9'; i++ {
		c.Turn = c.Turn*10 + uint32(digits[i]-'0')
	}
	return c, c.Turn > 0 && digits[0] != '0' && strings.HasPrefix(digits[i:], markClose)
}

// base32 reports whether c is a digit of RFC 4648's alphabet.
func base32(c byte) bool { return 'A' <= c && c <= 'Z' || '2' <= c && c <= '7' }

// AppendSeen writes the echo of a prompt: ⟦seen c:K7F3Q2ZA.1 c:K7F3Q2ZA.2⟧.
func AppendSeen(dst []byte, list []Mark) []byte {
	dst = append(dst, "⟦seen"...)
	for _, c := range list {
		dst = append(dst, " c:"...)
		dst = append(dst, c.Dialog[:]...)
		dst = append(dst, '.')
		dst = strconv.AppendUint(dst, uint64(c.Turn), 10)
	}
	return append(dst, markClose...)
}
