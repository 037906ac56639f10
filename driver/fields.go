package driver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// headers turns a scenario's map into fields, sorted by name, over defaults.
func headers(own map[string]string, defaults []wire.Field, opts *Options) ([]wire.Field, error) {
	fields := slices.Clone(defaults)
	names := make([]string, 0, len(own))
	for name := range own {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lower := strings.ToLower(name)
		if !wire.IsToken(lower) {
			return nil, fmt.Errorf("header %.60q: not a header's name", name)
		}
		if scenario.ConnectionHeader(lower) {
			return nil, fmt.Errorf("header %s: it belongs to the connection and is written by cstest", lower)
		}
		value, err := opts.bind(own[name], template.Header)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", lower, err)
		}
		// A header that is one saved value alone is not sent before there is one.
		field := wire.Field{Name: lower, Value: value, Maybe: strings.HasPrefix(own[name], "${saved.") && strings.IndexByte(own[name], '}') == len(own[name])-1}
		if i := slices.IndexFunc(fields, func(f wire.Field) bool { return f.Name == lower }); i >= 0 {
			fields[i] = field
			continue
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// anything is what is asked for where the answer may be of any kind.
const anything = "*/*"

// accepting gives fields that ask for another kind of answer.
func accepting(fields []wire.Field, kind string) []wire.Field {
	fields = slices.Clone(fields)
	for i := range fields {
		if fields[i].Name == "accept" {
			fields[i].Value = raw(kind)
		}
	}
	return fields
}

// defaults are the fields of every request of the target.
func (p *plan) defaults(target *scenario.Target, opts *Options) ([]wire.Field, error) {
	fields := []wire.Field{
		{Name: "user-agent", Value: raw("cstest")},
		{Name: "accept", Value: raw("application/json")},
	}
	if auth := target.Auth; auth != nil {
		var token wire.Text
		switch {
		case auth.JWT != nil:
			token = bearer()
		case auth.Bearer != "":
			var err error
			if token, err = opts.bind(auth.Bearer, template.Header); err != nil {
				return nil, fmt.Errorf("auth.bearer: %w", err)
			}
		default:
			return nil, errors.New("auth: give bearer or jwt")
		}
		fields = append(fields, wire.Field{Name: "authorization", Value: template.Join(raw("Bearer "), token)})
	}
	return headers(target.Headers, fields, opts)
}
