package scenario

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cstest/cstest/template"
)

const (
	maxSteps = 20 // of a login, before a conversation, of a turn
	maxSaved = 50 // names of each
)

// mapping checks what is sent and where things are in what comes back.
func (c *checker) mapping() {
	t := &c.Target
	if t.Bundled != nil {
		return
	}
	c.login()
	c.steps("target.before", t.Before)
	c.request()
	c.steps("target.then", t.Then)
	c.response()
	if t.API != APICustom {
		for path, given := range map[string]bool{"target.before": t.Before != nil, "target.then": t.Then != nil} {
			if given {
				c.bad(path, "is for api: custom; what api %s asks for is known", t.API)
			}
		}
	}
	if len(t.Then) > 0 && t.Mode != ModeSync && t.Mode != ModeStream {
		c.bad("target.then", "goes with mode: sync and stream; in mode: %s the answer to the request is that of the turn", t.Mode)
	}
	if t.Cookies == CookiesPerUser {
		c.noCookieHeader("target.headers", t.Headers)
		if t.Request != nil {
			c.noCookieHeader("target.request.headers", t.Request.Headers)
		}
	}
}

func (c *checker) noCookieHeader(path string, headers map[string]string) {
	for _, name := range sortedKeys(headers) {
		if strings.EqualFold(name, "cookie") {
			c.bad(join(path, name), "cookies: per-user writes it: remove one of the two")
		}
	}
}

func (c *checker) login() {
	l := c.Target.Login
	if l == nil {
		return
	}
	c.conditions("target.login.again_on", l.AgainOn)
	if l.Steps != nil {
		if l.Path != "" || l.Method != "" || l.Headers != nil || l.As != "" || l.Body != nil || l.OK != nil || l.Save != nil {
			c.bad("target.login", "has both steps and a request of its own: make it the first of the steps")
		}
		if len(l.Steps) == 0 {
			c.bad("target.login.steps", "has no steps")
		}
		c.steps("target.login.steps", l.Steps)
		return
	}
	if l.Path == "" {
		c.bad("target.login.path", "is missing: write the path of the login, or steps")
		return
	}
	c.path("target.login.path", l.Path)
	c.headers("target.login.headers", l.Headers)
	c.body("target.login", l.As, l.Body, l.Headers, l.Method)
	c.conditions("target.login.ok", l.OK)
	c.save("target.login.save", l.Save, "login")
}

func (c *checker) steps(path string, steps []Step) {
	if len(steps) > maxSteps {
		c.bad(path, "has more than %d steps", maxSteps)
	}
	family := "saved"
	if strings.HasPrefix(path, "target.login") {
		family = "login"
	}
	for i := range steps {
		s := &steps[i]
		at := item(path, i, "")
		if s.Name != "" {
			c.name(at+".name", s.Name)
		}
		if path == "target.before" && s.Path == "" && c.Target.Mode == ModeWebSocket {
			c.message(at, s, family)
			continue
		}
		if s.Path == "" {
			c.bad(at+".path", "is missing: write the path of the request")
			continue
		}
		if s.Event != "" || s.Ack || s.IsAnswer != nil {
			c.bad(at, "event, ack and is_answer are of messages over a socket, which have no path")
		}
		if !oneVariable(s.Path) {
			c.path(at+".path", s.Path)
		}
		c.headers(at+".headers", s.Headers)
		c.body(at, s.As, s.Body, s.Headers, s.Method)
		c.conditions(at+".ok", s.OK)
		c.save(at+".save", s.Save, family)
		if s.Poll != nil && c.Target.Mode == ModeStream && path == "target.then" && i == len(steps)-1 {
			c.bad(at+".poll", "the last step of mode: stream has the answer as it comes: it is sent once")
		}
		if s.Poll != nil {
			c.poll(at+".poll", s.Poll, path == "target.then")
		}
		if path == "target.then" && i == len(steps)-1 && s.OK != nil {
			c.bad(at+".ok", "the last step has the answer: what makes it one stands in target.response.ok")
		}
	}
}

// oneVariable tells whether a step's path is an address that another step saved.
func oneVariable(path string) bool {
	t, err := template.Parse(path, template.Path)
	return err == nil && strings.HasPrefix(path, "${") && len(t.Uses()) == 1 && path == "${"+t.Uses()[0].Name+"}"
}

func (c *checker) poll(path string, p *Poll, may bool) {
	if !may {
		c.bad(path, "is for the steps of target.then")
	}
	c.conditions(path+".is_answer", p.IsAnswer)
	c.conditions(path+".failed", p.Failed)
	if len(p.IsAnswer) == 0 {
		c.bad(path+".is_answer", "is empty: say by what the answer is known, for example {path: status, equals: done}")
	}
	switch {
	case p.Every <= 0:
		c.bad(path+".every", "must be above 0s")
	case p.AtMost < p.Every:
		c.bad(path+".at_most", "is below every")
	}
	if p.Backoff < 1 || p.Backoff > 100 {
		c.bad(path+".backoff", "must be 1 to 100")
	}
}

