package mockllm

import (
	"strconv"
	"strings"
)

const (
	canaryLen   = 8
	maxCanaries = 512 // seen per prompt; the rest is not looked at
	canaryOpen  = "⟦c:"
	markClose   = "⟧"
)

// canary marks a user's text: which dialog, which turn. Written ⟦c:K7F3Q2ZA.1⟧.
type canary struct {
	dialog [canaryLen]byte
	turn   uint32
}

// scanCanaries appends the canaries of text to dst in order of appearance.
func scanCanaries(dst []canary, text string) []canary {
	for len(dst) < maxCanaries {
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
func parseCanary(s string) (canary, bool) {
	var c canary
	if len(s) < canaryLen+2+len(markClose) || s[canaryLen] != '.' {
		return c, false
	}
	for i := range canaryLen {
		if !base32(s[i]) {
			return c, false
		}
		c.dialog[i] = s[i]
	}
	digits := s[canaryLen+1:]
	i := 0
	for ; i < len(digits) && i < 5 && '0' <= digits[i] && digits[i] <= '9'; i++ {
		c.turn = c.turn*10 + uint32(digits[i]-'0')
	}
	return c, c.turn > 0 && digits[0] != '0' && strings.HasPrefix(digits[i:], markClose)
}

// base32 reports whether c is a digit of RFC 4648's alphabet.
func base32(c byte) bool { return 'A' <= c && c <= 'Z' || '2' <= c && c <= '7' }

// appendSeen writes the echo of a prompt: ⟦seen c:K7F3Q2ZA.1 c:K7F3Q2ZA.2⟧.
func appendSeen(dst []byte, list []canary) []byte {
	dst = append(dst, "⟦seen"...)
	for _, c := range list {
		dst = append(dst, " c:"...)
		dst = append(dst, c.dialog[:]...)
		dst = append(dst, '.')
		dst = strconv.AppendUint(dst, uint64(c.turn), 10)
	}
	return append(dst, markClose...)
}
