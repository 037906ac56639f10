package scenario

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/template"
)

// templateField is one field that holds a template.
type templateField struct {
	path  string
	place Place
	template.Template
	err error // why it could not be parsed
}

// templateFields collects them.
type templateFields []templateField

func (f *templateFields) text(path, text string, place Place, form template.Form) {
	if text != "" {
		t, err := template.Parse(text, form)
		*f = append(*f, templateField{path, place, t, err})
	}
}

func (f *templateFields) headers(path string, headers map[string]string, place Place) {
	for _, name := range sortedKeys(headers) {
		f.text(join(path, name), headers[name], place, template.Header)
	}
}

func (f *templateFields) body(path string, as BodyKind, body json.RawMessage, place Place) {
	if len(body) == 0 {
		return
	}
	switch as {
	case AsForm, AsMultipart:
		parts, _ := Parts(body) // what is wrong with them is said elsewhere
		for _, p := range parts {
			f.text(join(path, p.Name), p.Text, place, template.Query)
		}
	case AsText, AsXML:
		text, _ := TextBody(body)
		f.text(path, text, place, template.Text)
	default:
		t, err := template.ParseJSON(body)
		*f = append(*f, templateField{path, place, t, err})
	}
}

func (f *templateFields) steps(path string, steps []Step, place Place) {
	for i := range steps {
		s := &steps[i]
		f.text(item(path, i, "path"), s.Path, place, template.Path)
		f.headers(item(path, i, "headers"), s.Headers, place)
		f.body(item(path, i, "body"), s.As, s.Body, place)
	}
}

// templates lists every template of the target.
func (t *Target) templates() templateFields {
	var f templateFields
	if t.Bundled != nil {
		f.text("target.bundled.redis", t.Bundled.Redis, InSecret, template.Text)
	}
	f.headers("target.headers", t.Headers, InHeaders)
	if a := t.Auth; a != nil {
		f.text("target.auth.bearer", a.Bearer, InBearer, template.Header)
		if j := a.JWT; j != nil {
			f.text("target.auth.jwt.secret", j.Secret, InSecret, template.Text)
			f.text("target.auth.jwt.sub", j.Sub, InClaims, template.Text)
			for _, name := range sortedKeys(j.Claims) {
				f.text("target.auth.jwt.claims."+name, j.Claims[name], InClaims, template.Text)
			}
		}
	}
	if a := t.Agents; a != nil {
		f.text("target.agents.path", a.Path, InAgents, template.Path)
		f.text("target.agents.bearer", a.Bearer, InAgents, template.Header)
	}
	if l := t.Login; l != nil {
		f.text("target.login.path", l.Path, InLogin, template.Path)
		f.headers("target.login.headers", l.Headers, InLogin)
		f.body("target.login.body", l.As, l.Body, InLogin)
		f.steps("target.login.steps", l.Steps, InLogin)
	}
	if t.Socket != nil {
		t.Socket.templates(&f)
	}
	f.steps("target.before", t.Before, InBefore)
	if r := t.Request; r != nil {
		f.text("target.request.path", r.Path, InRequest, template.Path)
		f.headers("target.request.headers", r.Headers, InRequest)
		f.body("target.request.body", r.As, r.Body, InRequest)
	}
	f.steps("target.then", t.Then, InRequest)
	if o := t.OpenAI; o != nil {
		f.text("target.openai.system", o.System, InSystem, template.Text)
		for i := range o.Tools {
			f.result(item("target.openai.tools", i, "result"), o.Tools[i].Result)
		}
	}
	return f
}

// result is what a tool answers: a text, or JSON.
func (f *templateFields) result(path string, result json.RawMessage) {
	if text, err := TextBody(result); len(result) > 0 && err == nil {
		f.text(path, text, InTool, template.Text)
		return
	}
	f.body(path, AsJSON, result, InTool)
}

