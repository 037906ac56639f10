package load

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/scenario"
)

// forged is what a turn is sent with in the place of its user's own.
type forged struct {
	driver.Forge
	another bool // the turn goes out as another user
	size    int  // the least length of the text
}

func newForged(from *scenario.Forge) *forged {
	if from == nil {
		return nil
	}
	f := &forged{size: int(from.Size), another: from.Token == scenario.TokenAnotherUser}
	f.Token, f.Claims = from.Token, from.Claims
	if len(from.Headers) > 0 {
		f.Headers = make(map[string]string, len(from.Headers))
		for name, value := range from.Headers {
			f.Headers[strings.ToLower(name)] = value
		}
	}
	return f
}

// lengthen repeats the text until it is so long; a character that does not fit is
// left out whole.
func (st *scratch) lengthen(size int) {
	said := len(st.text)
	for said > 0 && len(st.text) < size {
		st.text = append(st.text, st.text[:said]...)
	}
	if size > 0 && len(st.text) > max(size, said) {
		st.text = bytes.ToValidUTF8(st.text[:max(size, said)], nil)
	}
}

// possible tells whether the turn to come of c can be what it should be: in the
// dialog of c only where there is one, and as another user only where data has one.
func (c *conversation) possible(s *Script) bool {
	f := c.outline.turns[c.turn].forged
	if f == nil || !f.another {
		return true
	}
	if !slices.Contains(c.kept, true) || s.keepsDialogs && len(c.id) == 0 {
		return false
	}
	return c.another(s) != nil
}

// another is a user who is not that of c: the one before, with rows of the data that
// have nothing in common with those of c in what is sent. Nil where there is none.
func (c *conversation) another(s *Script) *driver.User {
	n := c.user.Index - 1
	if n < 0 {
		n = 1
	}
	u := &driver.User{ID: "u" + strconv.FormatInt(n, 10), Index: n, Vars: map[string]string{}}
	for i := range s.sources {
		src := &s.sources[i]
		row := src.unlike(int(c.rows[i]), s.sent)
		if row < 0 {
			return nil
		}
		for j, key := range src.keys {
			u.Vars[key] = src.table[row][j]
		}
	}
	return u
}

// unlike is the row before the given one that differs from it in every column that is
// sent; -1 where none does.
func (src *source) unlike(row int, sent []string) int {
	for k := 1; k <= len(src.table); k++ {
		other := (row - k + len(src.table)) % len(src.table)
		if !slices.ContainsFunc(src.indexes(sent), func(j int) bool { return src.table[other][j] == src.table[row][j] }) {
			return other
		}
	}
	return -1
}

// indexes are those of the columns that are sent.
func (src *source) indexes(sent []string) (list []int) {
	for j, key := range src.keys {
		if slices.Contains(sent, key) {
			list = append(list, j)
		}
	}
	return list
}
