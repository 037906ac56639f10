package driver

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// step is a request beside that of the turn, compiled: of a login, before a
// conversation, or within a turn.
type step struct {
	wire.Request
	name    string // in messages
	address wire.Text
	moved   bool // the path is an address, which another step saved

	lookup jsonscan.Places
	reads  bool // something is looked for in a JSON body
	ok     find.All
	judges bool // ok asks for the status: any is an answer
	saves  []save
	poll   *poll

	message  bool // over the socket, in place of a request
	sends    message
	waits    bool // for a message back
	isAnswer find.All
	wants    *wanted // what isAnswer tells, or the acknowledgement
}

// save is a value that is kept of an answer: as ${login.NAME} of the user where
// slot is negative, else as ${saved.NAME} of the conversation.
type save struct {
	name  string
	text  string // of the place, for messages
	place find.Place
	slot  int
}

// savedNames are the slots of ${saved.NAME}.
type savedNames map[string]int

// namesSaved gives every ${saved.NAME} of target a slot.
func namesSaved(target *scenario.Target) savedNames {
	names := savedNames{}
	add := func(save map[string]string) {
		for name := range save {
			if _, ok := names[name]; !ok {
				names[name] = len(names)
			}
		}
	}
	lists := [][]scenario.Step{target.Before, target.Then}
	if target.Socket != nil {
		lists = append(lists, target.Socket.First)
	}
	for _, list := range lists {
		for i := range list {
			add(list[i].Save)
		}
	}
	if target.Request != nil {
		add(target.Request.Save)
	}
	return names
}

// newSaves compiles what is kept of an answer; names is nil for a login.
func newSaves(list map[string]string, paths *find.Paths, names savedNames) ([]save, error) {
	var saves []save
	for name, text := range list {
		place, err := find.Compile(text, paths)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		slot, known := names[name]
		if !known {
			slot = -1
		}
		saves = append(saves, save{name, text, place, slot})
	}
	slices.SortFunc(saves, func(a, b save) int { return strings.Compare(a.name, b.name) })
	return saves, nil
}

// keep keeps what x's last answer has at the place, and tells whether it has it.
func (s *save) keep(x *exchange) bool {
	v := s.place.In(&x.look)
	if v.Kind == jsonscan.Nothing || v.Kind == jsonscan.Null {
		return false
	}
	switch {
	case s.slot < 0:
		x.values.user.state.login[s.name] = string(v.Text)
	case x.values.saved[s.slot] != string(v.Text):
		x.values.saved[s.slot] = string(v.Text)
	}
	return true
}

