package driver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
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
