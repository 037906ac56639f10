package driver

import (
	"strings"
)

// framing finds the bytes of a body among those of the connection.
type framing struct {
	chunked bool
	left    int64 // of the body or chunk; -1: until the connection closes
	state   chunkState
	line    int // length of the chunk or trailer line so far, over all pieces
	trailer int // length of all trailers
	data    int // bytes of body in chunks so far
	around  int // bytes of chunked framing so far
	digits  int
	done    bool
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExtension
	chunkSizeLF
	chunkData
	chunkEndCR
	chunkEndLF
	trailerStart
	trailerLine
	trailerLF
	trailerEndLF
)

// start says how the body of an answer with this head is framed.
func (f *framing) start(h *head, method string) {
	*f = framing{chunked: h.chunked, left: h.length}
	switch {
	case h.status == 204 || h.status == 304 || method == "HEAD":
		*f = framing{done: true}
	case h.chunked:
		f.left = 0
	case h.length == 0:
		f.done = true
	}
}

const (
	// maxChunkLine bounds a chunk's size line and a trailer.
	maxChunkLine = 4 << 10
	// maxAround bounds all framing of a chunked body, besides 16 bytes for each of
	// body: extensions of tiny chunks could keep a client busy with no body at all.
	maxAround = 64 << 10
)

// next gives the first bytes of body in in and how many bytes of in that took.
// It gives no body when it needs more, or when the body is done.
func (f *framing) next(in []byte) (body []byte, used int, bad fault) {
	if !f.chunked {
		if f.left < 0 {
			return in, len(in), fault{}
		}
		n := min(int64(len(in)), f.left)
		f.left -= n
		f.done = f.left == 0
		return in[:n], int(n), fault{}
	}
	for used < len(in) && !f.done {
		if f.state == chunkData {
			n := int(min(int64(len(in)-used), f.left))
			f.left -= int64(n)
			f.data += n
			if f.left == 0 {
				f.state = chunkEndCR
			}
			return in[used : used+n], used + n, fault{}
		}
		if !f.step(in[used]) {
			return nil, used, fault{Broken, "protocol error: malformed chunk"}
		}
		used++
	}
	return nil, used, fault{}
}

// step takes one byte outside the data of a chunk.
func (f *framing) step(c byte) bool {
	f.line++
	f.around++
	if f.line > maxChunkLine || f.around > maxAround+16*f.data {
		return false
	}
	switch f.state {
	case chunkSize:
		digit := strings.IndexByte(hexDigits, c|0x20)
		if c >= '0' && c <= '9' {
			digit = int(c - '0')
		}
		switch {
		case digit >= 0 && c > ' ' && f.digits < 15:
			f.left = f.left<<4 | int64(digit)
			f.digits++
		case f.digits == 0:
			return false
		case c == '\r':
			f.state = chunkSizeLF
		case c == ';', c == ' ', c == '\t':
			f.state = chunkExtension
		default:
			return false
		}
	case chunkExtension:
		if c == '\r' {
			f.state = chunkSizeLF
		}
		return c != '\n'
	case chunkSizeLF:
		f.line, f.digits = 0, 0
		f.state = chunkData
		if f.left == 0 {
			f.state = trailerStart
		}
		return c == '\n'
	case chunkEndCR:
		f.state = chunkEndLF
		return c == '\r'
	case chunkEndLF:
		f.line, f.state = 0, chunkSize
		return c == '\n'
	default:
		return f.trail(c)
	}
	return true
}

// trail takes one byte behind the last chunk.
func (f *framing) trail(c byte) bool {
	if f.trailer++; f.trailer > 4*maxChunkLine {
		return false
	}
	switch f.state {
	case trailerStart:
		f.state = trailerLine
		if c == '\r' {
			f.state = trailerEndLF
		}
		return c != '\n'
	case trailerLine:
		if c == '\r' {
			f.state = trailerLF
		}
		return c != '\n'
	case trailerLF:
		f.line, f.state = 0, trailerStart
		return c == '\n'
	}
	f.done = true
	return c == '\n'
}
