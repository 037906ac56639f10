package driver

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/driver/internal/dial"
	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// plan is a target compiled: everything a turn needs that no turn changes.
type plan struct {
	wire.Target

	turn    wire.Request
	sent    *step   // what is kept of its answer, where steps follow it
	then    []*step // behind it; the last has the answer
	session session
	jwt     *signer
	poll    wire.Request
	read    reader
	saved   savedNames
	slots   int  // of JSON values that are looked for in one document
	heads   bool // all headers of answers are kept

	dialect dialect // of a stream's events

	model *modelRules // nil but of api openai

	socket *socketRules // nil but in mode websocket
	agents *agentRules  // nil but in mode agents

	jobs     jobRules
	wants    wants
	turnPath string // what a job's address is relative to

	mode scenario.Mode
	opts Options
}

// complete tells what target lacks of the numbers that scenario has defaults for
// and this package has not.
func complete(target *scenario.Target) error {
	numbers := map[string]bool{
		"timeout": target.Timeout > 0, "pool": target.Pool > 0 || target.Connections != scenario.Shared,
		"limits.headers": target.Limits.Headers > 0, "limits.line": target.Limits.Line > 0,
		"limits.body": target.Limits.Body > 0, "limits.ratio": target.Limits.Ratio > 0,
		"auth.jwt.ttl":   target.Auth == nil || target.Auth.JWT == nil || target.Auth.JWT.TTL > 0,
		"agents.sockets": target.Mode != scenario.ModeAgents || target.Agents != nil && target.Agents.Sockets > 0,
	}
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		if !numbers[name] {
			return fmt.Errorf("target.%s: give a number above zero", name)
		}
	}
	return nil
}

func compile(target *scenario.Target, opts Options) (*plan, error) {
	if err := complete(target); err != nil {
		return nil, err
	}
	p := &plan{mode: target.Mode, opts: opts, saved: namesSaved(target), slots: eventSlots}
	p.opts.saved = p.saved
	p.Target = wire.Target{
		Base: opts.Base, Timeout: time.Duration(target.Timeout), Connections: target.Connections, Pool: int(target.Pool),
		Limits: wire.Limits{
			Head: int(target.Limits.Headers), Line: int(target.Limits.Line), Body: int(target.Limits.Body), Ratio: int(target.Limits.Ratio),
			Stall: time.Duration(target.Limits.Stall),
		},
		Resume:   target.TLS == nil || target.TLS.Resume == nil || *target.TLS.Resume,
		Verbatim: opts.Capture != nil,
	}
	if !slices.Contains([]scenario.Connections{scenario.PerUser, scenario.PerConversation, scenario.PerTurn, scenario.Shared}, p.Connections) {
		return nil, fmt.Errorf("target.connections: %.20q is none of per-user, per-conversation, per-turn, shared", p.Connections)
	}
	if !slices.Contains([]scenario.Mode{scenario.ModeSync, scenario.ModeStream, scenario.ModeAsync, scenario.ModeWebSocket, scenario.ModeAgents}, p.mode) {
		return nil, fmt.Errorf("target.mode: %.20q is none of sync, stream, async, websocket, agents", p.mode)
	}
	target, err := p.spoken(target)
	if err != nil {
		return nil, err
	}
	u, err := p.where(target)
	if err != nil {
		return nil, err
	}
	var secure *tls.Config
	if p.Secure {
		if secure, err = dial.TLS(target.TLS, u.Hostname(), opts.Dir); err != nil {
			return nil, err
		}
		if target.HTTP == scenario.HTTP2 {
			secure.NextProtos = []string{"h2"}
		}
	}
	p.Dial = dial.New(p.Address, secure, dial.Spread{
		Sources: opts.Sources, Own: opts.OwnAddress, Pin: target.Addresses == scenario.FirstAddress,
	}).Dial
	if err := p.requests(target, u); err != nil {
		return nil, err
	}
	var paths *find.Paths
	if p.read, paths, err = newReader(target, p.saved); err != nil {
		return nil, err
	}
	if p.mode == scenario.ModeStream || p.socket != nil && p.socket.streamed {
		var ok bool
		if p.dialect, ok = newDialect(target, paths); !ok {
			return nil, errors.New("target.response.stream: mode stream of a custom api needs delta and done")
		}
	}
	p.slots = max(p.slots, paths.Next)
	p.heads = keepsHeads(target) || p.socket != nil
	p.wants = p.newWants(target)
	return p, nil
}