// newSteps compiles steps; family is where they stand in target. base are the
// headers of every request, of which a step leaves out what is not known yet.
func (p *plan) newSteps(list []scenario.Step, family, prefix string, base []wire.Field) ([]*step, error) {
	var steps []*step
	known := map[string]bool{}
	for i := range list {
		own := &list[i]
		if own.Path == "" && p.mode == scenario.ModeWebSocket && family == "before" {
			s, err := p.newMessage(own, family, i)
			if err != nil {
				return nil, fmt.Errorf("%s[%d].%w", family, i, err)
			}
			steps = append(steps, s)
			continue
		}
		name := family + " " + own.Name
		if own.Name == "" {
			name = family
			if len(list) > 1 {
				name = family + " " + strconv.Itoa(i+1)
			}
		}
		fields := base
		if family != "then" {
			fields = slices.DeleteFunc(slices.Clone(base), func(f wire.Field) bool {
				return family == "login" && usesLogin(f.Value) || usesUnknown(f.Value, known)
			})
		}
		if family != "login" {
			fields = append(slices.Clip(fields), traceparent())
		}
		s, err := p.newStep(own, family, prefix, fields)
		if err != nil {
			return nil, fmt.Errorf("%s[%d].%w", family, i, err)
		}
		s.name = name
		for saved := range own.Save {
			known["saved."+saved] = true
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// usesUnknown tells whether a value saved by no step so far stands in b.
func usesUnknown(b wire.Text, known map[string]bool) bool {
	return slices.ContainsFunc(b.Names(), func(name string) bool { return strings.HasPrefix(name, "saved.") && !known[name] })
}

func (p *plan) newStep(own *scenario.Step, family, prefix string, fields []wire.Field) (*step, error) {
	s := &step{Request: wire.Request{Method: string(own.Method)}}
	if !wire.IsToken(s.Method) {
		return nil, fmt.Errorf("method: %.20q is not a method", s.Method)
	}
	var err error
	if t, perr := template.Parse(own.Path, template.Path); perr == nil && len(t.Uses()) == 1 && own.Path == "${"+t.Uses()[0].Name+"}" {
		s.moved, s.Path = true, jobPath()
		s.address, err = p.opts.bind(own.Path, template.Text)
	} else {
		s.Path, err = p.pathOf(prefix, own.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	var kind string
	if s.Body, kind, err = p.opts.bindAs(own.As, own.Body, nil); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	s.Bodied = !s.Body.Empty() || s.Method == string(scenario.MethodPost) || s.Method == string(scenario.MethodPut)
	fields = slices.Clone(fields)
	if len(own.Body) > 0 {
		fields = append(fields, wire.Field{Name: "content-type", Value: raw(kind)})
	}
	if s.Fields, err = headers(own.Headers, accepting(fields, anything), &p.opts); err != nil {
		return nil, fmt.Errorf("headers: %w", err)
	}
	return s, s.reading(p, own, family)
}

// reading compiles what is looked for in the step's answer.
func (s *step) reading(p *plan, own *scenario.Step, family string) (err error) {
	paths := &find.Paths{Of: map[int]string{}}
	if s.ok, err = find.Conditions(own.OK, paths); err != nil {
		return fmt.Errorf("ok: %w", err)
	}
	for i := range own.OK {
		kind, _ := scenario.Find(own.OK[i].Path)
		s.judges = s.judges || kind == scenario.PlaceStatus
	}
	if s.isAnswer, err = find.Conditions(own.IsAnswer, paths); err != nil {
		return fmt.Errorf("is_answer: %w", err)
	}
	switch {
	case s.isAnswer.Named():
		s.wants = wantedBy("is_answer", s.isAnswer, "message")
	case own.Ack:
		s.wants = &wanted{none: "none is the acknowledgement", noun: "message"}
	}
	names := p.saved
	if family == "login" {
		names = nil
	}
	if s.saves, err = newSaves(own.Save, paths, names); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if s.poll, err = newPoll(own.Poll, paths); err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	s.lookup, s.reads = jsonscan.Compile(paths.Of), paths.Next > 0
	p.slots = max(p.slots, paths.Next)
	return nil
}

// run sends the step, as often as it takes, and keeps what it saves. went tells
// whether it went well; where it did not, and f is no fault, the answer in x was a
// refusal, of which reply tells. The last step of a turn has its answer, which is
// judged as one by who called.
func (s *step) run(ch *channel, x *exchange, reply *Reply, last bool) (went bool, f wire.Fault) {
	if s.moved {
		address := s.address.Append(nil, &x.Values)
		if len(address) == 0 {
			return false, s.named(wire.NewFault(Malformed, "its path is empty: no answer had what is saved for it"))
		}
		if x.values.job, f = ch.client.plan.jobAt(address); f.Bad() {
			return false, s.named(f)
		}
	}
	if s.poll != nil {
		return s.ask(ch, x, last)
	}
	f = ch.hold(x, &s.Request)
	streamed := last && x.Streamed
	if f.Bad() && !streamed || !last {
		ch.present(x)
	}
	switch {
	case streamed && f.Bad():
		return true, s.named(f) // as far as it came it is an answer
	case streamed:
		return true, f
	case f.Bad():
		return false, s.named(f)
	}
	s.read(x)
	switch {
	case last:
		s.keep(x, false)
		return true, wire.Fault{}
	case x.Head.Status >= 300 && !s.judges:
		ch.refused(x, reply, s.name)
		return false, wire.Fault{}
	case s.ok.Named() && s.ok.In(&x.look) != find.Holds:
		return false, s.named(wire.NewFault(Malformed, "ok does not hold, "+s.ok.Why(&x.look)+ch.told(x)))
	}
	if missing := s.keep(x, true); missing != "" {
		return false, s.named(wire.NewFault(Malformed, "nothing at "+missing+" in the answer"+ch.told(x)))
	}
	return true, wire.Fault{}
}

// read looks into the answer in x.
func (s *step) read(x *exchange) {
	x.look = find.Answer{JSON: x.scanner.Values, Head: &x.Head, Body: x.Body, Event: x.event}
	if !s.reads || !s.lookup.Find(&x.scanner, x.Body) {
		x.look.JSON = nil
	}
}

// keep keeps what the step saves, and names the first place that is empty.
func (s *step) keep(x *exchange, all bool) (missing string) {
	for i := range s.saves {
		if !s.saves[i].keep(x) && all {
			return s.saves[i].text
		}
	}
	return ""
}

// named begins the message of a fault with the step it is of.
func (s *step) named(f wire.Fault) wire.Fault {
	if f.Reason != Interrupted {
		f.Message = s.name + ": " + f.Message
	}
	return f
}

// refused makes the answer in x, by which a step was refused, that of the turn.
func (ch *channel) refused(x *exchange, reply *Reply, step string) {
	r := &ch.client.plan.read
	reply.Status, reply.Step, reply.Body = x.Head.Status, step, x.Body
	if step != "" {
		reply.Message = step + " refused"
	}
	if r.find(x, x.Body) {
		x.keep(&reply.Code, &x.scanner.Values[slotCode])
		if r.own != nil {
			r.own.tell(x, reply)
		}
	}
}

// told is what the answer in x says of an error, behind a colon.
func (ch *channel) told(x *exchange) string {
	r, reply := &ch.client.plan.read, &Reply{}
	if r.own == nil || !r.find(x, x.Body) {
		return ""
	}
	if r.own.tell(x, reply); reply.Said == "" {
		return ""
	}
	return ": " + reply.Said
}
