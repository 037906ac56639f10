package driver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// plan is a target compiled: everything a turn needs that no turn changes.
type plan struct {
	host    string // as in the Host header
	address string // host:port, after resolve
	secure  bool
	tls     *tls.Config

	turn  request
	login *login
	jwt   *signer
	poll  request
	read  reader

	dialect dialect // of a stream's events

	agents *agentRules // nil but in mode websocket

	jobs     jobRules
	turnPath string // what a job's address is relative to

	timeout time.Duration
	limits  limits
	policy  string
	pool    int
	mode    string
	opts    Options
}

// limits are scenario.Limits with their defaults.
type limits struct {
	head, line, body int
	ratio            int
	stall            time.Duration
}

const (
	defaultTimeout = 10 * time.Second
	tokenTTL       = 2 * time.Hour
)

func compile(target *scenario.Target, opts Options) (*plan, error) {
	p := &plan{policy: string(target.Connections), pool: int(target.Pool), mode: string(target.Mode), opts: opts}
	p.timeout = time.Duration(target.Timeout)
	if p.timeout <= 0 {
		p.timeout = defaultTimeout
	}
	p.limits = limits{
		head: or(int(target.Limits.Headers), 64<<10), line: or(int(target.Limits.Line), 256<<10),
		body: or(int(target.Limits.Body), 1<<20), ratio: or(int(target.Limits.Ratio), 100),
		stall: time.Duration(target.Limits.Stall),
	}
	if p.policy == "" {
		p.policy = "per-user"
	}
	if p.mode == "" {
		p.mode = "sync"
	}
	if !slices.Contains([]string{"per-user", "per-conversation", "per-turn", "shared"}, p.policy) {
		return nil, fmt.Errorf("target.connections: %.20q is none of per-user, per-conversation, per-turn, shared", p.policy)
	}
	if !slices.Contains([]string{"sync", "stream", "async", "websocket"}, p.mode) {
		return nil, fmt.Errorf("target.mode: %.20q is none of sync, stream, async, websocket", p.mode)
	}
	if p.mode == "websocket" && target.API != "" && target.API != "reference" {
		return nil, fmt.Errorf("target.mode: websocket is for api reference, not %.20q", target.API)
	}
	u, err := p.where(target)
	if err != nil {
		return nil, err
	}
	if p.secure {
		if p.tls, err = tlsConfig(target, u.Hostname(), opts.Dir); err != nil {
			return nil, err
		}
	}
	if err := p.requests(target, u); err != nil {
		return nil, err
	}
	var paths map[int]string
	if p.read, paths, err = newReader(target); err != nil {
		return nil, err
	}
	if p.mode == "stream" {
		var ok bool
		if p.dialect, ok = newDialect(target, paths); !ok {
			return nil, errors.New("target.response.stream: mode stream of a custom api needs delta and done")
		}
	}
	return p, nil
}

func or(value, otherwise int) int {
	if value > 0 {
		return value
	}
	return otherwise
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
		p.secure = true
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
	p.host = u.Host
	p.address = net.JoinHostPort(u.Hostname(), port)
	if to, ok := target.Resolve[p.address]; ok {
		if _, _, err := net.SplitHostPort(to); err != nil {
			return nil, fmt.Errorf("target.resolve: %.60q is not address:port", to)
		}
		p.address = to
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
		own = &scenario.Request{}
	}
	q := request{method: firstOf(string(own.Method), "POST"), body: body, bodied: true, events: p.mode == "stream"}
	if !token(q.method) {
		return fmt.Errorf("request.method: %.20q is not a method", q.method)
	}
	if q.path, err = p.pathOf(prefix, firstOf(own.Path, usual)); err != nil {
		return fmt.Errorf("request.path: %w", err)
	}
	if len(own.Body) > 0 {
		if q.body, err = p.opts.bindBody(own.Body); err != nil {
			return fmt.Errorf("request.body: %w", err)
		}
	}
	if q.body.Empty() {
		q.bodied = q.method != "GET" && q.method != "HEAD"
	}
	if q.fields, err = p.turnFields(own.Headers, base, &q); err != nil {
		return fmt.Errorf("request.headers: %w", err)
	}
	q.compile(p.host, p.policy == "per-turn")
	p.turn = q
	p.turnPath, _ = q.path.Constant()
	if job := jobOf(target); job != nil {
		p.jobs = jobRules{url: job.URL != "", status: job.Status != "", done: job.Done}
	}
	p.poll = request{method: "GET", path: jobPath(), fields: append(base[:len(base):len(base)], traceparent())}
	p.poll.compile(p.host, p.policy == "per-turn")
	if p.jwt, err = newSigner(target, &p.opts); err != nil {
		return err
	}
	if p.mode == "websocket" {
		if p.agents, err = p.newAgentRules(target, prefix); err != nil {
			return err
		}
	}
	p.login, err = p.newLogin(target, prefix, base)
	return err
}

func (p *plan) turnFields(own map[string]string, base []field, q *request) ([]field, error) {
	fields := base[:len(base):len(base)]
	if q.events {
		fields = append([]field(nil), fields...)
		for i := range fields {
			if fields[i].name == "accept" {
				fields[i].value = raw("text/event-stream")
			}
		}
	}
	if q.bodied {
		fields = append(fields, field{"content-type", raw("application/json")})
	}
	return headers(own, append(fields, traceparent()), &p.opts)
}

// pathOf joins the target's own path and a request's.
func (p *plan) pathOf(prefix, path string) (bound, error) {
	if path == "" && prefix == "" {
		path = "/"
	}
	if path != "" && path[0] != '/' {
		return bound{}, fmt.Errorf("%.60q: begin with /", path)
	}
	own, err := p.opts.bind(path, template.Path)
	return template.Join(raw(prefix), own), err
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// builtin gives path and body of an API that needs no template.
func (o *Options) builtin(target *scenario.Target, mode, prefix string) (string, bound, error) {
	path, body := "", ""
	switch target.API {
	case "", "reference":
		path = map[string]string{"sync": "/v1/chat", "stream": "/v1/chat/stream", "async": "/v1/chat/async", "websocket": "/v1/chat"}[mode]
		body = `{"dialog_id":"${dialog.id}","turn_id":"${turn.id}","text":"${turn.text}"}`
		if target.Auth == nil {
			body = `{"uid":"${user.id}","dialog_id":"${dialog.id}","turn_id":"${turn.id}","text":"${turn.text}"}`
		}
	case "article":
		path = "/chat"
		body = `{"uid":"${user.id}","dialog_id":"${dialog.id}","text":"${turn.text}"}`
	case "openai":
		if target.Model == "" {
			return "", bound{}, errors.New("target.model: api openai needs the model's name")
		}
		path = "/v1/chat/completions"
		if strings.HasSuffix(strings.TrimSuffix(prefix, "/"), "/v1") {
			path = "/chat/completions"
		}
		t, err := o.openAIBody(target.Model, mode == "stream")
		return path, t, err
	case "custom":
		return "", bound{}, nil
	default:
		return "", bound{}, fmt.Errorf("target.api: %.20q is none of reference, article, openai, custom", target.API)
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
	if target.Mode == "async" && (target.API == "" || target.API == "reference") {
		return &scenario.JobPath{Status: "status"}
	}
	return nil
}
