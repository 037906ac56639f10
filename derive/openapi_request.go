package derive

import (
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// secure sends what the first of the security requirements asks for, from the
// environment.
func (o *openAPI) secure(x *Exchange, op *tree) error {
	required := op.member("security")
	if required == nil {
		required = o.doc.member("security")
	}
	if required == nil || required.kind != '[' || len(required.items) == 0 {
		return nil
	}
	schemes := o.doc.member("components").member("securitySchemes")
	if o.two {
		schemes = o.doc.member("securityDefinitions")
	}
	for _, name := range required.items[0].keys {
		s := o.resolved(schemes.member(name))
		if s == nil {
			return reason.Errorf("security scheme %.60q is described nowhere", name)
		}
		o.prove(x, name, s)
	}
	return nil
}

// prove puts one scheme's secret into the request.
func (o *openAPI) prove(x *Exchange, name string, s *tree) {
	field := text(s.member("name"))
	add := func(header, before, what string) {
		x.Headers = append(x.Headers, Field{Name: header, Value: before + o.env.keep(what, "\x00"+what)})
	}
	switch kind, scheme := text(s.member("type")), strings.ToLower(text(s.member("scheme"))); {
	case kind == "apiKey" && text(s.member("in")) == "header" && isHeaderName(field):
		add(field, "", field)
	case kind == "apiKey" && text(s.member("in")) == "query":
		x.URL.RawQuery = strings.TrimPrefix(x.URL.RawQuery+"&"+url.QueryEscape(field)+"="+o.env.keep(field, "\x00"+field), "&")
	case kind == "apiKey" && text(s.member("in")) == "cookie" && isHeaderName(field):
		add("cookie", "", "cookie")
	case kind == "basic" || kind == "http" && scheme == "basic":
		add("authorization", "", "authorization")
	default: // bearer, oauth2 and openIdConnect send a token
		add("authorization", "Bearer ", "token")
		if kind != "http" {
			o.notes = append(o.notes, reason.New(reason.DeriveScheme, name))
		}
	}
}

// parameters puts those that a request must have, and those that a chat has, into its
// path, query and headers.
func (o *openAPI) parameters(x *Exchange, path string, list []*tree) (route string, err error) {
	route = literal(path)
	for _, p := range list {
		if p = o.resolved(p); p == nil {
			return "", errRef
		}
		name, in := text(p.member("name")), text(p.member("in"))
		role := roleOf(name, true)
		must := in == "path" || text(p.member("required")) == "true"
		if in == "body" || in == "formData" || !must && role != roleText && role != roleDialog && role != roleUser {
			continue
		}
		val, known := o.parameter(p, name)
		switch in {
		case "path":
			if !strings.Contains(path, "{"+name+"}") {
				continue
			}
			switch role {
			case roleDialog:
				o.notes = append(o.notes, reason.New(reason.DeriveDialogChosen, name))
				val = "${conversation.id}"
			case roleUser:
				val = "${user.id}"
			case roleText:
				val = "${turn.text}"
			default:
				if !known {
					val = o.env.keep(name, "\x00"+name)
				}
			}
			route = strings.ReplaceAll(route, "{"+name+"}", val)
		case "query":
			x.URL.RawQuery = strings.TrimPrefix(x.URL.RawQuery+"&"+url.QueryEscape(name)+"="+url.QueryEscape(val), "&")
		case "header":
			if isHeaderName(name) && !slices.Contains(noise, strings.ToLower(name)) {
				x.Headers = append(x.Headers, Field{Name: name, Value: val})
			}
		}
	}
	if at := strings.Index(strings.ReplaceAll(route, "${", ""), "{"); at >= 0 {
		return "", reason.Errorf("the path has a parameter that is described nowhere")
	}
	return route, nil
}

// parameter is a value for a parameter, and whether the document itself has it.
func (o *openAPI) parameter(p *tree, name string) (val string, known bool) {
	schema := p.member("schema")
	if o.two {
		schema = p
	}
	for _, t := range []*tree{p.member("example"), schema.member("example"), schema.member("default")} {
		if t != nil && t.kind != '{' && t.kind != '[' {
			return literal(t.text), true
		}
	}
	s := sampler{o: o, request: true}
	if t := s.of(schema, name, 0); t != nil && t.kind != '{' && t.kind != '[' {
		return literal(t.text), len(o.list(schema, "enum")) > 0
	}
	return "string", false
}

// body makes the body of a request.
func (o *openAPI) body(x *Exchange, op *tree) error {
	if o.two {
		return o.bodyOfTwo(x, op)
	}
	body := op.member("requestBody")
	if body == nil {
		return nil
	}
	if body = o.resolved(body); body == nil {
		return errRef
	}
	content := body.member("content")
	if content == nil || content.kind != '{' {
		return nil
	}
	for _, media := range []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain", ""} {
		for i, key := range content.keys {
			kind, _, _ := strings.Cut(strings.ToLower(key), ";")
			if kind = strings.TrimSpace(kind); kind != media && (media != "" || !strings.HasSuffix(kind, "json")) {
				continue
			}
			return o.fillBody(x, kind, content.items[i])
		}
	}
	return nil
}

