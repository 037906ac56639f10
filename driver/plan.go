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
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// plan is a target compiled: everything a turn needs that no turn changes.
type plan struct {
	wire.Target

	turn  wire.Request
	login *login
	jwt   *signer
	poll  wire.Request
	read  reader

	dialect dialect // of a stream's events

	agents *agentRules // nil but in mode websocket

	jobs     jobRules
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
		"agents.sockets": target.Mode != scenario.ModeWebSocket || target.Agents != nil && target.Agents.Sockets > 0,
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
	p := &plan{mode: target.Mode, opts: opts}
	p.Target = wire.Target{
		Base: opts.Base, Timeout: time.Duration(target.Timeout), Connections: target.Connections, Pool: int(target.Pool),
		Limits: wire.Limits{
			Head: int(target.Limits.Headers), Line: int(target.Limits.Line), Body: int(target.Limits.Body), Ratio: int(target.Limits.Ratio),
			Stall: time.Duration(target.Limits.Stall),
		},
		Verbatim: opts.Capture != nil,
	}
	if !slices.Contains([]scenario.Connections{scenario.PerUser, scenario.PerConversation, scenario.PerTurn, scenario.Shared}, p.Connections) {
		return nil, fmt.Errorf("target.connections: %.20q is none of per-user, per-conversation, per-turn, shared", p.Connections)
	}
	if !slices.Contains([]scenario.Mode{scenario.ModeSync, scenario.ModeStream, scenario.ModeAsync, scenario.ModeWebSocket}, p.mode) {
		return nil, fmt.Errorf("target.mode: %.20q is none of sync, stream, async, websocket", p.mode)
	}
	if p.mode == scenario.ModeWebSocket && target.API != scenario.APIReference {
		return nil, fmt.Errorf("target.mode: websocket is for api reference, not %.20q", target.API)
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
	var paths map[int]string
	if p.read, paths, err = newReader(target); err != nil {
		return nil, err
	}
	if p.mode == scenario.ModeStream {
		var ok bool
		if p.dialect, ok = newDialect(target, paths); !ok {
			return nil, errors.New("target.response.stream: mode stream of a custom api needs delta and done")
		}
	}
	return p, nil
}

// all gives every kind of request.
func (p *plan) all() []*wire.Request {
	all := []*wire.Request{&p.turn, &p.poll}
	if p.login != nil {
		all = append(all, &p.login.Request)
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
	usual, body, err := p.opts.builtin(target, p.mode, u.Path)
	if err != nil {
		return err
	}
	prefix := strings.TrimSuffix(u.EscapedPath(), "/")
	own := target.Request
	if own == nil {
		own = &scenario.Request{Method: scenario.MethodPost}
	}
	q := wire.Request{Method: string(own.Method), Body: body, Bodied: true, Events: p.mode == scenario.ModeStream}
	if !wire.IsToken(q.Method) {
		return fmt.Errorf("request.method: %.20q is not a method", q.Method)
	}
	if q.Path, err = p.pathOf(prefix, cmp.Or(own.Path, usual)); err != nil {
		return fmt.Errorf("request.path: %w", err)
	}
	if len(own.Body) > 0 {
		if q.Body, err = p.opts.bindBody(own.Body); err != nil {
			return fmt.Errorf("request.body: %w", err)
		}
	}
	if q.Body.Empty() {
		q.Bodied = own.Method != scenario.MethodGet
	}
	if q.Fields, err = p.turnFields(own.Headers, base, &q); err != nil {
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
	if p.mode == scenario.ModeWebSocket {
		if p.agents, err = p.newAgentRules(target, prefix); err != nil {
			return err
		}
	}
	p.login, err = p.newLogin(target, prefix, base)
	return err
}

func (p *plan) turnFields(own map[string]string, base []wire.Field, q *wire.Request) ([]wire.Field, error) {
	fields := slices.Clip(base)
	if q.Events {
		fields = append([]wire.Field(nil), fields...)
		for i := range fields {
			if fields[i].Name == "accept" {
				fields[i].Value = raw("text/event-stream")
			}
		}
	}
	if q.Bodied {
		fields = append(fields, wire.Field{Name: "content-type", Value: raw("application/json")})
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
func (o *Options) builtin(target *scenario.Target, mode scenario.Mode, prefix string) (string, wire.Text, error) {
	var path, body string
	switch target.API {
	case scenario.APIReference:
		path = map[scenario.Mode]string{
			scenario.ModeSync: "/v1/chat", scenario.ModeStream: "/v1/chat/stream", scenario.ModeAsync: "/v1/chat/async", scenario.ModeWebSocket: "/v1/chat",
		}[mode]
		body = `{"dialog_id":"${dialog.id}","turn_id":"${turn.id}","text":"${turn.text}"}`
		if target.Auth == nil {
			body = `{"uid":"${user.id}","dialog_id":"${dialog.id}","turn_id":"${turn.id}","text":"${turn.text}"}`
		}
	case scenario.APIArticle:
		path = "/chat"
		body = `{"uid":"${user.id}","dialog_id":"${dialog.id}","text":"${turn.text}"}`
	case scenario.APIOpenAI:
		if target.Model == "" {
			return "", wire.Text{}, errors.New("target.model: api openai needs the model's name")
		}
		path = "/v1/chat/completions"
		if strings.HasSuffix(strings.TrimSuffix(prefix, "/"), "/v1") {
			path = "/chat/completions"
		}
		t, err := o.openAIBody(target.Model, mode == scenario.ModeStream)
		return path, t, err
	case scenario.APICustom:
		return "", wire.Text{}, nil
	default:
		return "", wire.Text{}, fmt.Errorf("target.api: %.20q is none of reference, article, openai, custom", target.API)
	}
	t, err := o.bindBody([]byte(body))
	return path, t, err
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
