package derive

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// Result is a scenario as YAML, and what a person should know of it.
type Result struct {
	YAML  []byte
	Notes reason.Reasons
}

// ErrNoChat is that none of the requests has a text that a customer could have said.
var ErrNoChat = reason.Errorf("no request has a text that a customer may have said: record one in which you say something")

// maxTurns is how many turns of a recording are kept.
const maxTurns = 50

// Scenario finds the chat among recorded requests and writes a scenario of it. name
// is the scenario's; file is what the comments call the file it will stand in.
func Scenario(name, file string, list []*Exchange) (*Result, error) {
	turns, first := chatOf(list)
	if len(turns) == 0 {
		return nil, ErrNoChat
	}
	d := &draft{name: name, file: file, env: newSecrets()}
	last := turns[len(turns)-1]
	said, _ := saidIn(last)
	d.read(turns)
	dialog := ""
	for _, x := range turns {
		if x.Answer != nil && dialog == "" {
			dialog = d.idIn(x.Answer)
		}
	}
	var known map[string]string
	d.steps, known, d.cookies = logins(list[:first], last, d.env)
	d.request = newRequest(last, said, dialog, d.response != nil && d.response.dialogID == "", d.env)
	d.headers, d.bearer = d.request.headersOf(last, known, dialog, d.cookies)
	d.method, d.url, d.insecure = last.Method, target(last.URL), last.Insecure
	d.described = last.Described
	d.form, d.multi = len(last.Form) > 0, last.Multi
	return &Result{d.yaml(), d.notes()}, nil
}

// chatOf gives the requests of one kind that are most likely the turns, and the place
// of the first in the list.
func chatOf(list []*Exchange) (turns []*Exchange, first int) {
	scores := map[string]int{}
	kind := func(x *Exchange) string { return x.Method + " " + x.URL.Host + shape(x.URL.Path) }
	best := ""
	for _, x := range list {
		if _, score := saidIn(x); score > 0 && !isPage(x) && !slices.Contains([]string{"OPTIONS", "DELETE", "HEAD"}, x.Method) {
			k := kind(x)
			if scores[k] += score; best == "" || scores[k] > scores[best] {
				best = k
			}
		}
	}
	for i, x := range list {
		if _, score := saidIn(x); best != "" && score > 0 && kind(x) == best {
			if len(turns) == 0 {
				first = i
			}
			if turns = append(turns, x); len(turns) == maxTurns {
				break
			}
		}
	}
	return turns, first
}

// isPage tells a request for a page, a script or a picture, or a login.
func isPage(x *Exchange) bool {
	if x.Answer != nil {
		for _, media := range []string{"text/html", "text/css", "image/", "font/", "javascript"} {
			if strings.Contains(x.Answer.Type, media) {
				return true
			}
		}
	}
	path := strings.ToLower(x.URL.Path)
	return strings.Contains(path, "login") || strings.Contains(path, "signin") || strings.Contains(path, "/track") || strings.Contains(path, "/collect")
}

// shape is a path without the parts that look like ids.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		digits := strings.Count(p, "-")
		for _, r := range p {
			if r >= '0' && r <= '9' {
				digits++
			}
		}
		if len(p) >= 8 && digits*3 >= len(p) {
			parts[i] = "*"
		}
	}
	return "/" + strings.Join(parts, "/")
}

// draft is a scenario while it is written.
type draft struct {
	name, file  string
	url, method string
	insecure    bool
	form, multi bool
	described   bool
	cookies     bool
	steps       []step
	request     *request
	headers     []Field
	bearer      string
	response    *response
	says        []string
	env         *secrets
}

// read takes what customers said, and how answers look, from the turns.
func (d *draft) read(turns []*Exchange) {
	for _, x := range turns {
		said, _ := saidIn(x)
		d.says = append(d.says, said.text)
		if r := readAnswer(x.Answer, said.text); r != nil && (d.response == nil || d.response.answer == "") {
			d.response = r
		}
	}
}

// idIn is the dialog's id in a recorded answer.
func (d *draft) idIn(a *Answer) string {
	if d.response == nil || d.response.dialogID == "" {
		return ""
	}
	bodies := []string{a.Body}
	for _, e := range eventsOf(a) {
		bodies = append(bodies, e.data)
	}
	for _, body := range bodies {
		if t, err := parseJSON(body); err == nil {
			for _, l := range t.leaves() {
				if l.path == d.response.dialogID && l.text != "" {
					return l.text
				}
			}
		}
	}
	return ""
}

func (d *draft) notes() reason.Reasons {
	notes := slices.Concat(d.request.notes, loginNote(d.steps), d.env.notes)
	if d.response == nil && !d.request.openAI {
		notes = append(notes, reason.New(reason.DeriveAnswerUnknown))
	}
	return slices.CompactFunc(notes, func(a, b reason.Reason) bool { return reason.Compare(a, b) == 0 })
}

// stream tells whether the answers are streams.
func (d *draft) stream() bool {
	return d.request.stream || d.response != nil && d.response.stream != ""
}

