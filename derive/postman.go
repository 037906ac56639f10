package derive

import (
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

const (
	maxRequests = 1_000
	folderDeep  = 20
)

// collection is one of Postman's (v2.0 and v2.1) while it is read.
type collection struct {
	vars  map[string]string
	names []string // of vars, in their order
	env   *secrets
	notes reason.Reasons
	list  []*Exchange
	err   error // of the first request that could not be read
	asked map[string]bool
}

// ParsePostman reads a collection of Postman's, as JSON: its requests over HTTP in their
// order, with the answers that were saved as examples. The notes say what was left out
// and what is asked of the environment.
func ParsePostman(text []byte) ([]*Exchange, reason.Reasons, error) {
	doc, err := parseDocument(text)
	if err != nil {
		return nil, nil, err
	}
	if inner := doc.member("collection"); inner != nil {
		doc = inner // as its API gives it
	}
	items := doc.member("item")
	if items == nil || items.kind != '[' {
		return nil, nil, reason.Errorf("that is no Postman collection: it has no item (export it as Collection v2.1)")
	}
	c := collection{vars: map[string]string{}, env: newSecrets(), asked: map[string]bool{}}
	c.variables(doc.member("variable"))
	c.items(items, doc.member("auth"), 0)
	switch {
	case len(c.list) > 0:
	case c.err != nil:
		return nil, nil, c.err
	default:
		return nil, nil, reason.Errorf("the collection has no request over http or https")
	}
	notes := slices.Concat(c.notes, c.env.notes)
	if turns, _ := chatOf(c.list); len(turns) > 0 {
		last := turns[len(turns)-1]
		said, _ := saidIn(last)
		name, field := last.Method+" "+last.URL.Path, strings.TrimPrefix(said.path, "?")
		taken := reason.New(reason.DeriveOperation, name, field)
		if r := readAnswer(last.Answer, said.text); r != nil && r.answer != "" {
			taken = reason.New(reason.DeriveOperationAnswer, name, field, r.answer)
		}
		notes = slices.Insert(notes, 0, taken)
	}
	return c.list, notes, nil
}

func (c *collection) variables(list *tree) {
	if list == nil || list.kind != '[' {
		return
	}
	for _, v := range list.items {
		if name, val := text(v.member("key")), text(v.member("value")); name != "" && val != "" && !isSecretName(name) {
			if _, twice := c.vars[name]; !twice {
				c.names = append(c.names, name)
			}
			c.vars[name] = val
		}
	}
}

// items reads requests and folders; auth is what those around them say.
func (c *collection) items(list, auth *tree, depth int) {
	if list == nil || list.kind != '[' || depth > folderDeep {
		return
	}
	for _, item := range list.items {
		own := auth
		if a := item.member("auth"); a != nil {
			own = a
		}
		c.scripts(item)
		c.items(item.member("item"), own, depth+1)
		r := item.member("request")
		if r == nil || len(c.list) >= maxRequests {
			continue
		}
		if a := r.member("auth"); a != nil && a.kind == '{' {
			own = a
		}
		x, err := c.request(r, own)
		if err != nil {
			if c.err == nil {
				c.err = reason.Errorf("%.100s: %w", text(item.member("name")), err)
			}
			continue
		}
		if x != nil {
			x.Answer = c.answer(item.member("response"))
			c.list = append(c.list, x)
		}
	}
}

// scripts notes that there are some that set variables.
func (c *collection) scripts(item *tree) {
	list := item.member("event")
	if list == nil || list.kind != '[' || c.asked["\x00script"] {
		return
	}
	for _, e := range list.items {
		if lines := e.member("script").member("exec"); lines != nil && strings.Contains(lines.String(), ".set(") {
			c.asked["\x00script"] = true
			c.notes = append(c.notes, reason.New(reason.DeriveScript))
			return
		}
	}
}

func (c *collection) request(r, auth *tree) (*Exchange, error) {
	address := r
	if u := r.member("url"); u != nil {
		address = u
	}
	raw := text(address)
	if raw == "" {
		raw = text(address.member("raw"))
	}
	for _, v := range listOf(address.member("variable")) { // of the path, as :name
		if name := text(v.member("key")); name != "" {
			raw = strings.ReplaceAll(raw+"/", "/:"+name+"/", "/"+c.pathValue(name, text(v.member("value")))+"/")
			raw = strings.TrimSuffix(raw, "/")
		}
	}
	raw, err := c.address(raw)
	if err != nil {
		return nil, err
	}
	u, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	x := &Exchange{Method: strings.ToUpper(text(r.member("method"))), URL: u}
	if x.Method == "" {
		x.Method = "GET"
	}
	for _, h := range listOf(r.member("header")) {
		if name := text(h.member("key")); text(h.member("disabled")) != "true" && isHeaderName(name) {
			x.Headers = append(x.Headers, Field{Name: name, Value: c.fill(text(h.member("value")))})
		}
	}
	c.auth(x, auth)
	c.body(x, r.member("body"))
	return x, nil
}

// pathValue is what stands for a parameter of the path.
func (c *collection) pathValue(name, val string) string {
	switch roleOf(name, false) {
	case roleDialog:
		c.notes = append(c.notes, reason.New(reason.DeriveDialogChosen, name))
		return "${conversation.id}"
	case roleUser:
		return "${user.id}"
	default:
		if val != "" {
			return val
		}
		return "{{" + name + "}}"
	}
}

// address fills the variables of an address; its host has to be known.
func (c *collection) address(raw string) (string, error) {
	const mark = "\x00"
	kept := strings.ReplaceAll(strings.Map(printable, raw), "${", mark)
	for _, own := range []string{"conversation.id}", "user.id}"} {
		kept = strings.ReplaceAll(kept, mark+own, "\x01"+own)
	}
	kept = c.known(strings.ReplaceAll(kept, mark, "$${"))
	if !strings.Contains(kept, "://") {
		kept = "https://" + kept
	}
	scheme, rest, _ := strings.Cut(kept, "://")
	host, path, found := strings.Cut(rest, "/")
	if at := strings.Index(host, "{{"); at >= 0 {
		return "", reason.Errorf("the variable %.60s of its address has no value in the file: write one into the collection's variables", host[at:])
	}
	if found {
		host += "/"
	}
	return scheme + "://" + host + strings.ReplaceAll(c.variablesIn(path), "\x01", "${"), nil
}

// fill puts values for the {{variables}} of a text, which becomes a template.
func (c *collection) fill(s string) string {
	return c.variablesIn(c.known(literal(s)))
}

// known fills in the variables that have a value, those in such values too.
func (c *collection) known(s string) string {
	for range 4 {
		before := s
		for _, name := range c.names {
			if s = strings.ReplaceAll(s, "{{"+name+"}}", literal(strings.Map(printable, c.vars[name]))); len(s) > MaxSource {
				return before
			}
		}
		if s == before {
			break
		}
	}
	return s
}

// printable drops what marks nothing in a text but could be taken for a mark.
func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' && r != '\r' {
		return -1
	}
	return r
}

