package driver

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

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
