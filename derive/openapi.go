package derive

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// Bounds of an API's description.
const (
	maxDocument  = 16 << 20
	documentDeep = 96
	documentSize = 500_000 // values
	maxHops      = 20      // from $ref to $ref
	sampleDeep   = 10      // values made of a schema
	sampleSize   = 2_000
)

// noAddress stands where a description names no server.
const noAddress = "https://chat.example"

// openAPI is a description while it is looked through.
type openAPI struct {
	doc   *tree
	two   bool           // Swagger 2.0
	notes reason.Reasons // of the operation that is looked at
	env   *secrets       // likewise
}

// operation is one that a customer may talk by.
type operation struct {
	name  string // POST /chat
	x     *Exchange
	said  leaf
	score int
	talks bool // it may be a turn: it is a POST, or its path sounds like a chat
	notes reason.Reasons
	env   *secrets
}

// ParseOpenAPI finds in a description (OpenAPI 3, Swagger 2.0; JSON) the operation by
// which a customer talks, and makes a request and an answer of what is said of it. The
// notes say what was guessed. What no operation says is an error.
func ParseOpenAPI(text []byte) (*Exchange, reason.Reasons, error) {
	doc, err := parseDocument(text)
	if err != nil {
		return nil, nil, err
	}
	o := &openAPI{doc: doc, env: newSecrets()}
	version := doc.member("openapi")
	if version == nil {
		version, o.two = doc.member("swagger"), true
	}
	paths := doc.member("paths")
	if version == nil || paths == nil || paths.kind != '{' {
		return nil, nil, reason.Errorf("that is no OpenAPI document: it has no openapi (or swagger) and paths")
	}
	best, others, err := o.best(paths)
	if err != nil {
		return nil, nil, err
	}
	field := strings.TrimPrefix(best.said.path, "?")
	taken := reason.New(reason.DeriveOperation, best.name, field)
	if r := readAnswer(best.x.Answer, best.said.text); r != nil && r.answer != "" {
		taken = reason.New(reason.DeriveOperationAnswer, best.name, field, r.answer)
	}
	notes := append(reason.Reasons{taken}, best.notes...)
	if len(others) > 0 {
		notes = append(notes, reason.New(reason.DeriveOperations, strings.Join(others[:min(len(others), 5)], ", ")))
	}
	return best.x, append(notes, best.env.notes...), nil
}

