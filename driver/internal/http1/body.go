package http1

import (
	"strings"

	"github.com/cstest/cstest/driver/internal/wire"
)

// delimiter finds the bytes of a body among those of the connection, and its end.
type delimiter struct {
	chunked bool
	left    int64 // of the body or chunk; -1: until the connection closes
	state   chunkState
	line    int // length of the chunk or trailer line so far, over all pieces
	trailer int // length of all trailers
	data    int // bytes of body in chunks so far
	around  int // bytes around them so far
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
func (d *delimiter) start(h *wire.Head, method string) {
	*d = delimiter{chunked: h.Chunked, left: h.Length}
	switch {
	case h.Status == 204 || h.Status == 304 || method == "HEAD":
		*d = delimiter{done: true}
	case h.Chunked:
		d.left = 0
	case h.Length == 0:
		d.done = true
	}
}

const (
	// maxChunkLine bounds a chunk's size line and a trailer.
	maxChunkLine = 4 << 10
	// maxAround bounds all that is not body of a chunked one, besides 16 bytes for each
	// byte of body: extensions of tiny chunks could keep a client busy with no body at all.
	maxAround = 64 << 10
)

// next gives the first bytes of body in in and how many bytes of in that took.
// It gives no body when it needs more, or when the body is done.
func (d *delimiter) next(in []byte) (body []byte, used int, bad wire.Fault) {
	if !d.chunked {
		if d.left < 0 {
			return in, len(in), wire.Fault{}
		}
		n := min(int64(len(in)), d.left)
		d.left -= n
		d.done = d.left == 0
		return in[:n], int(n), wire.Fault{}
	}
	for used < len(in) && !d.done {
		if d.state == chunkData {
			n := int(min(int64(len(in)-used), d.left))
			d.left -= int64(n)
			d.data += n
			if d.left == 0 {
				d.state = chunkEndCR
			}
			return in[used : used+n], used + n, wire.Fault{}
		}
		if !d.step(in[used]) {
			return nil, used, wire.NewFault(wire.Broken, "protocol error: malformed chunk")
		}
		used++
	}
	return nil, used, wire.Fault{}
}

// step takes one byte outside the data of a chunk.
func (d *delimiter) step(c byte) bool {
	d.line++
	d.around++
	if d.line > maxChunkLine || d.around > maxAround+16*d.data {
		return false
	}
	switch d.state {
	case chunkSize:
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if c >= '0' && c <= '9' {
			digit = int(c - '0')
		}
		switch {
		case digit >= 0 && c > ' ' && d.digits < 15:
			d.left = d.left<<4 | int64(digit)
			d.digits++
		case d.digits == 0:
			return false
		case c == '\r':
			d.state = chunkSizeLF
		case c == ';', c == ' ', c == '\t':
			d.state = chunkExtension
		default:
			return false
		}
	case chunkExtension:
		if c == '\r' {
			d.state = chunkSizeLF
		}
		return c != '\n'
	case chunkSizeLF:
		d.line, d.digits = 0, 0
		d.state = chunkData
		if d.left == 0 {
			d.state = trailerStart
		}
		return c == '\n'
	case chunkEndCR:
		d.state = chunkEndLF
		return c == '\r'
	case chunkEndLF:
		d.line, d.state = 0, chunkSize
		return c == '\n'
	default:
		return d.trail(c)
	}
	return true
}

// trail takes one byte behind the last chunk.
func (d *delimiter) trail(c byte) bool {
	if d.trailer++; d.trailer > 4*maxChunkLine {
		return false
	}
	switch d.state {
	case trailerStart:
		d.state = trailerLine
		if c == '\r' {
			d.state = trailerEndLF
		}
		return c != '\n'
	case trailerLine:
		if c == '\r' {
			d.state = trailerLF
		}
		return c != '\n'
	case trailerLF:
		d.line, d.state = 0, trailerStart
		return c == '\n'
	case chunkSize, chunkExtension, chunkSizeLF, chunkData, chunkEndCR, chunkEndLF, trailerEndLF:
	}
	d.done = true
	return c == '\n'
}
