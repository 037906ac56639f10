package wire

import (
	"bytes"
	"strings"
)

// coding is a content coding (RFC 9110, 8.4).
type coding uint8

const (
	gzipped coding = iota
	deflated
	brotlied
	zstandard
	knownCodings
)

// String is the coding's name in messages.
func (c coding) String() string { return [knownCodings]string{"gzip", "deflate", "br", "zstd"}[c] }

// codingNames are how servers name the codings.
var codingNames = map[string]coding{"gzip": gzipped, "x-gzip": gzipped, "deflate": deflated, "br": brotlied, "zstd": zstandard}

// maxCodings bounds how often one body may be coded.
const maxCodings = 3

// codings are those of a body, in the order they were applied.
type codings struct {
	list    [maxCodings]coding
	n       int
	many    bool // more than maxCodings
	unknown bool // one of them is none of ours: the body is taken as it stands
	cut     bool // the body ended before its coding did
}

// add takes a value of content-encoding.
func (c *codings) add(val []byte) {
	for len(val) > 0 {
		name, rest, _ := bytes.Cut(val, []byte(","))
		name, val = bytes.TrimSpace(name), rest
		if len(name) == 0 || fold(name, "identity") {
			continue
		}
		known, ok := codingNames[string(bytes.ToLower(name))]
		switch {
		case !ok:
			c.unknown = true
		case c.n == maxCodings:
			c.many = true
		default:
			c.list[c.n] = known
			c.n++
		}
	}
}

// none tells whether there is nothing to undo.
func (c *codings) none() bool { return c.unknown || c.n == 0 && !c.many }

// Accept says which of the codings that not every client reads the request asks for.
type Accept struct{ Brotli, Zstd bool }

// Accepted reads the accept-encoding among fields; what is only known as the
// request is sent may ask for all.
func Accepted(fields []Field) (a Accept) {
	for i := range fields {
		if fields[i].Name != "accept-encoding" {
			continue
		}
		text, constant := fields[i].Value.Constant()
		if !constant {
			return Accept{true, true}
		}
		for one := range strings.SplitSeq(strings.ToLower(text), ",") {
			name, weight, _ := strings.Cut(one, ";")
			if refused(weight) {
				continue
			}
			switch strings.TrimSpace(name) {
			case "br":
				a.Brotli = true
			case "zstd":
				a.Zstd = true
			case "*":
				a = Accept{true, true}
			}
		}
	}
	return a
}

// refused tells whether a weight is zero, as in "br;q=0".
func refused(weight string) bool {
	q, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
	return ok && strings.Trim(q, "0.") == ""
}

// readable says why a body in these codings is not to be read, if it is not.
func (c *codings) readable(a Accept) Fault {
	if c.many {
		return NewFault(Malformed, "the body is compressed more than three times over")
	}
	for _, one := range c.list[:c.n] {
		if one == brotlied && !a.Brotli || one == zstandard && !a.Zstd {
			return NewFault(Malformed, "the body is compressed with "+one.String()+", which was not asked for: if your clients read it, add it to accept-encoding in target.headers")
		}
	}
	return Fault{}
}
