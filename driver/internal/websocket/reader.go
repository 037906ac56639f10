package websocket

import (
	"encoding/binary"
	"unicode/utf8"
)

// Reader takes messages out of the bytes of a connection, in pieces of any size.
// Between two messages it holds no memory. It is used by one goroutine at a time.
type Reader struct {
	// Limit bounds a message, in bytes.
	Limit int

	head [10]byte // of the frame, as far as it came
	have uint8
	op   Opcode // of the frame
	kind Opcode // of the message whose frames come; Continuation: none
	last bool   // the frame is the last of its message
	open bool   // the frame's head is whole, and left bytes of it are to come
	left uint64

	frames   int    // of the message so far
	controls int    // in a row
	part     []byte // what came of the message
	control  []byte // what came of a control frame
}

// Message is a whole message, or a control frame.
type Message struct {
	Op      Opcode
	Payload []byte
}

const (
	// maxFrames bounds the frames of a message: empty ones cost a limit on its bytes
	// nothing.
	maxFrames = 4096
	// maxControls bounds the control frames in a row, each of which has to be dealt
	// with.
	maxControls = 1000
	// maxControl is the longest payload of a control frame (RFC 6455, 5.5).
	maxControl = 125
)

// FrameError is what a server did that it must not. Code is what it is told.
type FrameError struct {
	Code int
	Text string
}

// Error is the text.
func (v *FrameError) Error() string { return v.Text }

// What servers do wrong.
var (
	ErrMasked    = &FrameError{ProtocolError, "a masked frame from the server"}
	ErrReserved  = &FrameError{ProtocolError, "a frame with reserved bits set, though no extension was agreed on"}
	ErrOpcode    = &FrameError{ProtocolError, "a frame of an unknown opcode"}
	ErrControl   = &FrameError{ProtocolError, "a control frame that is longer than 125 bytes or in pieces"}
	ErrOrder     = &FrameError{ProtocolError, "frames of a message out of order"}
	ErrLength    = &FrameError{ProtocolError, "a frame whose length is not written as it must be"}
	ErrClose     = &FrameError{ProtocolError, "a close frame with a code that none may have"}
	ErrFragments = &FrameError{ProtocolError, "a message of too many frames"}
	ErrControls  = &FrameError{ProtocolError, "too many control frames in a row"}
	ErrText      = &FrameError{InvalidPayload, "a text message that is not UTF-8"}
	ErrTooBig    = &FrameError{TooBig, "a message is longer than the limit"}
)

// Idle tells whether nothing of a message or a frame has come yet.
func (r *Reader) Idle() bool { return r.have == 0 && !r.open && r.kind == Continuation }

// Calm forgets how many control frames came in a row: time has passed.
func (r *Reader) Calm() { r.controls = 0 }

// Next takes what it can of in: used tells how much, and whole whether m is a
// message. Its payload lies in in where the message came in one piece, which is then
// changed by nobody, else in memory that is nobody's but the caller's.
func (r *Reader) Next(in []byte) (used int, m Message, whole bool, err error) {
	for used < len(in) || r.open && r.left == 0 {
		if !r.open {
			r.head[r.have] = in[used]
			r.have++
			used++
			if r.have < 2 {
				continue
			}
			if err = r.begin(); err != nil {
				return used, m, false, err
			}
			continue
		}
		n := int(min(uint64(len(in)-used), r.left))
		piece := in[used : used+n]
		used += n
		r.left -= uint64(n)
		if m, whole, err = r.take(piece); whole || err != nil {
			return used, m, whole, err
		}
	}
	return used, m, false, nil
}

// begin looks at a head as far as it came, and begins the frame when it is whole.
func (r *Reader) begin() error {
	first, second := r.head[0], r.head[1]
	if r.have == 2 {
		if err := r.sound(first, second); err != nil {
			return err
		}
	}
	size := uint8(2)
	switch second {
	case 126:
		size = 4
	case 127:
		size = 10
	}
	if r.have < size {
		return nil
	}
	n, least := uint64(second), uint64(0)
	switch size {
	case 4:
		n, least = uint64(binary.BigEndian.Uint16(r.head[2:])), 126
	case 10:
		n, least = binary.BigEndian.Uint64(r.head[2:]), 1<<16
	}
	if n < least || n>>63 != 0 {
		return ErrLength
	}
	r.op, r.last, r.left, r.open, r.have = Opcode(first&0x0f), first&0x80 != 0, n, true, 0
	if r.op >= Close {
		return nil
	}
	if r.op != Continuation {
		r.kind, r.frames = r.op, 0
	}
	if r.frames++; r.frames > maxFrames {
		return ErrFragments
	}
	if r.controls = 0; n > uint64(max(r.Limit-len(r.part), 0)) {
		return ErrTooBig
	}
	return nil
}

// sound checks what the first two bytes of a frame say.
func (r *Reader) sound(first, second byte) error {
	op := Opcode(first & 0x0f)
	switch {
	case first&0x70 != 0:
		return ErrReserved
	case second&0x80 != 0:
		return ErrMasked
	case op > Binary && op < Close || op > Pong:
		return ErrOpcode
	case op >= Close && (first&0x80 == 0 || second > maxControl):
		return ErrControl
	case op == Continuation && r.kind == Continuation, (op == Text || op == Binary) && r.kind != Continuation:
		return ErrOrder
	}
	if op >= Close {
		if r.controls++; r.controls > maxControls {
			return ErrControls
		}
	}
	return nil
}

// take takes a piece of the frame that is open.
func (r *Reader) take(piece []byte) (m Message, whole bool, err error) {
	over := r.left == 0
	r.open = !over
	if r.op >= Close {
		return r.takeControl(piece, over)
	}
	if over && r.last && r.frames == 1 && len(r.part) == 0 {
		m = Message{r.kind, piece}
	} else {
		if r.part = append(r.part, piece...); !over || !r.last {
			return m, false, nil
		}
		m = Message{r.kind, r.part}
	}
	r.part, r.kind = nil, Continuation
	if m.Op == Text && !utf8.Valid(m.Payload) {
		return m, false, ErrText
	}
	return m, true, nil
}

// takeControl takes a piece of a control frame, which may come between those of a
// message.
func (r *Reader) takeControl(piece []byte, over bool) (m Message, whole bool, err error) {
	if !over || len(r.control) > 0 {
		if r.control = append(r.control, piece...); !over {
			return m, false, nil
		}
		piece, r.control = r.control, nil
	}
	if r.op == Close {
		switch code := CloseCode(piece); {
		case len(piece) == 1, len(piece) > 1 && !sayable(code):
			return m, false, ErrClose
		case len(piece) > 2 && !utf8.Valid(piece[2:]):
			return m, false, ErrText
		}
	}
	return Message{r.op, piece}, true, nil
}