// variablesIn takes the {{variables}} that have no value from the environment, or, where
// Postman makes them anew each time, from the turn.
func (c *collection) variablesIn(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "{{")
		b.WriteString(before)
		name, rest, closed := strings.Cut(after, "}}")
		if !found || !closed || len(name) > 100 || strings.ContainsAny(name, "{}\r\n\"") {
			if found {
				b.WriteString("{{")
				s = after
				continue
			}
			return b.String()
		}
		s = rest
		switch name {
		case "$guid", "$randomUUID":
			b.WriteString("${turn.id}")
		case "$timestamp", "$randomInt":
			b.WriteString("0")
		default:
			as := "CHAT_" + envName(name)
			if !c.asked[name] {
				c.asked[name] = true
				c.notes = append(c.notes, reason.New(reason.DeriveVariable, as, name))
			}
			b.WriteString("${env:" + as + "}")
		}
	}
}

// auth sends what the collection says proves who asks.
func (c *collection) auth(x *Exchange, auth *tree) {
	kind := text(auth.member("type"))
	val := func(name string) string {
		list := auth.member(kind)
		if list != nil && list.kind == '{' { // v2.0
			return text(list.member(name))
		}
		for _, one := range listOf(list) {
			if text(one.member("key")) == name {
				return text(one.member("value"))
			}
		}
		return ""
	}
	secret := func(s, what string) string {
		if strings.Contains(s, "{{") {
			return c.fill(s)
		}
		return c.env.keep(what, "\x00"+what)
	}
	switch kind {
	case "bearer", "oauth2":
		name := map[string]string{"bearer": "token", "oauth2": "accessToken"}[kind]
		x.Headers = append(x.Headers, Field{Name: "authorization", Value: "Bearer " + secret(val(name), "token")})
	case "basic":
		x.Headers = append(x.Headers, Field{Name: "authorization", Value: c.env.keep("authorization", "\x00basic")})
	case "apikey":
		name := val("key")
		switch value := secret(val("value"), name); {
		case val("in") == "query":
			x.URL.RawQuery = strings.TrimPrefix(x.URL.RawQuery+"&"+url.QueryEscape(name)+"="+value, "&")
		case isHeaderName(name):
			x.Headers = append(x.Headers, Field{Name: name, Value: value})
		}
	}
}

