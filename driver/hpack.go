package driver

import (
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/template"
	"golang.org/x/net/http2/hpack"
)

// form2 is the header block of a request, ready but for what differs from one to
// the next. What is constant in the usual request goes into the peer's table with
// the first on a connection and is one byte from then on.
type form2 struct {
	parts []blockPart
	kept  bool // the constants may go into the peer's table
}

// blockPart is a run of constant fields, or one field that varies.
type blockPart struct {
	literal []byte // the constants spelled out, not kept by the peer
	keep    []byte // the constants spelled out, kept by the peer
	known   []byte // the constants as indexes into the peer's table
	name    []byte // of a varying field: its representation up to the value
	value   wire.Text
}

// tableSize is the table of a peer that has not said otherwise.
const tableSize = 4096

// Places in HPACK's static table.
const (
	staticAuthority = 1
	staticGET       = 2
	staticPOST      = 3
	staticPath      = 4
	staticHTTP      = 6
	staticHTTPS     = 7
	staticEntries   = 61
)

// newForm2 renders what does not change of q's header block.
func newForm2(q *wire.Request, t *wire.Target) *form2 {
	b := &form2{}
	size := 0      // what the constants take in the peer's table
	constants := 0 // which enter the table in this order
	cur := blockPart{}
	flush := func() {
		if cur.literal != nil || cur.known != nil {
			b.parts = append(b.parts, cur)
			cur = blockPart{}
		}
	}
	static := func(index byte) {
		cur.literal, cur.keep, cur.known = append(cur.literal, 0x80|index), append(cur.keep, 0x80|index), append(cur.known, 0x80|index)
	}
	add := func(name string, value wire.Text) {
		if text, ok := value.Constant(); ok {
			constants++
			size += len(name) + len(text) + 32
			cur.literal = appendText(appendText(append(cur.literal, 0x00), name), text)
			cur.keep = appendText(appendText(append(cur.keep, 0x40), name), text)
			// The place of the n-th entry is known when all are: fixed below.
			cur.known = append(cur.known, 0)
			return
		}
		flush()
		first := byte(0x00)
		if name == "authorization" {
			first = 0x10 // never to be kept, by proxies neither
		}
		b.parts = append(b.parts, blockPart{name: appendText([]byte{first}, name), value: value})
	}
	switch q.Method {
	case "GET":
		static(staticGET)
	case "POST":
		static(staticPOST)
	default:
		add(":method", template.Raw[wire.Values](q.Method))
	}
	if t.Secure {
		static(staticHTTPS)
	} else {
		static(staticHTTP)
	}
	add(":authority", template.Raw[wire.Values](t.Host))
	add(":path", q.Path)
	for _, f := range q.Fields {
		add(f.Name, f.Value)
	}
	flush()
	b.place(constants)
	// Indexes of more than one byte are not worth it.
	b.kept = q.Usual && size <= tableSize && constants <= 60
	return b
}

// place fills in the indexes: the newest entry of n is the first.
func (b *form2) place(n int) {
	entry := 0
	for i := range b.parts {
		known := b.parts[i].known
		for j := range known {
			if known[j] == 0 {
				known[j] = 0x80 | byte(staticEntries+n-entry)
				entry++
			}
		}
	}
}

// appendText writes a string literal without Huffman coding.
func appendText(b []byte, s string) []byte {
	return append(appendInteger(b, 0, 7, len(s)), s...)
}

// appendInteger writes n with a prefix of so many bits (RFC 7541, 5.1).
func appendInteger(b []byte, first byte, bits uint, n int) []byte {
	most := 1<<bits - 1
	if n < most {
		return append(b, first|byte(n))
	}
	b = append(b, first|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		b = append(b, 0x80|byte(n))
	}
	return append(b, byte(n))
}

// table is how the peer's table stands on a connection.
type table uint8

const (
	tableEmpty  table = iota
	tableFilled       // with the constants
	tableOff          // the peer wants none
)

// append writes the block for one request.
func (b *form2) append(dst []byte, v *wire.Values, t table) []byte {
	for i := range b.parts {
		p := &b.parts[i]
		switch {
		case p.name != nil:
			dst = append(dst, p.name...)
			dst = appendValueText(dst, p.value, v)
		case t == tableFilled:
			dst = append(dst, p.known...)
		case t == tableEmpty:
			dst = append(dst, p.keep...)
		default:
			dst = append(dst, p.literal...)
		}
	}
	return dst
}

// appendValueText writes a rendered value with its length before it.
func appendValueText(dst []byte, t wire.Text, v *wire.Values) []byte {
	at := len(dst)
	dst = append(dst, 0)
	dst = t.Append(dst, v)
	n := len(dst) - at - 1
	if n < 127 {
		dst[at] = byte(n)
		return dst
	}
	var room [8]byte
	length := appendInteger(room[:0], 0, 7, n)
	more := len(length) - 1
	dst = append(dst, length[:more]...)
	copy(dst[at+1+more:], dst[at+1:at+1+n])
	copy(dst[at:], length)
	return dst
}

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
	26: "content-encoding", 28: "content-length", 31: "content-type", 46: "location", 53: "retry-after", 57: "transfer-encoding",
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
		return !h.Known(r.name, val).Bad() && !h.Chunked
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
	return h.Status >= 100 && h.Status <= 599
}
