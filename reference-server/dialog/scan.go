package dialog

import (
	"strings"

	"github.com/tidwall/gjson"
)

// scanRecord reads an element that looks exactly as appendJSON writes it, in half of
// the time that it takes to look for members by name. ok is false for all others: those
// with escapes, or of a version that has more to say.
func scanRecord(s string) (r Record, ok bool) {
	c := scan{rest: s, ok: true}
	r.Epoch = c.number(`{"e":`)
	r.Seq = int(c.number(`,"s":`))
	r.base = int(c.number(`,"b":`))
	r.Born = c.number(`,"o":`)
	r.Token = c.text(`,"k":"`)
	r.TurnID = c.text(`,"t":"`)
	r.TextHash = c.text(`,"h":"`)
	r.Degraded = c.yes(`,"d":`)
	r.User = c.text(`,"u":"`)
	c.skip(`,"r":`)
	response, whole := strings.CutSuffix(c.rest, "}")
	if !c.ok || !whole || !strings.HasPrefix(response, "{") || !strings.HasSuffix(response, "}") || !gjson.Valid(response) {
		return Record{}, false
	}
	r.Response = []byte(response)
	return r, true
}

// scan is what is left of a text; ok until something else was found than asked for.
type scan struct {
	rest string
	ok   bool
}

func (c *scan) skip(lead string) {
	rest, found := strings.CutPrefix(c.rest, lead)
	c.rest, c.ok = rest, c.ok && found
}

const longestNumber = 18 // digits of which an int64 holds any

// number is a whole one behind lead.
func (c *scan) number(lead string) int64 {
	c.skip(lead)
	n, i := int64(0), 0
	for ; i < len(c.rest) && i < longestNumber && c.rest[i] >= '0' && c.rest[i] <= '9'; i++ {
		n = 10*n + int64(c.rest[i]-'0')
	}
	if i == 0 || i > 1 && c.rest[0] == '0' {
		c.ok = false
	}
	c.rest = c.rest[i:]
	return n
}

// text is what stands behind lead up to the next quote.
func (c *scan) text(lead string) string {
	c.skip(lead)
	end := strings.IndexByte(c.rest, '"')
	if end < 0 {
		c.ok = false
		return ""
	}
	s := c.rest[:end]
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '\\' {
			c.ok = false
			return ""
		}
	}
	c.rest = c.rest[end+1:]
	return s
}

// yes is a truth value behind lead.
func (c *scan) yes(lead string) bool {
	c.skip(lead)
	if rest, found := strings.CutPrefix(c.rest, "true"); found {
		c.rest = rest
		return true
	}
	c.skip("false")
	return false
}
