package driver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// decompress puts the plain body in x.body. That of an answer that is none
// anyway may be anything: where it cannot be read, it counts as empty.
func (l *limits) decompress(x *exchange) fault {
	f := l.inflate(x)
	if f.reason == Malformed && x.head.status >= 300 {
		x.body = nil
		return fault{}
	}
	return f
}

func (l *limits) inflate(x *exchange) fault {
	if len(x.body) == 0 {
		return fault{}
	}
	switch x.head.encoding {
	case identity:
		return fault{}
	case unknownEncoding:
		return fault{Malformed, "content-encoding is neither gzip nor identity"}
	}
	in := bytes.NewReader(x.body)
	z, err := gzip.NewReader(in)
	if err != nil {
		return fault{Malformed, "the body is not valid gzip"}
	}
	z.Multistream(false)
	most := min(l.body, l.ratio*len(x.body))
	for {
		if len(x.bare) == cap(x.bare) {
			x.bare = append(x.bare, 0)[:len(x.bare)]
		}
		n, err := z.Read(x.bare[len(x.bare):cap(x.bare)])
		x.bare = x.bare[:len(x.bare)+n]
		if len(x.bare) > most {
			return fault{Oversized, "the body is larger than the limit once decompressed"}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fault{Malformed, "the body is not valid gzip"}
		}
	}
	if in.Len() > 0 {
		return fault{Malformed, "something follows the compressed body"}
	}
	x.body = x.bare
	return fault{}
}