// spoken is target with what its API says over sockets, where those are what it speaks
// over; it refuses modes that the API has not.
func (p *plan) spoken(target *scenario.Target) (*scenario.Target, error) {
	switch {
	case p.mode == scenario.ModeAgents && target.API != scenario.APIReference:
		return nil, fmt.Errorf("target.mode: agents is for api reference, not %.20q", target.API)
	case p.mode == scenario.ModeWebSocket && target.API == scenario.APIReference && p.Connections != scenario.Shared:
		return withMessages(target), nil
	case p.mode == scenario.ModeWebSocket && (target.API != scenario.APICustom || target.Request == nil || p.Connections == scenario.Shared):
		return nil, errors.New("target.mode: websocket is for api reference, or custom with a request, and connections that are not shared")
	}
	return target, nil
}

// keepsHeads tells whether something is looked for in answers' headers.
func keepsHeads(target *scenario.Target) bool {
	heads := target.Cookies == scenario.CookiesPerUser
	look := func(place string) {
		kind, _ := scenario.Find(place)
		heads = heads || kind == scenario.PlaceHeader || kind == scenario.PlaceCookie
	}
	steps := slices.Concat(target.Login.All(), target.Before, target.Then)
	if target.Request != nil {
		steps = append(steps, scenario.Step{Save: target.Request.Save})
	}
	if target.Login != nil {
		steps = append(steps, scenario.Step{OK: target.Login.AgainOn})
	}
	if target.Response != nil {
		target.Response.EachPlace(func(_, place string) { look(place) })
	}
	for i := range steps {
		for _, place := range steps[i].Save {
			look(place)
		}
		conditions := steps[i].OK
		if poll := steps[i].Poll; poll != nil {
			conditions = slices.Concat(conditions, poll.IsAnswer, poll.Failed)
		}
		for _, c := range conditions {
			look(c.Path)
		}
	}
	return heads
}

// all gives every kind of request.
func (p *plan) all() []*wire.Request {
	all := []*wire.Request{&p.turn, &p.poll}
	if p.socket != nil {
		all = append(all, &p.socket.upgrade)
		if len(p.opts.Forged) > 0 {
			all = append(all, &p.socket.forged)
		}
	}
	for _, s := range slices.Concat(p.session.login, p.session.before, p.then) {
		if !s.message {
			all = append(all, &s.Request)
		}
	}
	return all
}

// where finds out whom to connect to.
func (p *plan) where(target *scenario.Target) (*url.URL, error) {
	u, err := url.Parse(target.URL)
	if err != nil {
		return nil, errors.New("target.url: not a URL")
	}
	port := u.Port()
	switch u.Scheme {
	case "http", "ws":
		if port == "" {
			port = "80"
		}
	case "https", "wss":
		p.Secure = true
		if port == "" {
			port = "443"
		}
	default:
		return nil, fmt.Errorf("target.url: scheme %.20q: write http://… or https://…", u.Scheme)
	}
	switch {
	case u.Hostname() == "":
		return nil, errors.New("target.url: no host in it")
	case u.User != nil:
		return nil, errors.New("target.url: put credentials into headers or auth, not into the URL")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("target.url: put the query into request.path")
	}
	p.Host = u.Host
	p.Address = net.JoinHostPort(u.Hostname(), port)
	if to, ok := target.Resolve[p.Address]; ok {
		if _, _, err := net.SplitHostPort(to); err != nil {
			return nil, fmt.Errorf("target.resolve: %.60q is not address:port", to)
		}
		p.Address = to
	}
	return u, nil
}

