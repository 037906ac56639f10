package driver

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/template"
)

var errNoVariable = errors.New("there is no such variable")

// values are what the target's templates are filled with: the Of of Values.
type values struct {
	user *User
	turn *Turn
	key  string // of the upgrade to a socket
	job  string // where an asynchronous answer is to be had
	// saved are the values of ${saved.NAME}, those of the channel.
	saved []string
	// forged is the signed token of a turn that is not its user's own.
	forged []byte
	// Of api openai: the answer that this request follows, what the model called within
	// the turn and was answered, whether the server has the user's message already, and
	// the arguments of the tool that is answered.
	previous  []byte
	calls     []byte
	follows   bool
	arguments []byte
}

// of gives what v stands for.
func of(v *wire.Values) *values { return v.Of.(*values) } //nolint:forcetypeassert // this package alone puts it there

// variables are those that a target's templates may name, besides login.NAME,
// TABLE.COLUMN and what is the same for all.
var variables = map[string]template.Variable[wire.Values]{
	"user.id":         template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).user.ID...) }),
	"user.index":      template.Value(func(b []byte, v *wire.Values) []byte { return strconv.AppendInt(b, of(v).user.Index, 10) }),
	"turn.text":       template.Always(func(b []byte, v *wire.Values) []byte { return append(b, of(v).turn.Text...) }),
	"turn.id":         template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).turn.TurnID...) }),
	"turn.index":      template.Value(func(b []byte, v *wire.Values) []byte { return strconv.AppendInt(b, int64(of(v).turn.Index), 10) }),
	"conversation.id": template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).turn.ConversationID...) }),
	"dialog.id":       template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).turn.DialogID...) }),
	"trace.id":        template.Value(func(b []byte, v *wire.Values) []byte { return appendHex(b, of(v).turn.TraceID[:]) }),
	"tool.arguments":  template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).arguments...) }),
	"span.id":         template.Value(func(b []byte, v *wire.Values) []byte { return appendHex(b, of(v).turn.SpanID[:]) }),
}

// variable gives what a name in a template of the target stands for.
func (o *Options) variable(name string) (template.Variable[wire.Values], error) {
	if v, ok := variables[name]; ok {
		return v, nil
	}
	if strings.HasPrefix(name, "env:") || strings.HasPrefix(name, "file:") {
		if o.Secrets == nil {
			return template.Variable[wire.Values]{}, errors.New("no secrets are to be had here")
		}
		value, err := o.Secrets(name)
		return template.Constant[wire.Values](value), err
	}
	if name == "run.id" {
		return template.Constant[wire.Values](o.RunID), nil
	}
	table, column, ok := strings.Cut(name, ".")
	ok = ok && table != "run"
	if table == "saved" {
		slot, known := o.saved[column]
		if !known {
			return template.Variable[wire.Values]{}, errNoVariable
		}
		return template.Value(func(b []byte, v *wire.Values) []byte {
			if slot >= len(of(v).saved) {
				return b
			}
			return append(b, of(v).saved[slot]...)
		}), nil
	}
	if table == "ping" {
		slot, known := o.pings[column]
		if !known {
			return template.Variable[wire.Values]{}, errNoVariable
		}
		return template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).saved[slot]...) }), nil
	}
	if table == "login" {
		return template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).user.state.login[column]...) }), nil
	}
	for known := range variables {
		ok = ok && !strings.HasPrefix(known, table+".")
	}
	if !ok {
		return template.Variable[wire.Values]{}, errNoVariable
	}
	return template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).user.Vars[name]...) }), nil
}

// bind makes a text of the target ready to be filled.
func (o *Options) bind(text string, form template.Form) (wire.Text, error) {
	t, err := template.Parse(text, form)
	if err != nil {
		return wire.Text{}, err
	}
	return template.Bind(t, o.variable)
}

// bindBody makes a JSON body of the target ready to be filled.
func (o *Options) bindBody(doc []byte) (wire.Text, error) {
	t, err := template.ParseJSON(doc)
	if err != nil {
		return wire.Text{}, err
	}
	return template.Bind(t, o.variable)
}

// raw is a literal.
func raw(text string) wire.Text { return template.Raw[wire.Values](text) }

// bearer is the user's signed token, which needs no escaping.
func bearer() wire.Text {
	return template.Only("auth.token", template.Value(func(b []byte, v *wire.Values) []byte {
		return append(b, of(v).user.state.token...)
	}), template.Text)
}

// jobPath is where an asynchronous answer is to be had.
func jobPath() wire.Text {
	return template.Only("job.path", template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).job...) }), template.Text)
}

// traceparent is the W3C header of a turn.
func traceparent() wire.Field {
	id := func(name string) wire.Text { return template.Only(name, variables[name], template.Text) }
	return wire.Field{Name: "traceparent", Value: template.Join(raw("00-"), id("trace.id"), raw("-"), id("span.id"), raw("-01"))}
}

// usesLogin tells whether what a login saved stands in b.
func usesLogin(b wire.Text) bool {
	return slices.ContainsFunc(b.Names(), func(name string) bool { return strings.HasPrefix(name, "login.") })
}

// forAgents tells whether b says something about an agent, who has no turn, no
// row of a table and no login.
func forAgents(b wire.Text) bool {
	return !slices.ContainsFunc(b.Names(), func(name string) bool {
		return name != "user.id" && name != "user.index" && name != "run.id" && !strings.Contains(name, ":")
	})
}

const hexDigits = "0123456789abcdef"

func appendHex(b, raw []byte) []byte {
	for _, c := range raw {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}
