package driver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// Decompress puts the plain body in x.body. That of an answer that is none
// anyway may be anything: where it cannot be read, it counts as empty.
func (x *Exchange) Decompress(l *limits) fault {
	f := x.inflate(l)
	if f.reason == Malformed && x.Head.status >= 300 {
		x.Body = nil
		return fault{}
	}
	return f
}

func (x *Exchange) inflate(l *limits) fault {
	if len(x.Body) == 0 {
		return fault{}
	}
	switch x.Head.encoding {
	case identity:
		return fault{}
	case unknownEncoding:
		return newFault(Malformed, "content-encoding is neither gzip nor identity")
	}
	in := bytes.NewReader(x.Body)
	z, err := gzip.NewReader(in)
	if err != nil {
		return newFault(Malformed, "the body is not valid gzip")
	}
	z.Multistream(false)
	most := min(l.body, l.ratio*len(x.Body))
	for {
		if len(x.plain) == cap(x.plain) {
			x.plain = append(x.plain, 0)[:len(x.plain)]
		}
		n, err := z.Read(x.plain[len(x.plain):cap(x.plain)])
		x.plain = x.plain[:len(x.plain)+n]
		if len(x.plain) > most {
			return newFault(Oversized, "the body is larger than the limit once decompressed")
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return newFault(Malformed, "the body is not valid gzip")
		}
	}
	if in.Len() > 0 {
		return newFault(Malformed, "something follows the compressed body")
	}
	x.Body = x.plain
	return fault{}
}