// requests compiles what is sent: the turn, the login, the question after a job.
func (p *plan) requests(target *scenario.Target, u *url.URL) error {
	base, err := p.defaults(target, &p.opts)
	if err != nil {
		return err
	}
	if p.model, err = newModelRules(target, &p.opts); err != nil {
		return err
	}
	usual, body, err := p.builtin(target, u.Path)
	if err != nil {
		return err
	}
	prefix := strings.TrimSuffix(u.EscapedPath(), "/")
	own := target.Request
	if own == nil {
		own = &scenario.Request{Method: scenario.MethodPost}
	}
	q := wire.Request{Method: string(own.Method), Body: body, Bodied: true, Events: p.mode == scenario.ModeStream && len(target.Then) == 0}
	q.Lines = q.Events && streamsLines(target)
	if p.mode == scenario.ModeWebSocket {
		q.Method = string(scenario.MethodPost) // never sent
	}
	if !wire.IsToken(q.Method) {
		return fmt.Errorf("request.method: %.20q is not a method", q.Method)
	}
	if q.Path, err = p.pathOf(prefix, cmp.Or(own.Path, usual)); err != nil {
		return fmt.Errorf("request.path: %w", err)
	}
	kind := scenario.AsJSON.ContentType()
	if len(own.Body) > 0 && p.model == nil {
		if q.Body, kind, err = p.ownBody(own); err != nil {
			return fmt.Errorf("request.body: %w", err)
		}
	}
	if q.Body.Empty() {
		q.Bodied = own.Method != scenario.MethodGet
	}
	if target.API == scenario.APICustom && answersAnything(target) {
		base = accepting(base, anything)
	}
	if q.Fields, err = p.turnFields(target, base, &q, kind); err != nil {
		return fmt.Errorf("request.headers: %w", err)
	}
	p.turn = q
	p.turnPath, _ = q.Path.Constant()
	if job := jobOf(target); job != nil {
		p.jobs = jobRules{url: job.URL != "", status: job.Status != "", done: job.Done}
	}
	p.poll = wire.Request{Method: string(scenario.MethodGet), Path: jobPath(), Fields: append(slices.Clip(base), traceparent())}
	if p.jwt, err = newSigner(target, &p.opts); err != nil {
		return err
	}
	if err := p.sockets(target, own, prefix, base); err != nil {
		return err
	}
	if err := p.newSession(target, prefix, base); err != nil {
		return err
	}
	if p.then, err = p.newSteps(target.Then, "then", prefix, base); err != nil {
		return err
	}
	if err := p.behind(target, own); err != nil {
		return err
	}
	p.keepCookies(target, u)
	p.forgeable()
	return nil
}

// behind compiles what of a turn's answer its steps use, and how the last is answered.
func (p *plan) behind(target *scenario.Target, own *scenario.Request) error {
	n := len(p.then)
	if n == 0 {
		return nil
	}
	if p.mode == scenario.ModeStream {
		if err := p.streamed(p.then[n-1], target); err != nil {
			return err
		}
	}
	p.sent = &step{name: "request"}
	if err := p.sent.reading(p, &scenario.Step{Save: own.Save}, "request"); err != nil {
		return fmt.Errorf("request.%w", err)
	}
	return nil
}

// streamsLines tells whether a stream is known to be one whatever its content type.
func streamsLines(target *scenario.Target) bool {
	if target.Response == nil || target.Response.Stream == nil {
		return false
	}
	format := target.Response.Stream.Format
	return format == scenario.StreamNDJSON || format == scenario.StreamText
}

// streamed makes a step one that is answered by a stream.
func (p *plan) streamed(s *step, target *scenario.Target) error {
	if s.poll != nil {
		return errors.New("then: the last step of mode: stream is sent once: it has no poll")
	}
	s.Events, s.Lines = true, streamsLines(target)
	for i := range s.Fields {
		if usual, _ := s.Fields[i].Value.Constant(); s.Fields[i].Name == "accept" && usual == anything {
			s.Fields[i].Value = raw(acceptOf(&s.Request, target))
		}
	}
	return nil
}

// acceptOf is what kind of stream is asked for.
func acceptOf(q *wire.Request, target *scenario.Target) string {
	switch {
	case !q.Lines:
		return "text/event-stream"
	case target.Response.Stream.Format == scenario.StreamText:
		return "text/plain, */*"
	}
	return "application/x-ndjson, application/json"
}

// sockets compiles what the modes that have them need.
func (p *plan) sockets(target *scenario.Target, turn *scenario.Request, prefix string, base []wire.Field) (err error) {
	if p.mode == scenario.ModeWebSocket {
		return p.newSocketRules(target, turn, prefix, base)
	}
	if p.mode == scenario.ModeAgents {
		p.agents, err = p.newAgentRules(target, prefix)
	}
	return err
}

// ownBody is the body that a custom API is sent.
func (p *plan) ownBody(own *scenario.Request) (wire.Text, string, error) {
	form := own.History
	if form == nil {
		form = usualHistory
	}
	history, err := historyOf(form)
	if err != nil {
		return wire.Text{}, "", fmt.Errorf("history: %w", err)
	}
	return p.opts.bindAs(own.As, own.Body, map[string]template.Variable[wire.Values]{"history": history})
}