func (o *openAPI) fillBody(x *Exchange, kind string, described *tree) error {
	t, err := o.valueOf(described, true)
	if err != nil || t == nil {
		return err
	}
	if strings.HasSuffix(kind, "json") {
		kind = "application/json"
	}
	x.Headers = append(x.Headers, Field{Name: "content-type", Value: kind})
	switch kind {
	case "application/json":
		x.Body = literal(t.String())
	case "text/plain":
		x.Body = literal(t.text)
	default:
		x.Multi = kind == "multipart/form-data"
		for i, name := range t.keys {
			x.Form = append(x.Form, Field{Name: literal(name), Value: literal(t.items[i].text)})
		}
	}
	return nil
}

// bodyOfTwo is body for Swagger 2.0.
func (o *openAPI) bodyOfTwo(x *Exchange, op *tree) error {
	var form []Field
	for _, p := range o.list(op, "parameters") {
		if p = o.resolved(p); p == nil {
			return errRef
		}
		switch text(p.member("in")) {
		case "body":
			return o.fillBody(x, "application/json", &tree{kind: '{', keys: []string{"schema"}, items: []*tree{p.member("schema")}})
		case "formData":
			if name := text(p.member("name")); text(p.member("type")) != "file" {
				val, _ := o.parameter(p, name)
				form = append(form, Field{Name: literal(name), Value: val})
			}
		}
	}
	if len(form) > 0 {
		x.Headers = append(x.Headers, Field{Name: "content-type", Value: "application/x-www-form-urlencoded"})
		x.Form = form
	}
	return nil
}

// answer makes the answer of what is said of the good ones.
func (o *openAPI) answer(x *Exchange, op *tree) {
	responses := op.member("responses")
	for _, status := range []string{"200", "201", "202", "2XX", "2xx", "default"} {
		r := o.resolved(responses.member(status))
		if r == nil {
			continue
		}
		if o.two {
			if t, err := o.valueOf(r, false); err == nil && t != nil {
				x.Answer = &Answer{Status: 200, Type: "application/json", Body: t.String()}
			}
			return
		}
		content, streams := r.member("content"), false
		if content == nil || content.kind != '{' {
			continue
		}
		for i, key := range content.keys {
			kind, _, _ := strings.Cut(strings.ToLower(key), ";")
			kind = strings.TrimSpace(kind)
			switch t, err := o.valueOf(content.items[i], false); {
			case kind == "text/event-stream" || strings.Contains(kind, "ndjson"):
				streams = true
			case err != nil || t == nil:
			case strings.HasSuffix(kind, "json"), kind == "*/*":
				x.Answer = &Answer{Status: 200, Type: "application/json", Body: t.String()}
				return
			case kind == "text/plain":
				x.Answer = &Answer{Status: 200, Type: kind, Body: t.text}
			case strings.HasPrefix(kind, "text/html"):
				x.Answer = &Answer{Status: 200, Type: kind}
			}
		}
		if streams && x.Answer == nil {
			o.notes = append(o.notes, reason.New(reason.DeriveStreamUntold))
		}
		return
	}
}
