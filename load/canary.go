package load

import (
	"bytes"
	"strconv"
)

// Canary names one conversation in the texts of its user: 8 characters of
// base32 (RFC 4648). A text ends with ⟦c:K7F3Q2ZA.1⟧, the turn from 1. A model
// that echoes lists what stood in front of it: ⟦seen c:K7F3Q2ZA.1 c:…⟧.
type Canary [8]byte

const (
	canaryOpen  = "⟦c:"
	seenOpen    = "⟦seen"
	canaryClose = "⟧"
	// mostSeen is how many canaries of one answer are looked at.
	mostSeen = 512
)

// newCanary is 40 bits of hash(seed, k).
func newCanary(seed uint64, k int64) Canary {
	var c Canary
	bits := draw(seed, k, forCanary)
	for i := range c {
		c[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits&31]
		bits >>= 5
	}
	return c
}

// append marks a text as the conversation's turn, counted from 1.
func (c *Canary) append(b []byte, turn int) []byte {
	b = append(b, canaryOpen...)
	b = append(b, c[:]...)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(turn), 10)
	return append(b, canaryClose...)
}

// parseCanary reads "K7F3Q2ZA.12" and what follows it.
func parseCanary(b []byte) (who []byte, turn int, rest []byte, ok bool) {
	const n = len(Canary{})
	if len(b) < n+2 || b[n] != '.' {
		return nil, 0, b, false
	}
	for _, x := range b[:n] {
		if (x < 'A' || x > 'Z') && (x < '2' || x > '7') {
			return nil, 0, b, false
		}
	}
	i := n + 1
	for ; i < len(b) && i < n+6 && b[i] >= '0' && b[i] <= '9'; i++ {
		turn = turn*10 + int(b[i]-'0')
	}
	if turn == 0 {
		return nil, 0, b, false
	}
	return b[:n], turn, b[i:], true
}

// echo is what an answer's canaries say.
type echo struct {
	seen    bool // there was a list
	foreign bool // another conversation's canary stood in the answer
	order   bool // the turns come in order
	count   int  // canaries of ours in the list, repeated ones too
	first   int  // the earliest turn in the list
	last    int  // the latest
	missing bool // a turn that has to be between first and last is not there
}

// readEcho looks for canaries in an answer. required tells whether the dialog
// in front of the model must hold a turn once it reaches back that far.
func readEcho(answer []byte, own *Canary, required func(turn int) bool) echo {
	e := echo{order: true}
	mark := []byte(canaryOpen[:3]) // ⟦
	for {
		i := bytes.Index(answer, mark)
		if i < 0 {
			return e
		}
		answer = answer[i:]
		switch {
		case bytes.HasPrefix(answer, []byte(canaryOpen)):
			answer = answer[len(canaryOpen):]
			if who, _, rest, ok := parseCanary(answer); ok {
				e.foreign = e.foreign || string(who) != string(own[:])
				answer = rest
			}
		case bytes.HasPrefix(answer, []byte(seenOpen)):
			e.seen = true
			answer = e.list(answer[len(seenOpen):], own, required)
		default:
			answer = answer[len(mark):]
		}
	}
}

// list reads " c:K7F3Q2ZA.1 c:K7F3Q2ZA.2⟧".
func (e *echo) list(b []byte, own *Canary, required func(int) bool) []byte {
	for n := 0; n < mostSeen && bytes.HasPrefix(b, []byte(" c:")); n++ {
		who, turn, rest, ok := parseCanary(b[3:])
		if !ok {
			return b
		}
		b = rest
		if string(who) != string(own[:]) {
			e.foreign = true
			continue
		}
		e.count++
		if e.first == 0 {
			e.first, e.last = turn, turn
			continue
		}
		if turn < e.last {
			e.order = false
			continue
		}
		for t := e.last + 1; t < turn && !e.missing; t++ {
			e.missing = required(t)
		}
		e.last = turn
	}
	return b
}

// appendWithoutMarks appends an answer less every ⟦…⟧ in it.
func appendWithoutMarks(b, answer []byte) []byte {
	for {
		i := bytes.Index(answer, []byte("⟦"))
		if i < 0 {
			return append(b, answer...)
		}
		b = append(b, answer[:i]...)
		j := bytes.Index(answer[i:], []byte(canaryClose))
		if j < 0 {
			return append(b, answer[i:]...)
		}
		answer = answer[i+j+len(canaryClose):]
	}
}
