package http2

import (
	"github.com/cstest/cstest/driver/internal/wire"
	"golang.org/x/net/http2/hpack"
)

// blockReader reads header blocks of a peer that was told to keep no table.
type blockReader struct {
	in      []byte
	name    []byte // scratch
	scratch []byte
}

// Write collects what hpack decodes.
func (r *blockReader) Write(p []byte) (int, error) {
	r.scratch = append(r.scratch, p...)
	return len(p), nil
}

// integer reads a number with a prefix of so many bits.
func (r *blockReader) integer(bits uint) (int, bool) {
	if len(r.in) == 0 {
		return 0, false
	}
	most := 1<<bits - 1
	n := int(r.in[0]) & most
	r.in = r.in[1:]
	if n < most {
		return n, true
	}
	for shift := 0; shift < 28 && len(r.in) > 0; shift += 7 {
		c := r.in[0]
		r.in = r.in[1:]
		n += int(c&0x7f) << shift
		if c < 0x80 {
			return n, true
		}
	}
	return 0, false
}

// text reads a string; Huffman codes are only decoded where wanted.
func (r *blockReader) text(wanted bool) ([]byte, bool) {
	if len(r.in) == 0 {
		return nil, false
	}
	coded := r.in[0]&0x80 != 0
	n, ok := r.integer(7)
	if !ok || n > len(r.in) {
		return nil, false
	}
	raw := r.in[:n]
	r.in = r.in[n:]
	if !wanted || !coded {
		return raw, true
	}
	r.scratch = r.scratch[:0]
	if _, err := hpack.HuffmanDecode(r, raw); err != nil {
		return nil, false
	}
	return r.scratch, true
}

// staticNames are the names of the static table that matter here.
var staticNames = [staticEntries + 1]string{
	8: ":status", 9: ":status", 10: ":status", 11: ":status", 12: ":status", 13: ":status", 14: ":status",
	26: "content-encoding", 28: "content-length", 31: "content-type", 34: "etag", 46: "location", 53: "retry-after", 55: "set-cookie",
	57: "transfer-encoding", 61: "www-authenticate",
}

var staticStatus = [...]int{200, 204, 206, 304, 400, 404, 500}

// read gives the block's fields that matter to h; status 0 says that there was
// none.
func (r *blockReader) read(block []byte, h *wire.Head, trailers bool) bool {
	r.in = block
	for len(r.in) > 0 {
		var index int
		var ok bool
		switch c := r.in[0]; {
		case c&0x80 != 0:
			if index, ok = r.integer(7); !ok || index == 0 || index > staticEntries {
				return false
			}
			if index >= 8 && index <= 14 && !trailers {
				if h.Status != 0 {
					return false
				}
				h.Status = staticStatus[index-8]
			}
			continue
		case c&0xc0 == 0x40:
			index, ok = r.integer(6)
		case c&0xe0 == 0x20:
			if index, ok = r.integer(5); !ok || index != 0 {
				return false
			}
			continue
		default:
			index, ok = r.integer(4)
		}
		if !ok || index > staticEntries || !r.field(index, h, trailers) {
			return false
		}
	}
	return true
}

// field reads a name, where it is spelled out, and a value.
func (r *blockReader) field(index int, h *wire.Head, trailers bool) bool {
	if index > 0 {
		name := staticNames[index]
		known := name != ""
		val, ok := r.text(known)
		if !ok || !known || trailers {
			return ok
		}
		r.name = append(r.name[:0], name...)
		return r.known(h, val)
	}
	name, ok := r.text(true)
	if !ok || len(name) == 0 {
		return false
	}
	r.name = append(r.name[:0], name...)
	for _, c := range r.name {
		if c >= 'A' && c <= 'Z' || c <= ' ' || c >= 0x7f {
			return false
		}
	}
	val, ok := r.text(true)
	if !ok || trailers {
		return ok
	}
	return r.known(h, val)
}

// known hands a field on, in memory of its own where it is kept.
func (r *blockReader) known(h *wire.Head, val []byte) bool {
	if !wire.Clean(val) {
		return false
	}
	if string(r.name) != ":status" {
		if len(r.name) == 8 || len(r.name) == 11 {
			val = append([]byte(nil), val...) // location and retry-after are kept
		}
		return !h.Add(r.name, val).Bad() && !h.Chunked
	}
	if len(val) != 3 || h.Status != 0 {
		return false
	}
	for _, c := range val {
		if c < '0' || c > '9' {
			return false
		}
		h.Status = h.Status*10 + int(c-'0')
	}
	return h.Status >= 100
}