func (c *collection) body(x *Exchange, body *tree) {
	form := func(list *tree) {
		for _, f := range listOf(list) {
			if text(f.member("disabled")) == "true" {
				continue
			}
			one := Field{Name: literal(text(f.member("key"))), File: text(f.member("type")) == "file"}
			if one.Value = c.fill(text(f.member("value"))); one.File {
				one.Value = literal(text(f.member("src")))
			}
			x.Form = append(x.Form, one)
		}
	}
	typed := func(kind string) {
		if x.media() == "" {
			x.Headers = append(x.Headers, Field{Name: "content-type", Value: kind})
		}
	}
	switch text(body.member("mode")) {
	case "raw":
		raw := c.fill(text(body.member("raw")))
		kind := guessMedia(raw)
		if language := text(body.member("options").member("raw").member("language")); kind != "application/json" && language != "json" {
			kind = "text/plain"
		}
		typed(kind)
		x.setBody(raw)
	case "urlencoded":
		typed("application/x-www-form-urlencoded")
		form(body.member("urlencoded"))
	case "formdata":
		x.Multi = true
		form(body.member("formdata"))
	case "graphql":
		typed("application/json")
		g := body.member("graphql")
		vars := text(g.member("variables"))
		if _, err := parseJSON(vars); err != nil {
			vars = "{}"
		}
		x.Body = c.fill(`{"query": ` + quote(text(g.member("query"))) + `, "variables": ` + vars + `}`)
	}
}

// answer is the first good one that was saved.
func (c *collection) answer(list *tree) *Answer {
	for _, r := range listOf(list) {
		a := &Answer{Status: 200, Body: text(r.member("body"))}
		if code := text(r.member("code")); code != "" && !strings.HasPrefix(code, "2") || a.Body == "" {
			continue
		}
		for _, h := range listOf(r.member("header")) {
			name, val := text(h.member("key")), text(h.member("value"))
			if strings.EqualFold(name, "content-type") {
				media, _, _ := strings.Cut(val, ";")
				a.Type = strings.ToLower(strings.TrimSpace(media))
			}
			a.setHeader(name, val)
		}
		return a
	}
	return nil
}

func listOf(t *tree) []*tree {
	if t == nil || t.kind != '[' {
		return nil
	}
	return t.items
}
