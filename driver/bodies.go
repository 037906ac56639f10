package driver

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// bindAs makes a body ready to be filled and sent as a kind, and gives its content
// type. extra are variables besides those of every template.
func (o *Options) bindAs(as scenario.BodyKind, body []byte, extra map[string]template.Variable[wire.Values]) (wire.Text, string, error) {
	if len(body) == 0 {
		return wire.Text{}, "", nil
	}
	kind := as.ContentType()
	switch as {
	case scenario.AsForm, scenario.AsMultipart:
		parts, err := scenario.Parts(body)
		if err != nil {
			return wire.Text{}, "", err
		}
		if as == scenario.AsForm {
			text, err := o.form(parts)
			return text, kind, err
		}
		var random [16]byte
		rand.Read(random[:])
		boundary := "cstest-" + hex.EncodeToString(random[:])
		text, err := o.multipart(parts, boundary)
		return text, kind + "; boundary=" + boundary, err
	case scenario.AsText, scenario.AsXML:
		text, err := scenario.TextBody(body)
		if err != nil {
			return wire.Text{}, "", err
		}
		form := template.Text
		if as == scenario.AsXML {
			form = template.XML
		}
		bound, err := o.bind(text, form)
		return bound, kind, err
	case scenario.AsJSON:
	}
	t, err := template.ParseJSON(body)
	if err != nil {
		return wire.Text{}, "", err
	}
	bound, err := template.Bind(t, func(name string) (template.Variable[wire.Values], error) {
		if v, ok := extra[name]; ok {
			return v, nil
		}
		return o.variable(name)
	})
	return bound, kind, err
}

// form is application/x-www-form-urlencoded.
func (o *Options) form(parts []scenario.Part) (wire.Text, error) {
	var all []wire.Text
	for i, p := range parts {
		name, err := o.bind(template.Quote(p.Name), template.Query)
		if err != nil {
			return wire.Text{}, err
		}
		value, err := o.bind(p.Text, template.Query)
		if err != nil {
			return wire.Text{}, fmt.Errorf("%s: %w", p.Name, err)
		}
		if i > 0 {
			all = append(all, raw("&"))
		}
		all = append(all, name, raw("="), value)
	}
	return template.Join(all...), nil
}

// multipart is multipart/form-data; files are read once.
func (o *Options) multipart(parts []scenario.Part, boundary string) (wire.Text, error) {
	quoted := strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A")
	var all []wire.Text
	for _, p := range parts {
		head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + quoted.Replace(p.Name) + `"`
		if p.File == "" {
			value, err := o.bind(p.Text, template.Text)
			if err != nil {
				return wire.Text{}, fmt.Errorf("%s: %w", p.Name, err)
			}
			all = append(all, raw(head+"\r\n\r\n"), value, raw("\r\n"))
			continue
		}
		if o.Upload == nil {
			return wire.Text{}, errors.New(p.Name + ": no files are to be had here")
		}
		content, err := o.Upload(p.File)
		if err != nil {
			return wire.Text{}, fmt.Errorf("%s: %w", p.Name, err)
		}
		kind := p.Type
		if kind == "" {
			kind = "application/octet-stream"
		}
		head += `; filename="` + quoted.Replace(path.Base(p.File)) + "\"\r\nContent-Type: " + kind
		all = append(all, raw(head+"\r\n\r\n"+string(content)+"\r\n"))
	}
	return template.Join(append(all, raw("--"+boundary+"--\r\n"))...), nil
}
