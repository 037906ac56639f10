package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// Decompress puts the plain body in x.body. That of an answer that is none
// anyway may be anything: where it cannot be read, it counts as empty.
func (x *Exchange) Decompress(l *Limits) Fault {
	f := x.inflate(l)
	if f.Reason == Malformed && x.Head.Status >= 300 {
		x.Body = nil
		return Fault{}
	}
	return f
}

func (x *Exchange) inflate(l *Limits) Fault {
	if len(x.Body) == 0 {
		return Fault{}
	}
	switch x.Head.encoding {
	case identity:
		return Fault{}
	case unknownEncoding:
		return NewFault(Malformed, "content-encoding is neither gzip nor identity")
	case gzipped:
	}
	in := bytes.NewReader(x.Body)
	z, err := gzip.NewReader(in)
	if err != nil {
		return NewFault(Malformed, "the body is not valid gzip")
	}
	z.Multistream(false)
	most := min(l.Body, l.Ratio*len(x.Body))
	for {
		if len(x.plain) == cap(x.plain) {
			x.plain = append(x.plain, 0)[:len(x.plain)]
		}
		n, err := z.Read(x.plain[len(x.plain):cap(x.plain)])
		x.plain = x.plain[:len(x.plain)+n]
		if len(x.plain) > most {
			return NewFault(Oversized, "the body is larger than the limit once decompressed")
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return NewFault(Malformed, "the body is not valid gzip")
		}
	}
	if in.Len() > 0 {
		return NewFault(Malformed, "something follows the compressed body")
	}
	x.Body = x.plain
	return Fault{}
}