// body checks that a body can be sent as it is to be, and that its headers do not
// say otherwise.
func (c *checker) body(path string, as BodyKind, body []byte, headers map[string]string, method Method) {
	if len(body) == 0 {
		if as != "" {
			c.bad(path+".as", "says how the body is sent, and there is none")
		}
		return
	}
	if method == MethodGet {
		c.bad(path+".body", "servers do not read the body of a GET: put it into the path (?q=${turn.text}), or write method: POST")
	}
	switch as {
	case AsForm, AsMultipart:
		parts, err := Parts(body)
		if err != nil {
			c.bad(path+".body", "%s: as: %s sends fields", err, as)
		}
		c.parts(path+".body", as, parts)
	case AsText, AsXML:
		if _, err := TextBody(body); err != nil {
			c.bad(path+".body", "%s: as: %s sends it as it stands", err, as)
		}
	case AsJSON:
	}
	for _, name := range sortedKeys(headers) {
		if !strings.EqualFold(name, "content-type") {
			continue
		}
		if why := contradicts(as, headers[name]); why != "" {
			c.bad(join(path+".headers", name), "%s", why)
		}
	}
}

// contradicts tells where a content type says another kind of body than is sent.
func contradicts(as BodyKind, text string) string {
	kind, _, _ := strings.Cut(strings.ToLower(text), ";")
	kind = strings.TrimSpace(kind)
	fits := map[BodyKind]bool{
		AsForm:      kind == "application/x-www-form-urlencoded",
		AsMultipart: false,
		AsXML:       strings.HasSuffix(kind, "xml"),
		AsText:      !slices.Contains([]string{"application/x-www-form-urlencoded", "multipart/form-data"}, kind),
		AsJSON:      !slices.Contains([]string{"application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "text/xml"}, kind),
	}
	as = BodyKind(cmp.Or(string(as), string(AsJSON)))
	switch {
	case strings.Contains(text, "${") || fits[as]:
		return ""
	case as == AsMultipart:
		return "multipart needs a boundary, which cstest chooses: remove the header"
	}
	for _, other := range []BodyKind{AsForm, AsMultipart, AsXML} {
		if strings.HasPrefix(other.ContentType(), kind) || other == AsXML && strings.HasSuffix(kind, "xml") {
			return "the body is sent as " + string(as) + ": write as: " + string(other) + ", or remove the header"
		}
	}
	return "the body is sent as " + string(as) + ", which is " + as.ContentType() + ": remove the header"
}

func (c *checker) parts(path string, as BodyKind, parts []Part) {
	for _, p := range parts {
		at := join(path, p.Name)
		switch {
		case p.Name == "" || strings.ContainsAny(p.Name, "\r\n\x00"):
			c.bad(at, "%q is not the name of a field", short(p.Name))
		case p.File == "":
		case as != AsMultipart:
			c.bad(at, "files are sent with as: multipart")
		case strings.ContainsAny(p.Type, "\r\n\x00"):
			c.bad(at, "%q is not a type: write for example image/png", short(p.Type))
		case c.source.options.Recorded:
		default:
			if _, err := c.Upload(p.File); err != nil {
				c.bad(at, "%s", err)
			}
		}
	}
}

func (c *checker) save(path string, save map[string]string, family string) {
	if len(save) > maxSaved {
		c.bad(path, "has more than %d names", maxSaved)
	}
	for _, name := range sortedKeys(save) {
		c.place(join(path, name), save[name])
		if name == "" || len(name) > maxName || strings.ContainsAny(name, " \t\r\n${}:.") {
			c.bad(join(path, name), "%q cannot be named as ${%s.NAME}: use letters, digits and _", short(name), family)
		}
	}
}

func (c *checker) request() {
	t := &c.Target
	r := t.Request
	if r == nil {
		if t.API == APICustom {
			c.bad("target.request", "is missing: api custom needs to know what to send, for example {path: /chat, body: {text: \"${turn.text}\"}}")
		}
		return
	}
	if t.Mode != ModeWebSocket && (r.Path != "" || t.API == APICustom) {
		c.path("target.request.path", r.Path)
	}
	c.headers("target.request.headers", r.Headers)
	if t.API != APICustom {
		switch {
		case r.Body == nil:
		case t.API == APIOpenAI:
			c.members(r.Body)
		default:
			c.bad("target.request.body", "is for api: custom; the body of api %s is known", t.API)
		}
		if r.Save != nil || r.History != nil || r.As != "" {
			c.bad("target.request", "save, history and as are for api: custom")
		}
		return
	}
	before := len(c.problems)
	c.body("target.request", r.As, r.Body, r.Headers, r.Method)
	unreadable := len(c.problems) > before
	c.save("target.request.save", r.Save, "saved")
	c.history(r)
	for _, f := range t.templates() {
		if unreadable || f.place == InRequest && f.Has("turn.text") || f.err != nil && strings.HasPrefix(f.path, "target.request.body") {
			return
		}
	}
	c.bad("target.request.body", "says ${turn.text} nowhere: the user's message would not be sent")
}

// history checks the forms of ${history}'s messages.
func (c *checker) history(r *Request) {
	if r.History == nil {
		return
	}
	if t, err := template.ParseJSON(r.Body); err == nil && !t.Has("history") {
		c.bad("target.request.history", "is the form of ${history}, which stands nowhere in target.request.body")
	}
	for name, form := range map[string][]byte{"user": r.History.User, "assistant": r.History.Assistant} {
		path := "target.request.history." + name
		t, err := template.ParseJSON(form)
		if err != nil {
			c.template(path, err)
			continue
		}
		for _, use := range t.Uses() {
			if use.Name != "message.text" {
				c.bad(path+within(use.At), "${%s} is not known here: a message has ${message.text}", short(use.Name))
			}
		}
		if !t.Has("message.text") {
			c.bad(path, "says ${message.text} nowhere: what was said would be lost")
		}
	}
}
