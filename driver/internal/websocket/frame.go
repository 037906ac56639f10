// Package websocket is the client's side of RFC 6455: frames and messages taken
// out of bytes as they come, frames written, the upgrade checked. It has no
// connection and no goroutine of its own.
//
// It is strict where the RFC is, since a browser is; what the RFC leaves open, how
// long a message may be, of how many frames, how many control frames in a row, is
// bounded. No extension is ever offered.
package websocket

import (
	"encoding/binary"
	"math/rand/v2"
)

// Opcode is what a frame is.
type Opcode byte

// The opcodes.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// String is its name.
func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "unknown"
}

// The codes of a close frame that are used here (RFC 6455, 7.4.1).
const (
	NormalClosure   = 1000
	ProtocolError   = 1002
	UnsupportedData = 1003
	NoStatus        = 1005 // none was given
	InvalidPayload  = 1007
	TooBig          = 1009
)

// Append appends a frame that is a whole message, masked as a client's must be.
func Append(dst []byte, op Opcode, payload []byte) []byte {
	dst = append(dst, 0x80|byte(op))
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	// The mask hides what a script makes a browser send from proxies on the way;
	// it need not be unpredictable here, where no script chooses.
	var key [4]byte
	binary.LittleEndian.PutUint32(key[:], rand.Uint32())
	dst = append(dst, key[:]...)
	from := len(dst)
	dst = append(dst, payload...)
	mask(dst[from:], key)
	return dst
}

// mask is its own reverse.
func mask(b []byte, key [4]byte) {
	word := uint64(binary.LittleEndian.Uint32(key[:]))
	for word |= word << 32; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
	}
	for i := range b {
		b[i] ^= key[i&3]
	}
}

// AppendClose appends a close frame.
func AppendClose(dst []byte, code int) []byte {
	return Append(dst, Close, binary.BigEndian.AppendUint16(nil, uint16(code)))
}

// CloseCode is that of a close frame's payload; NoStatus where it has none.
func CloseCode(payload []byte) int {
	if len(payload) < 2 {
		return NoStatus
	}
	return int(binary.BigEndian.Uint16(payload))
}

// sayable tells whether a server may say a code (RFC 6455, 7.4).
func sayable(code int) bool {
	switch {
	case code >= 3000 && code < 5000:
		return true
	case code < 1000 || code > 1014:
		return false
	}
	return code != 1004 && code != 1005 && code != 1006
}
