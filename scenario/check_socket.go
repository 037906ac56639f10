package scenario

import (
	"slices"
	"strings"

	"github.com/cstest/cstest/template"
)

const (
	maxSubprotocols = 20
	maxEvent        = 256 // bytes of an event's name
)

// socket checks the customers' side of mode websocket, and that its words stand
// nowhere else.
func (c *checker) socket() {
	t := &c.Target
	if t.Mode != ModeWebSocket {
		c.noSocket()
		return
	}
	if t.Connections == Shared {
		c.bad("target.connections", "a socket is somebody's own: write per-user, per-conversation or per-turn")
	}
	s := t.Socket
	if s == nil {
		return // filled in
	}
	c.path("target.socket.path", s.Path)
	c.headers("target.socket.headers", s.Headers)
	for _, name := range sortedKeys(s.Headers) {
		if strings.HasPrefix(strings.ToLower(name), "sec-websocket-") {
			c.bad(join("target.socket.headers", name), "belongs to the upgrade: subprotocols has a field of its own, and extensions are not spoken")
		}
	}
	if len(s.Subprotocols) > maxSubprotocols {
		c.bad("target.socket.subprotocols", "has more than %d names", maxSubprotocols)
	}
	seen := map[string]bool{}
	for i, name := range s.Subprotocols {
		if path := item("target.socket.subprotocols", i, ""); !isToken(name) {
			c.bad(path, "%q is not the name of a subprotocol", short(name))
		} else {
			c.unique(seen, path, name)
		}
	}
	c.speech(s)
	c.messages("target.socket.first", s.First)
	c.ping(s)
	c.unasked(s)
	c.ownSocket()
	if r := t.Request; r != nil {
		c.event("target.request", r.Event, r.Ack)
		if r.Path != "" || r.Headers != nil {
			c.bad("target.request", "a turn is a message, which has no path and no headers: those of the upgrade are socket.path and socket.headers")
		}
		c.sent("target.request", r.As)
	}
	c.answered()
}

// noSocket refuses elsewhere what only a socket has.
func (c *checker) noSocket() {
	t := &c.Target
	if t.Socket != nil {
		c.bad("target.socket", "is for mode: websocket")
	}
	if r := t.Request; r != nil && (r.Event != "" || r.Ack) {
		c.bad("target.request", "event and ack are for mode: websocket")
	}
	if r := t.Response; r != nil && r.IsAnswer != nil && t.Mode != ModeStream {
		c.bad("target.response.is_answer", "is for mode: websocket and stream; where an answer is polled for it stands in poll")
	}
}

// speech checks what is socket.io's alone.
func (c *checker) speech(s *Socket) {
	if s.Protocol == SocketIO {
		if !strings.HasPrefix(s.Namespace, "/") || strings.ContainsAny(s.Namespace, ",? \t\r\n") || len(s.Namespace) > maxEvent {
			c.bad("target.socket.namespace", "%q is not a namespace: write for example /chat", short(s.Namespace))
		}
		if !strings.Contains(s.Path, "EIO=4") || !strings.Contains(s.Path, "transport=websocket") {
			c.bad("target.socket.path", "socket.io needs EIO=4&transport=websocket in the query")
		}
		if len(s.Auth) > 0 && s.Auth[0] != '{' {
			c.bad("target.socket.auth", "is not a mapping: write for example {token: \"${login.token}\"}")
		}
		return
	}
	for path, given := range map[string]bool{"target.socket.namespace": s.Namespace != "", "target.socket.auth": s.Auth != nil} {
		if given {
			c.bad(path, "is for protocol: socket.io")
		}
	}
}

// event checks the name of an event, which socket.io's messages alone have.
func (c *checker) event(path, name string, ack bool) {
	io := c.Target.Socket != nil && c.Target.Socket.Protocol == SocketIO
	switch {
	case !io && (name != "" || ack):
		c.bad(path, "event and ack are for socket.protocol: socket.io; other messages have neither")
	case len(name) > maxEvent || strings.ContainsAny(name, "\r\n"):
		c.bad(path+".event", "is not a name of 1 to %d bytes", maxEvent)
	case slices.Contains([]string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}, name):
		c.bad(path+".event", "%q is an event of socket.io's own, which its servers refuse", name)
	}
}

// sent refuses kinds of bodies that no message has.
func (c *checker) sent(path string, as BodyKind) {
	io := c.Target.Socket != nil && c.Target.Socket.Protocol == SocketIO
	switch {
	case as == AsForm || as == AsMultipart:
		c.bad(path+".as", "a message is json, text or xml")
	case as == AsXML && io:
		c.bad(path+".as", "the argument of an event is json or text")
	}
}

// messages checks steps that are messages.
func (c *checker) messages(path string, steps []Step) {
	if len(steps) > maxSteps {
		c.bad(path, "has more than %d steps", maxSteps)
	}
	for i := range steps {
		c.message(item(path, i, ""), &steps[i], "saved")
	}
}

// message checks a step that is a message.
func (c *checker) message(at string, s *Step, family string) {
	if s.Name != "" {
		c.name(at+".name", s.Name)
	}
	if s.Path != "" || s.Headers != nil || s.Method == MethodGet && len(s.Body) > 0 {
		c.bad(at, "is a message over the socket, which has no path, method or headers: steps over HTTP stand in login and before")
	}
	if s.Poll != nil {
		c.bad(at+".poll", "is for the steps of target.then")
	}
	if len(s.Body) == 0 && s.Event == "" {
		c.bad(at, "sends nothing: write body, or with socket.io event")
	}
	c.event(at, s.Event, s.Ack)
	c.sent(at, s.As)
	c.body(at, s.As, s.Body, nil, "")
	c.conditions(at+".is_answer", s.IsAnswer)
	c.conditions(at+".ok", s.OK)
	c.save(at+".save", s.Save, family)
}