// Variables lists the names that stand in the target's templates, sorted, each
// once.
func (t *Target) Variables() []string {
	var names []string
	for _, f := range t.templates() {
		for _, use := range f.Uses() {
			names = append(names, use.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// UsesRunID tells whether anything that is said or sent has ${run.id} in it.
func (s *Scenario) UsesRunID() bool {
	return slices.ContainsFunc(s.templates(), func(f templateField) bool { return f.Has("run.id") })
}

// templates lists every template of the scenario.
func (s *Scenario) templates() templateFields {
	f := s.Target.templates()
	if s.LLM != nil {
		f.text("llm.token", s.LLM.Token, InSecret, template.Text)
	}
	for i, o := range s.Observe {
		f.headers(item("observe", i, "headers"), o.Headers, InSecret)
	}
	for i, n := range s.Notify {
		f.text(item("notify", i, "url"), n.URL, InSecret, template.Text)
		f.text(item("notify", i, "secret"), n.Secret, InSecret, template.Text)
		f.text(item("notify", i, "link"), n.Link, InLink, template.Text)
	}
	for i := range s.Conversations {
		for k := range s.Conversations[i].Turns {
			turn, path := &s.Conversations[i].Turns[k], item(item("conversations", i, "turns"), k, "")
			f.text(path+".say", turn.Say, InSay, template.Text)
			for p := range turn.Parts {
				f.text(item(path+".parts", p, "text"), turn.Parts[p].Text, InSay, template.Text)
				if !strings.HasPrefix(turn.Parts[p].Image, "data:") {
					f.text(item(path+".parts", p, "image"), turn.Parts[p].Image, InSay, template.Text)
				}
			}
		}
	}
	return f
}

// constant tells whether a text has no variable in it.
func constant(text string) bool {
	t, err := template.Parse(text, template.Text)
	return err == nil && len(t.Uses()) == 0
}

// checkTemplates checks the form of every template and that its variables exist
// where it stands.
func (c *checker) checkTemplates() {
	for _, f := range c.templates() {
		if f.err != nil {
			c.template(f.path, f.err)
			continue
		}
		for _, use := range f.Uses() {
			c.variable(f.path+within(use.At), f.place, use.Name)
		}
	}
}

// template tells what is wrong with the form of a template.
func (c *checker) template(path string, err error) {
	message := reason.Say("%s", err)
	if wrong := (*template.Error)(nil); errors.As(err, &wrong) {
		path, message = path+within(wrong.At), wrong.Problem
	}
	c.bad(path, "%s", message)
}

// within continues a path into a JSON document.
func within(at string) string {
	if at == "" || at[0] == '[' {
		return at
	}
	return "." + at
}

func (c *checker) variable(path string, place Place, name string) {
	v := familyOf(name)
	switch {
	case v == nil:
		c.unknown(path, place, name)
		return
	case v.In&place == 0 && place == InSay && strings.Contains(name, ":"):
		c.bad(path, "${%s}: what comes from outside may be a secret, and what users say is written to the results: take a data table", short(name))
		return
	case v.In&place == 0 && v.Name != anyColumn:
		c.bad(path, "${%s} cannot stand in %s: it may stand in %s", short(name), place, v.In)
		return
	}
	first, rest, _ := strings.Cut(name, ".")
	switch v.Name {
	case "dialog.id":
		c.dialogID(path)
	case anyLogin:
		c.loginVariable(path, rest)
	case anySaved:
		c.savedVariable(path, rest)
	case anyPing:
		c.pingVariable(path, rest)
	case "history":
		c.historyVariable(path)
	case anyColumn:
		c.column(path, place, first, rest)
	}
}

// dialogID refuses a ${dialog.id} that would be empty in every turn, so that each
// opened a dialog of its own.
func (c *checker) dialogID(path string) {
	t := &c.Target
	instead := reason.Say("${conversation.id} is a session that the client chooses")
	switch {
	case t.Bundled != nil:
	case t.API == APIOpenAI:
		c.bad(path, "${dialog.id} would always be empty: api openai names no dialogs; %s", instead)
	case t.API == APICustom && (t.Response == nil || t.Response.DialogID == ""):
		c.bad(path, "${dialog.id} would always be empty: say in target.response.dialog_id where the server names the dialog; %s", instead)
	}
}

func (c *checker) column(path string, place Place, table, column string) {
	d, ok := c.Data[table]
	switch {
	case !ok:
		c.unknown(path, place, table+"."+column)
	case variables[0].In&place == 0:
		c.bad(path, "${%s.%s} cannot stand in %s: rows of tables may stand in %s", short(table), short(column), place, variables[0].In)
	case !c.hasColumn(&d, column):
		c.bad(path, "${%s.%s}: the table %s has no column %q%s", short(table), short(column), table, short(column),
			cmp.Or(didYouMean(column, d.Columns), reason.Say("; it has %s", short(strings.Join(d.Columns, ", ")))))
	}
}

// hasColumn tells whether a table has a column, or was not read.
func (c *checker) hasColumn(d *Data, column string) bool {
	return c.source.options.Recorded && d.Rows == nil || slices.Contains(d.Columns, column)
}

// unknown tells that there is no such variable, and which may be meant.
func (c *checker) unknown(path string, place Place, name string) {
	if kind, _, ok := strings.Cut(name, ":"); ok {
		var hint reason.Phrase
		if !reservedTable(kind) {
			hint = didYouMean(kind, []string{"env", "file"})
		}
		c.bad(path, "${%s} is not a variable: from outside there are ${env:NAME} and ${file:PATH}%s", short(name), hint)
		return
	}
	var known []string
	for _, v := range variables {
		switch {
		case v.In&place == 0:
		case v.Name == anyColumn:
			for _, table := range sortedKeys(c.Data) {
				for _, column := range c.Data[table].Columns {
					known = append(known, table+"."+column)
				}
			}
		case v.Name == anyLogin:
			for _, saved := range c.Target.Login.saves() {
				known = append(known, "login."+saved)
			}
		case v.Name == anyPing:
			for _, saved := range c.Target.pings() {
				known = append(known, "ping."+saved)
			}
		case v.Name == anySaved:
			for _, saved := range c.Target.saves() {
				known = append(known, "saved."+saved)
			}
		case v.Name == strings.ToLower(v.Name):
			known = append(known, v.Name)
		}
	}
	c.bad(path, "${%s} is not known here%s", short(name), didYouMean(strings.TrimSpace(name), known))
}

func (c *checker) loginVariable(path, name string) {
	login := c.Target.Login
	if login == nil {
		c.bad(path, "${login.%s}: there is no target.login that saves it", short(name))
		return
	}
	saved := login.saves()
	if !slices.Contains(saved, name) {
		c.bad(path, "${login.%s} is not saved by target.login.save%s", short(name), didYouMean(name, saved))
		return
	}
	if at, ok := strings.CutPrefix(path, "target.login."); ok {
		before := 0
		for i := range login.Steps {
			if strings.HasPrefix(at, item("steps", i, "")) {
				before = i
			}
		}
		if !slices.Contains(savedBy(login.Steps[:before]), name) {
			c.bad(path, "${login.%s} is not saved by a step before this one", short(name))
		}
	}
}

// savedVariable refuses a ${saved.NAME} that would always be empty.
func (c *checker) savedVariable(path, name string) {
	saved := c.Target.saves()
	switch {
	case len(saved) == 0:
		c.bad(path, "${saved.%s}: nothing saves it: write save: {%s: PLACE} in target.before, request or then", short(name), short(name))
	case !slices.Contains(saved, name):
		c.bad(path, "${saved.%s} is not saved by target.before, request or then%s", short(name), didYouMean(name, saved))
	case strings.HasPrefix(path, "target.before"):
		at := 0
		for i := range c.Target.Before {
			if strings.HasPrefix(path, item("target.before", i, "")) {
				at = i
			}
		}
		if !slices.Contains(savedBy(c.Target.Before[:at]), name) {
			c.bad(path, "${saved.%s} is not saved by a step before this one", short(name))
		}
	}
}

// pings gives what ${ping.NAME} may be.
func (t *Target) pings() []string {
	if t.Socket == nil || t.Socket.Pong == nil {
		return nil
	}
	return sortedKeys(t.Socket.Pong.Save)
}

func (c *checker) pingVariable(path, name string) {
	if saved := c.Target.pings(); !slices.Contains(saved, name) {
		c.bad(path, "${ping.%s} is not saved by target.socket.pong.save%s", short(name), didYouMean(name, saved))
	}
}

// historyVariable refuses ${history} where a list cannot stand.
func (c *checker) historyVariable(path string) {
	switch r := c.Target.Request; {
	case c.Target.API != APICustom:
		c.bad(path, "${history} is for api: custom; api %s sends what it needs", c.Target.API)
	case !strings.HasPrefix(path, "target.request.body") || r.As != "" && r.As != AsJSON:
		c.bad(path, "${history} is a list: it can only be an item or a whole member of a JSON target.request.body")
	}
}

// saves gives what ${saved.NAME} may be.
func (t *Target) saves() []string {
	names := savedBy(t.Before)
	if t.Socket != nil {
		names = append(names, savedBy(t.Socket.First)...)
	}
	if t.Request != nil {
		names = append(names, sortedKeys(t.Request.Save)...)
	}
	return append(names, savedBy(t.Then)...)
}
