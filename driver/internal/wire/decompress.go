package wire

import (
	"bytes"
	"errors"
	"io"
)

// Decompress puts the plain body in x.Body, without a byte order mark before it.
// That of an answer that is none anyway may be anything: where it cannot be read,
// it counts as empty.
func (x *Exchange) Decompress(l *Limits) Fault {
	f := x.decompress(l)
	if f.Reason == Malformed && x.Head.Status >= 300 {
		x.Body = nil
		return Fault{}
	}
	x.Body = bytes.TrimPrefix(x.Body, []byte("\xef\xbb\xbf"))
	return f
}

func (x *Exchange) decompress(l *Limits) Fault {
	c := &x.Head.codings
	if len(x.Body) == 0 || c.none() {
		return Fault{}
	}
	if f := c.readable(x.accept); f.Bad() {
		return f
	}
	most := min(l.Body, l.Ratio*len(x.Body))
	plain, f := c.undo(x.Body, x.plain[:0], most)
	x.plain = plain
	if !f.Bad() {
		x.Body = plain
	}
	return f
}

// undo appends the plain body to dst, most bytes of it.
func (c *codings) undo(body, dst []byte, most int) ([]byte, Fault) {
	var sum [maxCodings]int
	h, err := c.open(bytes.NewReader(body), func(stage, n int) bool {
		sum[stage] += n
		return sum[stage] <= most
	})
	invalid := NewFault(Malformed, "the body is not valid "+c.list[c.n-1].String())
	if err != nil {
		return dst, invalid
	}
	defer h.close()
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := h.out.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case err == errBomb: //nolint:errorlint // decoders may wrap it, and then it is theirs
			return dst, NewFault(Oversized, "the body is larger than the limit once decompressed")
		case err != nil && ended(err, len(dst) > 0):
			c.cut = errors.Is(err, io.ErrUnexpectedEOF)
			return dst, Fault{}
		case err != nil:
			return dst, invalid
		}
	}
}