func (c *checker) ping(s *Socket) {
	p := s.Ping
	if p == nil {
		return
	}
	if p.Every <= 0 {
		c.bad("target.socket.ping.every", "must be above 0s")
	}
	if s.Protocol == SocketIO && p.Event == "" {
		c.bad("target.socket.ping", "engine.io's servers ping themselves, and are answered; write event where the application has pings of its own")
	}
	c.event("target.socket.ping", p.Event, false)
	c.sent("target.socket.ping", p.As)
	c.body("target.socket.ping", p.As, p.Body, nil, "")
}

// unasked checks what a customer's side does of its own accord.
func (c *checker) unasked(s *Socket) {
	if p := s.Pong; p != nil {
		const path = "target.socket.pong"
		if len(p.When) == 0 {
			c.bad(path+".when", "is empty: say by what a ping is known, for example {path: type, equals: ping}")
		}
		c.conditions(path+".when", p.When)
		c.save(path+".save", p.Save, "ping")
		c.alone(path, p.Event, p.As, p.Body)
	}
	if r := s.Receipt; r != nil {
		c.alone("target.socket.receipt", r.Event, r.As, r.Body)
	}
	if r := s.Redial; r != nil {
		switch {
		case r.After <= 0:
			c.bad("target.socket.redial.after", "must be above 0s")
		case r.AtMost < r.After:
			c.bad("target.socket.redial.at_most", "is below after")
		case c.Target.Connections == PerTurn:
			c.bad("target.socket.redial", "with connections: per-turn there is no socket between two turns")
		}
		if r.Backoff < 1 || r.Backoff > 100 {
			c.bad("target.socket.redial.backoff", "must be 1 to 100")
		}
	}
}

// alone checks a message that waits for none.
func (c *checker) alone(path, event string, as BodyKind, body []byte) {
	if len(body) == 0 && event == "" {
		c.bad(path, "sends nothing: write body, or with socket.io event")
	}
	c.event(path, event, false)
	c.sent(path, as)
	c.body(path, as, body, nil, "")
}

// ownSocket refuses on a user's socket what is one conversation's.
func (c *checker) ownSocket() {
	if c.Target.Connections != PerUser {
		return
	}
	for _, f := range c.Target.templates() {
		if f.err != nil || !strings.HasPrefix(f.path, "target.socket.") || f.place == InRequest {
			continue
		}
		for _, use := range f.Uses() {
			if use.Name == "conversation.id" || strings.HasPrefix(use.Name, "saved.") && !c.savedFirst(use.Name) {
				c.bad(f.path+within(use.At), "${%s} is of one conversation, and the socket is the user's: write connections: per-conversation", short(use.Name))
			}
		}
	}
}

// savedFirst tells whether a message of the socket itself saves it.
func (c *checker) savedFirst(name string) bool {
	return slices.Contains(savedBy(c.Target.Socket.First), strings.TrimPrefix(name, "saved."))
}

// answered checks by what an answer is known.
func (c *checker) answered() {
	r := c.Target.Response
	if r == nil {
		return
	}
	c.conditions("target.response.is_answer", r.IsAnswer)
	for _, p := range r.placesOf() {
		if kind, _ := Find(p.place); kind == PlaceHeader || kind == PlaceCookie || kind == PlaceStatus {
			c.bad("target.response."+p.name, "%q: a message has no headers, cookies or status; those of the upgrade are not looked into", short(p.place))
		}
	}
	if r.Format == FormatJSONP {
		c.bad("target.response.format", "a message is no script: jsonp goes with HTTP")
	}
	if r.Job != nil {
		c.bad("target.response.job", "is for mode: async; over a socket the answer is sent when it is there: is_answer")
	}
	if r.TurnID == "" && (c.Target.Request == nil || !c.Target.Request.Ack || len(r.IsAnswer) > 0) {
		c.warn("target.response", "no turn_id: messages do not say which turn they answer, so a turn without a whole answer costs its socket, and a second answer is taken for that of the next turn")
	}
	if r.TurnID != "" && !c.says("turn.id") {
		c.bad("target.response.turn_id", "names the turn by ${turn.id}, which stands nowhere in target.request.body")
	}
}

// says tells whether a variable stands in what a turn sends.
func (c *checker) says(name string) bool {
	return slices.ContainsFunc(c.Target.templates(), func(f templateField) bool {
		return f.err == nil && strings.HasPrefix(f.path, "target.request.") && f.Has(name)
	})
}

// templates of the socket.
func (s *Socket) templates(f *templateFields) {
	f.text("target.socket.path", s.Path, InBefore, template.Path)
	f.headers("target.socket.headers", s.Headers, InBefore)
	f.body("target.socket.auth", AsJSON, s.Auth, InBefore)
	f.steps("target.socket.first", s.First, InBefore)
	if s.Ping != nil {
		f.body("target.socket.ping.body", s.Ping.As, s.Ping.Body, InBefore)
	}
	if s.Pong != nil {
		f.body("target.socket.pong.body", s.Pong.As, s.Pong.Body, InPong)
	}
	if s.Receipt != nil {
		f.body("target.socket.receipt.body", s.Receipt.As, s.Receipt.Body, InRequest)
	}
}
