package driver

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/driver/internal/socket"
	"github.com/cstest/cstest/driver/internal/socketio"
	"github.com/cstest/cstest/driver/internal/websocket"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// socketRules are what a target says of its customers' sockets, compiled.
type socketRules struct {
	upgrade   wire.Request
	forged    wire.Request // the upgrade of a turn that is forged
	protocols []string
	config    socket.Config
	auth      wire.Text // of socket.io's CONNECT
	first     []*step
	ping      message
	pong      *pong
	receipt   message
	redial    redialRules
	alone     bool // something of the customer's is sent, or opened, between turns
	turn      message
	named     bool // a message may say which turn it answers
	streamed  bool
}

// message is what is sent, but for its frame.
type message struct {
	body  wire.Text
	io    bool
	space string // the namespace
	event string
	ack   bool
}

// newSocketRules compiles target.socket and what a turn sends.
func (p *plan) newSocketRules(target *scenario.Target, turn *scenario.Request, prefix string, base []wire.Field) error {
	own := target.Socket
	if own == nil {
		own = &scenario.Socket{Path: "/", Protocol: scenario.PlainMessages}
	}
	r := &socketRules{protocols: own.Subprotocols}
	p.socket = r
	r.config = socket.Config{
		SocketIO: own.Protocol == scenario.SocketIO, Namespace: own.Namespace, Limit: p.Limits.Body, Verbatim: p.opts.Capture != nil,
	}
	var err error
	q := wire.Request{Method: string(scenario.MethodGet), Upgrade: "websocket"}
	if q.Path, err = p.pathOf(prefix, own.Path); err != nil {
		return fmt.Errorf("socket.path: %w", err)
	}
	fields := slices.DeleteFunc(slices.Clone(base), func(f wire.Field) bool { return f.Name == "accept" })
	fields = append(
		fields, wire.Field{Name: "sec-websocket-version", Value: raw(websocket.Version)},
		wire.Field{Name: "sec-websocket-key", Value: template.Only("socket.key", template.Value(func(b []byte, v *wire.Values) []byte { return append(b, of(v).key...) }), template.Text)},
	)
	if len(own.Subprotocols) > 0 {
		fields = append(fields, wire.Field{Name: "sec-websocket-protocol", Value: raw(strings.Join(own.Subprotocols, ", "))})
	}
	if q.Fields, err = headers(own.Headers, fields, &p.opts); err != nil {
		return fmt.Errorf("socket.headers: %w", err)
	}
	r.upgrade = q
	if len(own.Auth) > 0 {
		if r.auth, err = p.opts.bindBody(own.Auth); err != nil {
			return fmt.Errorf("socket.auth: %w", err)
		}
	}
	for i := range own.First {
		s, err := p.newMessage(&own.First[i], "first", i)
		if err != nil {
			return fmt.Errorf("socket.first[%d].%w", i, err)
		}
		r.first = append(r.first, s)
	}
	if ping := own.Ping; ping != nil {
		r.config.Every = time.Duration(ping.Every)
		if r.ping, err = p.messageOf(ping.As, ping.Body, ping.Event, false); err != nil {
			return fmt.Errorf("socket.ping: %w", err)
		}
	}
	if err := p.unasked(own); err != nil {
		return err
	}
	if err := p.turnMessage(turn); err != nil {
		return fmt.Errorf("request.body: %w", err)
	}
	r.named = target.Response != nil && (target.Response.TurnID != "" || target.Request != nil && target.Request.Ack && len(target.Response.IsAnswer) == 0)
	r.streamed = target.Response != nil && target.Response.Stream.Pieces()
	return nil
}

// unasked compiles what is sent beside turns, and when a socket is opened beside them.
func (p *plan) unasked(own *scenario.Socket) (err error) {
	r := p.socket
	if own.Pong != nil {
		p.opts.pings = savedNames{}
		for name := range own.Pong.Save {
			p.opts.pings[name] = len(p.opts.pings)
		}
		if r.pong, err = p.newPong(own.Pong); err != nil {
			return fmt.Errorf("socket.pong: %w", err)
		}
		r.config.Pongs = true
	}
	if own.Receipt != nil {
		if r.receipt, err = p.messageOf(own.Receipt.As, own.Receipt.Body, own.Receipt.Event, false); err != nil {
			return fmt.Errorf("socket.receipt: %w", err)
		}
	}
	if d := own.Redial; d != nil {
		r.redial = redialRules{after: time.Duration(d.After), backoff: max(d.Backoff, 1), atMost: max(time.Duration(d.AtMost), time.Duration(d.After))}
	}
	r.alone = r.pong != nil || r.redial.after > 0 || !r.ping.empty()
	return nil
}

// messageOf compiles a message. The argument of socket.io's events is JSON, a text
// too.
func (p *plan) messageOf(as scenario.BodyKind, body []byte, event string, ack bool) (m message, err error) {
	m = message{io: p.socket.config.SocketIO, space: p.socket.config.Namespace, event: event, ack: ack}
	if m.io && as == scenario.AsText {
		as = scenario.AsJSON
	}
	m.body, _, err = p.opts.bindAs(as, body, nil)
	return m, err
}

// newMessage compiles a step that is a message.
func (p *plan) newMessage(own *scenario.Step, family string, i int) (*step, error) {
	s := &step{name: family + " " + own.Name, message: true, waits: own.Waits()}
	if own.Name == "" {
		s.name = fmt.Sprintf("%s %d", family, i+1)
	}
	m, err := p.messageOf(own.As, own.Body, own.Event, own.Ack)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	s.sends = m
	return s, s.reading(p, own, family)
}

// append appends the message, filled with v. id is that of its acknowledgement.
func (m *message) append(dst []byte, v *wire.Values, id int64) []byte {
	if !m.io {
		return m.body.Append(dst, v)
	}
	if !m.ack {
		id = -1
	}
	dst = socketio.AppendEvent(dst, m.space, m.event, id)
	if !m.body.Empty() {
		dst = m.body.Append(append(dst, ','), v)
	}
	return append(dst, ']')
}

// empty tells whether there is no message.
func (m *message) empty() bool { return m.body.Empty() && m.event == "" }

// turnMessage compiles what a turn sends.
func (p *plan) turnMessage(own *scenario.Request) error {
	r := *own
	m := message{io: p.socket.config.SocketIO, space: p.socket.config.Namespace, event: r.Event, ack: r.Ack}
	if m.io && r.As == scenario.AsText {
		r.As = scenario.AsJSON // a string
	}
	var err error
	m.body, _, err = p.ownBody(&r)
	p.socket.turn = m
	return err
}
