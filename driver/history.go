package driver

import (
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// usualHistory is how most APIs whose client keeps the dialog write it.
var usualHistory = &scenario.History{
	User:      []byte(`{"role":"user","content":"${message.text}"}`),
	Assistant: []byte(`{"role":"assistant","content":"${message.text}"}`),
}

// historyOf is the dialog before the turn, oldest message first, each in the form
// of who said it.
func historyOf(h *scenario.History) (template.Variable[wire.Values], error) {
	var forms [2]template.Bound[Message]
	for i, doc := range [][]byte{h.User, h.Assistant} {
		t, err := template.ParseJSON(doc)
		if err == nil {
			forms[i], err = template.Bind(t, messageVariable)
		}
		if err != nil {
			return template.Variable[wire.Values]{}, err
		}
	}
	return template.List(func(b []byte, v *wire.Values) []byte {
		for i := range of(v).turn.History {
			if i > 0 {
				b = append(b, ',')
			}
			m := &of(v).turn.History[i]
			if m.Assistant {
				b = forms[1].Append(b, m)
			} else {
				b = forms[0].Append(b, m)
			}
		}
		return b
	}), nil
}

// messageVariable gives what a name stands for in the form of a message.
func messageVariable(name string) (template.Variable[Message], error) {
	if name != "message.text" {
		return template.Variable[Message]{}, errNoVariable
	}
	return template.Always(func(b []byte, m *Message) []byte { return append(b, m.Text...) }), nil
}
