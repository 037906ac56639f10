package scenario

import (
	"encoding/json"
	"slices"
	"strings"
)

// A use is one field that holds a template, with the variables it may name.
type use struct {
	path  string
	text  string
	scope scope
}

// scope is a set of variables.
type scope uint8

const (
	outside scope = 1 << iota // ${env:…}, ${file:…}
	rows                      // ${TABLE.COLUMN}
	user                      // ${user.id}, ${user.index}
	turn                      // ${turn.text}, ${turn.id}, ${turn.index}, ${dialog.id}, ${trace.id}, ${span.id}
	login                     // ${login.NAME}
	spoken                    // ${turn.index}
)

const anywhere = outside | rows | user

// variablesOf lists the variables with fixed names.
func variablesOf(s scope) []string {
	var names []string
	if s&user != 0 {
		names = append(names, "user.id", "user.index")
	}
	if s&spoken != 0 {
		names = append(names, "turn.index")
	}
	if s&turn != 0 {
		names = append(names, "turn.text", "turn.id", "turn.index", "dialog.id", "trace.id", "span.id")
	}
	return names
}

// templates lists every template of the scenario, those in the strings of a
// body one by one.
func (s *Scenario) templates() []use {
	var list []use
	add := func(path, text string, scope scope) {
		if text != "" {
			list = append(list, use{path, text, scope})
		}
	}
	addMap := func(path string, m map[string]string, scope scope) {
		for _, key := range sortedKeys(m) {
			add(join(path, key), m[key], scope)
		}
	}
	t := &s.Target
	if t.Bundled != nil {
		add("target.bundled.redis", t.Bundled.Redis, outside)
	}
	addMap("target.headers", t.Headers, anywhere|turn|login)
	if a := t.Auth; a != nil {
		add("target.auth.bearer", a.Bearer, anywhere|login)
		if j := a.JWT; j != nil {
			add("target.auth.jwt.secret", j.Secret, outside)
			add("target.auth.jwt.sub", j.Sub, anywhere)
			addMap("target.auth.jwt.claims", j.Claims, anywhere)
		}
	}
	if a := t.Agents; a != nil {
		add("target.agents.path", a.Path, outside|user)
		add("target.agents.bearer", a.Bearer, outside|user)
	}
	if l := t.Login; l != nil {
		add("target.login.path", l.Path, anywhere)
		addMap("target.login.headers", l.Headers, anywhere)
		list = append(list, bodyUses("target.login.body", l.Body, anywhere)...)
	}
	if r := t.Request; r != nil {
		add("target.request.path", r.Path, anywhere|turn|login)
		addMap("target.request.headers", r.Headers, anywhere|turn|login)
		list = append(list, bodyUses("target.request.body", r.Body, anywhere|turn|login)...)
	}
	for i := range s.Conversations {
		for k := range s.Conversations[i].Turns {
			add(item(item("conversations", i, "turns"), k, "say"), s.Conversations[i].Turns[k].Say, rows|user|spoken)
		}
	}
	return list
}

// bodyUses lists the templates in a body's strings.
func bodyUses(path string, body json.RawMessage, scope scope) []use {
	if len(body) == 0 {
		return nil
	}
	root, err := readJSON(body)
	if err != nil {
		return nil // the checker tells
	}
	var list []use
	var walk func(v jsonValue)
	walk = func(v jsonValue) {
		if text, ok := v.token.(string); ok {
			list = append(list, use{path, text, scope})
		}
		for _, item := range v.items {
			walk(item)
		}
	}
	walk(root)
	return list
}

// checkTemplates checks the form of every template and that its variables exist
// where it stands.
func (c *checker) checkTemplates() {
	for _, u := range c.templates() {
		t, err := ParseTemplate(u.text)
		if err != nil {
			c.bad(u.path, "%s", err)
			continue
		}
		for _, name := range t.Names() {
			c.variable(u, name)
		}
	}
}

func (c *checker) variable(u use, name string) {
	if strings.Contains(name, ":") {
		if u.scope&outside == 0 {
			c.bad(u.path, "${%s}: what comes from outside may be a secret, and what users say is written to the results: take a data table", short(name))
		}
		return
	}
	known := variablesOf(u.scope)
	if slices.Contains(known, name) {
		return
	}
	table, column, _ := strings.Cut(name, ".")
	if table == "login" && u.scope&login != 0 {
		c.loginVariable(u, column)
		return
	}
	if d, ok := c.Data[table]; ok && u.scope&rows != 0 {
		if !slices.Contains(d.Columns, column) {
			c.bad(u.path, "${%s}: the table %s has no column %q%s", short(name), table, short(column), cmpOr(didYouMean(column, d.Columns), "; it has "+short(strings.Join(d.Columns, ", "))))
		}
		return
	}
	if u.scope&rows != 0 {
		for _, table := range sortedKeys(c.Data) {
			for _, column := range c.Data[table].Columns {
				known = append(known, table+"."+column)
			}
		}
	}
	c.bad(u.path, "${%s} is not known here%s", short(name), didYouMean(name, known))
}

func (c *checker) loginVariable(u use, name string) {
	if c.Target.Login == nil {
		c.bad(u.path, "${login.%s}: there is no target.login that saves it", short(name))
		return
	}
	if _, ok := c.Target.Login.Save[name]; !ok {
		c.bad(u.path, "${login.%s} is not saved by target.login.save%s", short(name), didYouMean(name, sortedKeys(c.Target.Login.Save)))
	}
}
