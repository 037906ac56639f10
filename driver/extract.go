package driver

import (
	"errors"
	"strings"

	"github.com/cstest/cstest/scenario"
	"github.com/tidwall/gjson"
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

// lookup finds values in one pass; what a dotted path of plain names cannot say
// is left to gjson afterwards.
type lookup struct {
	root    node
	same    [][2]int // slots whose place another slot has: {to, from}
	complex []complexPath
}

type complexPath struct {
	slot int
	path string
}

func newLookup(paths map[int]string) lookup {
	l := lookup{root: node{slot: -1}}
	taken := map[string]int{}
	for slot := range eventSlots {
		path := paths[slot]
		if path == "" {
			continue
		}
		if from, ok := taken[path]; ok {
			l.same = append(l.same, [2]int{slot, from})
			continue
		}
		taken[path] = slot
		if simple(path) {
			l.root.plant(path, slot)
		} else {
			l.complex = append(l.complex, complexPath{slot, path})
		}
	}
	return l
}

// simple tells whether path has nothing but names and dots.
func simple(path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		if name == "" {
			return false
		}
	}
	return !strings.ContainsAny(path, "|#@*?\\!{}()[]=<>%\"~:, ")
}

// find reads doc; it gives false where doc is not one valid JSON value.
func (l *lookup) find(s *scanner, doc []byte) bool {
	if !s.scan(doc, &l.root) {
		return false
	}
	for _, c := range l.complex {
		r := gjson.GetBytes(doc, c.path)
		if !r.Exists() {
			continue
		}
		v := &s.values[c.slot]
		switch r.Type {
		case gjson.String:
			v.kind, v.raw = jsonText, []byte(r.Str)
		case gjson.Number:
			v.kind, v.raw = number, []byte(r.Raw)
		case gjson.True:
			v.kind, v.raw = jsonTrue, []byte("true")
		case gjson.False:
			v.kind, v.raw = jsonNo, []byte("false")
		case gjson.JSON:
			v.kind, v.raw = object, []byte(r.Raw)
		default:
			v.kind, v.raw = jsonNull, []byte("null")
		}
	}
	for _, pair := range l.same {
		s.values[pair[0]] = s.values[pair[1]]
	}
	return true
}

// reader takes an answer apart as the target's API says.
type reader struct {
	lookup lookup
	hasOK  bool
	tiers  map[string]string
}

// newReader compiles the places of a whole answer, and gives them.
func newReader(target *scenario.Target) (reader, map[int]string, error) {
	var r reader
	var paths map[int]string
	switch target.API {
	case "", "reference", "article":
		paths = map[int]string{
			slotDialog: "dialog_id", slotAnswer: "answer", slotTurns: "context.turns", slotStatus: "context.status",
			slotTier: "tier", slotDegraded: "degraded", slotSource: "source", slotTurnID: "turn_id",
			slotTrace: "trace_id", slotCode: "code", slotCodeType: "error.code",
		}
	case "openai":
		paths = map[int]string{slotAnswer: "choices.0.message.content", slotCode: "error.code", slotCodeType: "error.type", slotMessage: "error.message"}
	case "custom":
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
		if target.API != "custom" {
			paths[slotJobResult] = "result"
		}
	}
	if target.Mode == "websocket" {
		paths[slotTicket] = "ticket.id"
	}
	r.hasOK = paths[slotOK] != ""
	r.lookup = newLookup(paths)
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
func (r *reader) take(x *exchange, reply *Reply, status int, body []byte) fault {
	reply.OK, reply.ContextTurns = true, -1
	valid := r.lookup.find(&x.scanner, body)
	if !valid {
		if status >= 300 {
			return fault{}
		}
		if len(body) == 0 {
			return fault{Malformed, "the answer has no body"}
		}
		return fault{Malformed, "the answer is not valid JSON"}
	}
	v := x.scanner.values
	if inner := v[slotJobResult]; inner.kind == object {
		// The answer of a job stands inside the job.
		return r.take(x, reply, status, inner.raw)
	}
	r.fill(x, reply)
	if r.hasOK && v[slotOK].kind != nothing && v[slotOK].kind != jsonTrue {
		reply.OK = false
	}
	if status >= 300 || !reply.OK {
		return fault{}
	}
	switch {
	case v[slotAnswer].kind == nothing && v[slotJobStatus].kind == jsonText:
		return fault{Malformed, "the job ended without an answer"}
	case v[slotAnswer].kind == nothing || v[slotAnswer].kind == jsonNull:
		return fault{Malformed, "no answer in the response"}
	case v[slotAnswer].kind != jsonText:
		return fault{Malformed, "the answer is not a string"}
	case len(reply.Answer) == 0:
		return fault{Malformed, "the answer is empty"}
	}
	return fault{}
}

// fill copies what was found, of the types it has to be; what is not there
// stays as an earlier event left it.
func (r *reader) fill(x *exchange, reply *Reply) {
	v := x.scanner.values
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
	if k := v[slotDegraded].kind; k != nothing {
		reply.Degraded = k == jsonTrue
	}
	if k := v[slotSource].kind; k != nothing {
		reply.Cached = k == jsonText && string(v[slotSource].raw) == "cache"
	}
	if n, ok := whole(&v[slotTurns]); ok {
		reply.ContextTurns = n
	}
	if !x.keep(&reply.Code, &v[slotCode]) {
		x.keep(&reply.Code, &v[slotCodeType])
	}
}

// keep puts v into to where v is a text or a number.
func (x *exchange) keep(to *[]byte, v *value) bool {
	if v.kind != jsonText && v.kind != number {
		return false
	}
	*to = x.string(v)
	return true
}

// string gives a string or a number as text, in x's own memory.
func (x *exchange) string(v *value) []byte {
	switch {
	case v.kind == jsonText && v.escaped:
		from := len(x.text)
		x.text = unescape(x.text, v.raw)
		return x.text[from:len(x.text):len(x.text)]
	case v.kind == jsonText && x.transient:
		from := len(x.text)
		x.text = append(x.text, v.raw...)
		return x.text[from:len(x.text):len(x.text)]
	case v.kind == jsonText, v.kind == number:
		return v.raw
	}
	return nil
}

// whole gives a count of at most six digits.
func whole(v *value) (int, bool) {
	if v.kind != number || len(v.raw) == 0 || len(v.raw) > 6 {
		return 0, false
	}
	n := 0
	for _, c := range v.raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