// parseDocument reads JSON within the bounds of descriptions.
func parseDocument(text []byte) (*tree, error) {
	if len(text) > maxDocument {
		return nil, reason.Errorf("the file is too long")
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	b := bounds{depth: documentDeep, nodes: documentSize}
	t, err := b.read(d, 0)
	if err != nil {
		return nil, reason.Errorf("is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, reason.Errorf("something follows the JSON")
	}
	return t, nil
}

// best finds the operation that looks most like a customer's turn.
func (o *openAPI) best(paths *tree) (best *operation, others []string, err error) {
	var why error // the first operation that could not be read
	var all []*operation
	var silent []string // those that sound like a chat and take no text
	for i, path := range paths.keys {
		ops := o.resolved(paths.items[i])
		for _, method := range []string{"post", "put", "patch", "get"} {
			op := ops.member(method)
			if op == nil || op.kind != '{' || !strings.HasPrefix(path, "/") {
				continue
			}
			one, err := o.operation(path, method, ops, op)
			switch {
			case err != nil && why == nil:
				why = err
			case err == nil && one != nil:
				all = append(all, one)
			case err == nil && method == "post" && soundsLikeChat(path[strings.LastIndex(strings.TrimSuffix(path, "/"), "/"):]):
				silent = append(silent, "POST "+path)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *operation) int {
		if a.talks != b.talks {
			return map[bool]int{true: -1, false: 1}[a.talks]
		}
		return b.score - a.score
	})
	for _, one := range all {
		others = append(others, one.name)
	}
	switch {
	case len(all) > 0 && all[0].talks:
		best, others = all[0], others[1:]
	case why != nil:
		return nil, nil, why
	default:
		return nil, nil, noTurn(silent, others)
	}
	if err := o.finish(best); err != nil {
		return nil, nil, err
	}
	return best, others, nil
}

// noTurn says why no operation is a turn, and which come near to one.
func noTurn(silent, texts []string) error {
	list := func(names []string) string { return strings.Join(names[:min(len(names), 5)], ", ") }
	switch {
	case len(silent) > 0:
		return reason.Errorf("no operation takes a text that a customer may say (a field such as message, text, query or messages): %.500s sound like a chat, but no field of theirs is described as such a text; record a request instead, --from curl or --from har", list(silent))
	case len(texts) > 0:
		return reason.Errorf("no operation is a customer's turn: %.500s take a text, but none is a POST or has a path that sounds like a chat; record a request instead, --from curl or --from har", list(texts))
	}
	return reason.Errorf("no operation takes a text that a customer may say (a field such as message, text, query or messages): record a request instead, --from curl or --from har")
}

// chatPath is what a chat's path has; a task is no ask.
var chatPath = regexp.MustCompile(`(?i)chat|message|conversation|dialog|completion|talk|query|session|(?:^|[^a-z])ask(?:[^a-z]|$)`)

func soundsLikeChat(path string) bool { return chatPath.MatchString(path) }

// operation makes a request of what is said of one; nil where it takes no text.
func (o *openAPI) operation(path, method string, ops, op *tree) (*operation, error) {
	name := strings.ToUpper(method) + " " + path
	o.notes, o.env = nil, newSecrets()
	x := &Exchange{Described: true, Method: strings.ToUpper(method), URL: &url.URL{Scheme: "https", Host: "h"}}
	if err := o.body(x, op); err != nil {
		return nil, reason.Errorf("%.100s: %w", name, err)
	}
	route, err := o.parameters(x, path, append(o.list(ops, "parameters"), o.list(op, "parameters")...))
	if err != nil {
		return nil, reason.Errorf("%.100s: %w", name, err)
	}
	x.URL.Path = route
	if o.answer(x, op); isPage(x) {
		return nil, nil
	}
	said, score := saidIn(x)
	if score == 0 {
		return nil, nil
	}
	sounds := soundsLikeChat(path)
	if sounds {
		score += 20
	}
	if r := readAnswer(x.Answer, said.text); r != nil && r.answer != "" {
		score += 10
	}
	if method == "get" {
		score -= 15
	}
	return &operation{name: name, x: x, said: said, score: score, talks: sounds || method == "post", notes: o.notes, env: o.env}, nil
}

// finish puts the address and what proves who asks into the operation that is taken.
func (o *openAPI) finish(op *operation) error {
	o.notes, o.env = nil, op.env
	u, err := parseURL(o.address())
	if err != nil {
		o.notes = append(o.notes, reason.New(reason.DeriveNoAddress, noAddress))
		if u, err = parseURL(noAddress); err != nil {
			return err
		}
	}
	route := strings.TrimSuffix(u.Path, "/") + op.x.URL.Path
	op.x.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: route, RawQuery: op.x.URL.RawQuery}
	method, path, _ := strings.Cut(op.name, " ")
	described := o.resolved(o.doc.member("paths").member(path)).member(strings.ToLower(method))
	err = o.secure(op.x, described)
	op.notes = append(op.notes, o.notes...)
	return err
}

// address is that of the first server; of Swagger 2.0 host and basePath.
func (o *openAPI) address() string {
	if o.two {
		host, base, scheme := text(o.doc.member("host")), text(o.doc.member("basePath")), "https"
		if list := o.list(o.doc, "schemes"); len(list) > 0 && !slices.ContainsFunc(list, func(t *tree) bool { return t.text == "https" }) {
			scheme = list[0].text
		}
		if host == "" {
			return ""
		}
		return literal(scheme + "://" + host + base)
	}
	for _, s := range o.list(o.doc, "servers") {
		address := text(s.member("url"))
		if vars := s.member("variables"); vars != nil && vars.kind == '{' {
			for i, name := range vars.keys {
				address = strings.ReplaceAll(address, "{"+name+"}", text(vars.items[i].member("default")))
			}
		}
		if strings.HasPrefix(address, "http") {
			return literal(address)
		}
	}
	return ""
}

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

var errRef = reason.Errorf("a $ref leads out of the file, in a circle or to nothing: only what stands in the file itself is read")

// resolved follows $ref within the document; nil where that leads nowhere.
func (o *openAPI) resolved(t *tree) *tree {
	for range maxHops {
		ref := t.member("$ref")
		if t == nil || ref == nil || ref.kind != 's' {
			return t
		}
		rest, ok := strings.CutPrefix(ref.text, "#/")
		if !ok {
			return nil
		}
		t = o.doc
		for step := range strings.SplitSeq(rest, "/") {
			if plain, err := url.PathUnescape(step); err == nil {
				step = plain
			}
			step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			t = t.member(step)
		}
	}
	return nil
}

func (o *openAPI) list(t *tree, name string) []*tree {
	if l := t.member(name); l != nil && l.kind == '[' {
		return slices.Clip(l.items)
	}
	return nil
}

// text is that of a value that is no object and no list; empty for nil.
func text(t *tree) string {
	if t == nil || t.kind == '{' || t.kind == '[' {
		return ""
	}
	return t.text
}
