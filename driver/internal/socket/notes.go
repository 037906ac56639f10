package socket

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/cstest/cstest/driver/internal/websocket"
)

// maxNotes bounds what is kept for a person to see.
const maxNotes = 1 << 20

// note keeps a frame for a person to see: a line each.
func (s *Socket) note(received bool, op byte, payload []byte) {
	if !s.keeper.Verbatim || len(s.notes) > maxNotes {
		return
	}
	s.notes = appendNote(s.notes, received, websocket.Opcode(op), payload)
}

// Notes gives the lines so far, and forgets them.
func (s *Socket) Notes() []byte {
	b := s.notes
	s.notes = nil
	return b
}

// appendNote writes "← text, 12 bytes: …". Control characters are shown as the
// pictures that Unicode has of them; what is not text is in hexadecimal digits.
func appendNote(b []byte, received bool, op websocket.Opcode, payload []byte) []byte {
	arrow := "→ "
	if received {
		arrow = "← "
	}
	b = append(append(b, arrow...), op.String()...)
	if op == websocket.Close && len(payload) >= 2 {
		b = strconv.AppendInt(append(b, ' '), int64(websocket.CloseCode(payload)), 10)
		payload = payload[2:]
	}
	b = append(strconv.AppendInt(append(b, ", "...), int64(len(payload)), 10), " bytes"...)
	if len(payload) == 0 {
		return append(b, '\n')
	}
	b = append(b, ": "...)
	if op == websocket.Binary || !utf8.Valid(payload) {
		return append(hex.AppendEncode(b, payload), '\n')
	}
	for _, r := range string(payload) {
		switch {
		case r < 0x20:
			r += pictures
		case r == 0x7f:
			r = 0x2421
		}
		b = utf8.AppendRune(b, r)
	}
	return append(b, '\n')
}

// pictures is where Unicode's pictures of control characters begin.
const pictures = 0x2400

// Noted gives the payload of a received text that Notes has a line of.
func Noted(line string) (payload string, ok bool) {
	const mark = "← text, "
	if len(line) < len(mark) || line[:len(mark)] != mark {
		return "", false
	}
	for i := len(mark); i+2 <= len(line); i++ {
		if line[i:i+2] == ": " {
			payload, ok = line[i+2:], true
			break
		}
	}
	plain := make([]byte, 0, len(payload))
	for _, r := range payload {
		switch {
		case r >= pictures && r < pictures+0x20:
			r -= pictures
		case r == 0x2421:
			r = 0x7f
		}
		plain = utf8.AppendRune(plain, r)
	}
	return string(plain), ok
}
