package load

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/template"
)

// text is a user's message, filled from the conversation it is said in.
type text = template.Bound[conversation]

// parseText makes a message ready to be said.
func (s *Script) parseText(say string) (text, error) {
	t, err := template.Parse(say, template.Text)
	if err != nil {
		return text{}, err
	}
	return template.Bind(t, s.variable)
}

// variable gives what a name in a message stands for.
func (s *Script) variable(name string) (v template.Variable[conversation], err error) {
	switch name {
	case "user.id":
		return template.Value(func(b []byte, c *conversation) []byte { return append(b, c.user.ID...) }), nil
	case "user.index":
		return template.Value(func(b []byte, c *conversation) []byte { return strconv.AppendInt(b, c.user.Index, 10) }), nil
	case "run.id":
		return template.Constant[conversation](s.run.id), nil
	case "conversation.id":
		run := &s.run
		return template.Value(func(b []byte, c *conversation) []byte { return run.appendConversation(b, c.k) }), nil
	case "turn.index":
		return template.Value(func(b []byte, c *conversation) []byte { return strconv.AppendInt(b, int64(c.turn), 10) }), nil
	}
	table, column, _ := strings.Cut(name, ".")
	i := slices.IndexFunc(s.sources, func(src source) bool { return src.name == table })
	if i < 0 {
		return v, errors.New("there is no such variable, nor a table of that name")
	}
	src := &s.sources[i]
	j := slices.Index(src.columns, column)
	if j < 0 {
		return v, fmt.Errorf("data %s has no column %q", table, column)
	}
	rows := src.table
	return template.Value(func(b []byte, c *conversation) []byte { return append(b, rows[c.rows[i]][j]...) }), nil
}