// answersAnything tells whether an answer need not be JSON.
func answersAnything(target *scenario.Target) bool {
	r := target.Response
	if r == nil {
		return false
	}
	kind, _ := scenario.Find(r.Answer)
	return kind != scenario.PlaceJSON || r.Format == scenario.FormatJSONP
}

// keepCookies has every request carry the cookies of its user.
func (p *plan) keepCookies(target *scenario.Target, u *url.URL) {
	if target.Cookies != scenario.CookiesPerUser {
		return
	}
	p.session.origin = &url.URL{Scheme: "http", Host: u.Host}
	if p.Secure {
		p.session.origin.Scheme = "https"
	}
	for _, q := range p.all() {
		path := q.Path
		q.Fields = append(slices.Clip(q.Fields), wire.Field{
			Name: "cookie", Maybe: true,
			Value: template.Only("cookies", template.Value(func(b []byte, v *wire.Values) []byte {
				return p.session.appendCookies(b, of(v).user, string(path.Append(nil, v)))
			}), template.Header),
		})
	}
}

func (p *plan) turnFields(target *scenario.Target, base []wire.Field, q *wire.Request, kind string) ([]wire.Field, error) {
	fields := slices.Clip(base)
	if q.Events {
		fields = accepting(fields, acceptOf(q, target))
	}
	if q.Bodied {
		fields = append(fields, wire.Field{Name: "content-type", Value: raw(kind)})
	}
	var own map[string]string
	if target.Request != nil {
		own = target.Request.Headers
	}
	return headers(own, append(fields, traceparent()), &p.opts)
}

// pathOf joins the target's own path and a request's.
func (p *plan) pathOf(prefix, path string) (wire.Text, error) {
	if path == "" && prefix == "" {
		path = "/"
	}
	if path != "" && path[0] != '/' {
		return wire.Text{}, fmt.Errorf("%.60q: begin with /", path)
	}
	own, err := p.opts.bind(path, template.Path)
	return template.Join(raw(prefix), own), err
}

// builtin gives path and body of an API that needs no template.
func (p *plan) builtin(target *scenario.Target, prefix string) (string, wire.Text, error) {
	o, mode := &p.opts, p.mode
	var path, body string
	switch target.API {
	case scenario.APIReference:
		path = map[scenario.Mode]string{
			scenario.ModeSync: "/v1/chat", scenario.ModeStream: "/v1/chat/stream", scenario.ModeAsync: "/v1/chat/async", scenario.ModeAgents: "/v1/chat",
		}[mode]
		body = referenceBody(target)
	case scenario.APIArticle:
		path = "/chat"
		body = `{"uid":"${user.id}","dialog_id":"${dialog.id}","text":"${turn.text}"}`
	case scenario.APIOpenAI:
		if target.Model == "" {
			return "", wire.Text{}, errors.New("target.model: api openai needs the model's name")
		}
		t, err := p.model.body(target, mode == scenario.ModeStream, o)
		return p.model.path(prefix), t, err
	case scenario.APICustom:
		return "", wire.Text{}, nil
	default:
		return "", wire.Text{}, fmt.Errorf("target.api: %.20q is none of reference, article, openai, custom", target.API)
	}
	t, err := o.bindBody([]byte(body))
	return path, t, err
}

// referenceBody is what the reference API is sent, over HTTP and over a socket.
func referenceBody(target *scenario.Target) string {
	if target.Auth == nil {
		return `{"uid":"${user.id}","dialog_id":"${dialog.id}","turn_id":"${turn.id}","text":"${turn.text}"}`
	}
	return `{"dialog_id":"${dialog.id}","turn_id":"${turn.id}","text":"${turn.text}"}`
}

// withMessages is a target of the reference API whose turns go over sockets: the
// messages are the documents of HTTP, each with the id of its turn.
func withMessages(target *scenario.Target) *scenario.Target {
	t := *target
	t.Request = &scenario.Request{As: scenario.AsJSON, Body: []byte(referenceBody(target))}
	t.Response = &scenario.Response{TurnID: "turn_id"}
	return &t
}

// jobOf says where the job of an asynchronous turn is, nil where nothing but the
// HTTP status says so.
func jobOf(target *scenario.Target) *scenario.JobPath {
	if target.Response != nil && target.Response.Job != nil {
		return target.Response.Job
	}
	if target.Mode == scenario.ModeAsync && target.API == scenario.APIReference {
		return &scenario.JobPath{Status: "status"}
	}
	return nil
}
