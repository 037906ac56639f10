package http2

import (
	"net/http"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/template"
)

// form is the header block of a request, ready but for what differs from one to
// the next. What is constant in the usual request goes into the peer's table with
// the first on a connection and is one byte from then on.
type form struct {
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
	maybe   bool // left out where the value is empty
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

// newForm renders what does not change of q's header block.
func newForm(q *wire.Request, t *wire.Target) *form {
	b := &form{}
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
	add := func(name string, value wire.Text, maybe bool) {
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
		if name == "authorization" || name == "cookie" {
			first = 0x10 // never to be kept, by proxies neither
		}
		b.parts = append(b.parts, blockPart{name: appendText([]byte{first}, name), value: value, maybe: maybe})
	}
	switch q.Method {
	case http.MethodGet:
		static(staticGET)
	case http.MethodPost:
		static(staticPOST)
	default:
		add(":method", template.Raw[wire.Values](q.Method), false)
	}
	if t.Secure {
		static(staticHTTPS)
	} else {
		static(staticHTTP)
	}
	add(":authority", template.Raw[wire.Values](t.Host), false)
	add(":path", q.Path, false)
	for _, f := range q.Fields {
		add(f.Name, f.Value, f.Maybe)
	}
	flush()
	b.place(constants)
	// Indexes of more than one byte are not worth it.
	b.kept = q.Usual && size <= tableSize && constants <= 60
	return b
}

// place fills in the indexes: the newest entry of n is the first.
func (b *form) place(n int) {
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
func (b *form) append(dst []byte, v *wire.Values, t table) []byte {
	for i := range b.parts {
		p := &b.parts[i]
		switch {
		case p.name != nil:
			at := len(dst)
			dst = append(dst, p.name...)
			named := len(dst)
			if dst = appendValueText(dst, p.value, v); p.maybe && len(dst) == named+1 {
				dst = dst[:at]
			}
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
