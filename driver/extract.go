package driver

import (
	"errors"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// What an answer may hold.
const (
	slotOK = iota
	slotDialog
	slotAnswer
	slotTurns
	slotStatus
	slotTier
	slotDegraded
	slotSource
	slotTurnID
	slotTrace
	slotCode
	slotCodeType
	slotMessage
	slotJobURL
	slotJobStatus
	slotJobResult
	slotTicket
	slotCount
)

// reader takes an answer apart as the target's API says.
type reader struct {
	lookup jsonscan.Places
	hasOK  bool
	tiers  map[string]string
}

// newReader compiles the places of a whole answer, and gives them.
func newReader(target *scenario.Target) (reader, map[int]string, error) {
	var r reader
	var paths map[int]string
	switch target.API {
	case "", scenario.APIReference, scenario.APIArticle:
		paths = map[int]string{
			slotDialog: "dialog_id", slotAnswer: "answer", slotTurns: "context.turns", slotStatus: "context.status",
			slotTier: "tier", slotDegraded: "degraded", slotSource: "source", slotTurnID: "turn_id",
			slotTrace: "trace_id", slotCode: "code", slotCodeType: "error.code",
		}
	case scenario.APIOpenAI:
		paths = map[int]string{slotAnswer: "choices.0.message.content", slotCode: "error.code", slotCodeType: "error.type", slotMessage: "error.message"}
	case scenario.APICustom:
		paths = map[int]string{slotCode: "code"}
		if target.Response == nil {
			return r, nil, errors.New("target.response: api custom needs at least response.answer")
		}
	}
	if own := target.Response; own != nil {
		override(paths, map[int]string{
			slotOK: own.OK, slotDialog: own.DialogID, slotAnswer: own.Answer, slotTurns: own.ContextTurns, slotDegraded: own.Degraded,
		})
		if own.Tier != nil {
			paths[slotTier] = own.Tier.From
			r.tiers = make(map[string]string, len(own.Tier.Map))
			for word, tier := range own.Tier.Map {
				r.tiers[word] = string(tier)
			}
		}
	}
	if job := jobOf(target); job != nil {
		override(paths, map[int]string{slotJobURL: job.URL, slotJobStatus: job.Status})
		if target.API != scenario.APICustom {
			paths[slotJobResult] = "result"
		}
	}
	if target.Mode == scenario.ModeWebSocket {
		paths[slotTicket] = "ticket.id"
	}
	r.hasOK = paths[slotOK] != ""
	r.lookup = jsonscan.Compile(paths)
	return r, paths, nil
}

func override(paths, own map[int]string) {
	for slot, path := range own {
		if path != "" {
			paths[slot] = path
		}
	}
}

// take fills reply from a whole answer of status. The slices it leaves there
// belong to x.
func (r *reader) take(x *exchange, reply *Reply, status int, body []byte) wire.Fault {
	reply.OK, reply.ContextTurns = true, -1
	valid := r.lookup.Find(&x.scanner, body)
	if !valid {
		if status >= 300 {
			return wire.Fault{}
		}
		if len(body) == 0 {
			return wire.NewFault(Malformed, "the answer has no body")
		}
		return wire.NewFault(Malformed, "the answer is not valid JSON")
	}
	v := x.scanner.Values
	if inner := v[slotJobResult]; inner.Kind == jsonscan.Object {
		// The answer of a job stands inside the job.
		return r.take(x, reply, status, inner.Raw)
	}
	r.fill(x, reply)
	if r.hasOK && v[slotOK].Kind != jsonscan.Nothing && v[slotOK].Kind != jsonscan.True {
		reply.OK = false
	}
	if status >= 300 || !reply.OK {
		return wire.Fault{}
	}
	switch {
	case v[slotAnswer].Kind == jsonscan.Nothing && v[slotJobStatus].Kind == jsonscan.Text:
		return wire.NewFault(Malformed, "the job ended without an answer")
	case v[slotAnswer].Kind == jsonscan.Nothing || v[slotAnswer].Kind == jsonscan.Null:
		return wire.NewFault(Malformed, "no answer in the response")
	case v[slotAnswer].Kind != jsonscan.Text:
		return wire.NewFault(Malformed, "the answer is not a string")
	case len(reply.Answer) == 0:
		return wire.NewFault(Malformed, "the answer is empty")
	}
	return wire.Fault{}
}

// fill copies what was found, of the types it has to be; what is not there
// stays as an earlier event left it.
func (r *reader) fill(x *exchange, reply *Reply) {
	v := x.scanner.Values
	x.keep(&reply.DialogID, &v[slotDialog])
	x.keep(&reply.Answer, &v[slotAnswer])
	if x.keep(&reply.Tier, &v[slotTier]) && r.tiers != nil {
		if to, ok := r.tiers[string(reply.Tier)]; ok {
			x.text = append(x.text, to...)
			reply.Tier = x.text[len(x.text)-len(to):]
		}
	}
	x.keep(&reply.ContextStatus, &v[slotStatus])
	x.keep(&reply.TurnID, &v[slotTurnID])
	x.keep(&reply.TraceID, &v[slotTrace])
	if k := v[slotDegraded].Kind; k != jsonscan.Nothing {
		reply.Degraded = k == jsonscan.True
	}
	if k := v[slotSource].Kind; k != jsonscan.Nothing {
		reply.Cached = k == jsonscan.Text && string(v[slotSource].Raw) == "cache"
	}
	if n, ok := v[slotTurns].Count(); ok {
		reply.ContextTurns = n
	}
	if !x.keep(&reply.Code, &v[slotCode]) {
		x.keep(&reply.Code, &v[slotCodeType])
	}
}

// keep puts v into to where v is a text or a number.
func (x *exchange) keep(to *[]byte, v *jsonscan.Value) bool {
	if v.Kind != jsonscan.Text && v.Kind != jsonscan.Number {
		return false
	}
	*to = x.string(v)
	return true
}

// string gives a string or a number as text, in x's own memory.
func (x *exchange) string(v *jsonscan.Value) []byte {
	switch {
	case v.Kind == jsonscan.Text && v.Escaped:
		from := len(x.text)
		x.text = jsonscan.Unescape(x.text, v.Raw)
		return x.text[from:len(x.text):len(x.text)]
	case v.Kind == jsonscan.Text && x.transient:
		from := len(x.text)
		x.text = append(x.text, v.Raw...)
		return x.text[from:len(x.text):len(x.text)]
	case v.Kind == jsonscan.Text, v.Kind == jsonscan.Number:
		return v.Raw
	}
	return nil
}