func (d *draft) yaml() []byte {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# yaml-language-server: $schema=./scenario.schema.json")
	made, called := "recorded requests", "recorded"
	if d.described {
		made, called = "an API's description, nothing of it tried", "described"
	}
	p("#\n# Made from %s: look at what is marked with <--, then\n#", made)
	p("#   cstest validate %s\n#   cstest try %s\n#   cstest run %s", d.file, d.file, d.file)
	p("version: 1\nname: %s\n\ntarget:\n  url: %s      # <-- a public address also needs --allow-target", quote(d.name), quote(d.url))
	if d.insecure {
		p("  tls: {insecure: true}")
	}
	d.writeAPI(p)
	d.writeSession(p)
	d.writeRequest(p)
	d.writeResponse(p)
	if d.stream() {
		p("  timeout: 60s")
	} else {
		p("  timeout: 10s")
	}
	p("\nload:\n  stages:                       # <-- starts of conversations")
	p("    - {name: warmup, for: 10s, starts: 1/s, judged: false}\n    - {name: steady, for: 2m, starts: 5/s}\n  think: {median: 3s, p95: 9s}")
	p("\nconversations:                  # <-- what your customers say\n  - name: %s\n    turns:", called)
	for _, say := range d.says {
		p("      - say: %s", quote(say))
	}
	p("\nguard: {abort: {bad: 50%%, for: 15s}}\n\nsla:                            # <-- what is good enough\n  latency: {p95: 3s}\n  availability: 99%%")
	return []byte(b.String())
}

type printer func(format string, args ...any)

func (d *draft) writeAPI(p printer) {
	if d.request.openAI {
		p("  api: openai\n  model: %s", quote(d.request.model))
	} else {
		p("  api: custom")
	}
	if d.stream() {
		p("  mode: stream")
	}
}

func (d *draft) writeSession(p printer) {
	if d.bearer != "" {
		p("  auth: {bearer: %s}", quote(d.bearer))
	}
	if d.cookies {
		p("  cookies: per-user")
	}
	if len(d.headers) > 0 {
		p("  headers:")
		seen := map[string]bool{}
		for _, f := range d.headers {
			if !seen[f.Name] {
				seen[f.Name] = true
				p("    %s: %s", quote(f.Name), quote(f.Value))
			}
		}
	}
	switch len(d.steps) {
	case 0:
	case 1:
		p("  login: %s", d.steps[0].yaml())
	default:
		p("  login:\n    steps:")
		for _, s := range d.steps {
			p("      - %s", s.yaml())
		}
	}
}

func (s *step) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{method: %s, path: %s", s.method, quote(s.path))
	if len(s.headers) > 0 {
		b.WriteString(", headers: {")
		for i, f := range s.headers {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quote(f.Name) + ": " + quote(f.Value))
		}
		b.WriteString("}")
	}
	if s.form {
		b.WriteString(", as: form")
	}
	if s.body != "" {
		b.WriteString(", body: " + s.body)
	}
	if s.ok != "" {
		b.WriteString(", ok: " + s.ok)
	}
	if len(s.names) > 0 {
		b.WriteString(", save: {")
		for i, name := range s.names {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quote(name) + ": " + quote(s.save[name]))
		}
		b.WriteString("}")
	}
	return b.String() + "}"
}

func (d *draft) writeRequest(p printer) {
	r := d.request
	path := r.path
	if r.query != "" {
		path += "?" + r.query
	}
	if r.openAI {
		if path != "/v1/chat/completions" {
			p("  request: {path: %s}", quote(path))
		}
		return
	}
	p("  request:                      # <--\n    method: %s\n    path: %s", d.method, quote(path))
	switch {
	case r.body != nil:
		p("    body: %s", r.body)
	case d.form:
		p("    as: %s\n    body:", map[bool]string{false: "form", true: "multipart"}[d.multi])
		for _, f := range r.form {
			if f.File {
				p("      %s: {file: %s, type: application/octet-stream}", quote(f.Name), quote(f.Value))
			} else {
				p("      %s: %s", quote(f.Name), quote(f.Value))
			}
		}
	case r.text != "":
		p("    as: text\n    body: %s", quote(r.text))
	}
}

func (d *draft) writeResponse(p printer) {
	if d.request.openAI {
		return
	}
	p("  response:                     # <--")
	r := d.response
	if r == nil {
		if d.stream() {
			p("    stream: {delta: choices.0.delta.content, done: \"[DONE]\"}")
		} else {
			p("    answer: answer")
		}
		if d.usesDialog() {
			p("    dialog_id: dialog_id")
		}
		return
	}
	if r.stream != "" {
		p("    stream: %s", r.stream)
	} else {
		p("    answer: %s", quote(r.answer))
	}
	for _, f := range []struct{ name, val string }{{"ok", r.ok}, {"error_code", r.code}, {"error_message", r.message}} {
		if f.val != "" {
			if f.name != "ok" {
				f.val = quote(f.val)
			}
			p("    %s: %s", f.name, f.val)
		}
	}
	if r.dialogID != "" && d.usesDialog() {
		p("    dialog_id: %s", quote(r.dialogID))
	}
}

// usesDialog tells whether a turn sends what the server called the dialog.
func (d *draft) usesDialog() bool {
	const name = "${dialog.id}"
	if d.request.body != nil && strings.Contains(d.request.body.String(), name) || strings.Contains(d.request.query, name) {
		return true
	}
	return slices.ContainsFunc(slices.Concat(d.request.form, d.headers), func(f Field) bool { return f.Value == name })
}

// requestPath is the path of a request with its query.
func requestPath(x *Exchange) string {
	path := bare(x.URL.EscapedPath())
	if path == "" {
		path = "/"
	}
	if x.URL.RawQuery != "" {
		path += "?" + x.URL.RawQuery
	}
	return path
}
