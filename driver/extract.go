package driver

import (
	"errors"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// What an answer may hold.
const (
	slotDialog = iota
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
	slotFinish
	slotError
	slotErrorText
	slotErrors
	slotErrorsText
	slotObject
	slotDetail
	slotTitle
	slotText
	slotJobURL
	slotJobStatus
	slotJobResult
	slotTicket
	slotRefusal
	// Tokens; see tokenCounts.
	slotInput
	slotCached
	slotOutput
	slotThought
	slotUsageEnd
	slotCalls // of functions
	slotItems // of the output of form responses
	slotID
	slotWhy
	slotGroup
	slotCount
)

// reader takes an answer apart as the target's API says.
type reader struct {
	lookup jsonscan.Places
	named  Places // in target.response
	tiers  map[string]string
	own    *ownRules // what a custom API says besides plain paths; nil where it says none
	spends bool      // answers may tell their tokens
	// responses: the API is OpenAI's Responses.
	responses bool
	// unanswered is what is said where there is no answer, pieceless where a stream of
	// pieces had none with text.
	unanswered, pieceless string
}

// newReader compiles the places of a whole answer, and gives those in JSON, for
// the dialect of a stream to be added.
func newReader(target *scenario.Target, saved savedNames) (reader, *find.Paths, error) {
	var r reader
	var paths map[int]string
	switch target.API {
	case scenario.APIReference, scenario.APIArticle:
		paths = map[int]string{
			slotDialog: "dialog_id", slotAnswer: "answer", slotTurns: "context.turns", slotStatus: "context.status",
			slotTier: "tier", slotDegraded: "degraded", slotSource: "source", slotTurnID: "turn_id",
			slotTrace: "trace_id", slotCode: "code", slotCodeType: "error.code", slotGroup: "group",
		}
	case scenario.APIOpenAI:
		r.spends = true
		if r.responses = target.OpenAI != nil && target.OpenAI.Form == scenario.FormResponses; r.responses {
			paths = responsePaths("")
			paths[slotItems] = "output"
			break
		}
		paths = map[int]string{
			slotAnswer: "choices.0.message.content", slotCode: "error.code", slotCodeType: "error.type", slotFinish: "choices.0.finish_reason",
			slotCalls: "choices.0.message.tool_calls",
			slotInput: "usage.prompt_tokens", slotCached: "usage.prompt_tokens_details.cached_tokens",
			slotOutput: "usage.completion_tokens", slotThought: "usage.completion_tokens_details.reasoning_tokens",
		}
	case scenario.APICustom:
		paths = map[int]string{slotCode: "code", slotCodeType: "error.type", slotErrors: "errors", slotErrorsText: "errors.0.message"}
		if target.Response == nil {
			return r, nil, errors.New("target.response: api custom needs at least response.answer")
		}
	}
	override(paths, map[int]string{
		slotError: "error", slotErrorText: "error.message", slotObject: "object",
		slotDetail: "detail", slotTitle: "title", slotText: "message",
	})
	all := &find.Paths{Of: paths, Next: eventSlots}
	if own := target.Response; own != nil {
		if u := own.Usage; u != nil {
			r.spends = true
			override(paths, map[int]string{slotInput: jsonPath(u.Input), slotCached: jsonPath(u.Cached), slotOutput: jsonPath(u.Output), slotThought: jsonPath(u.Reasoning)})
		}
		var err error
		if r.own, err = newOwnRules(target, all, saved); err != nil {
			return r, nil, err
		}
		if own.Tier != nil {
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
	switch {
	case target.Mode == scenario.ModeAgents:
		paths[slotTicket] = "ticket.id"
	case target.Mode == scenario.ModeWebSocket && target.API == scenario.APIReference:
		paths[slotRefusal] = "status" // of a problem: a message has none of its own
	}
	r.unanswered = "no answer in the response"
	if own := target.Response; own != nil && own.Answer != "" {
		r.unanswered += ": there is no text at " + own.Answer
	}
	if own := target.Response; own != nil && own.Stream != nil && own.Stream.Delta != "" {
		r.pieceless = "the answer is empty: there is no text at " + own.Stream.Delta
		if len(own.Stream.DeltaWhen) > 0 {
			r.pieceless += ", or response.stream.delta_when holds for none"
		}
	}
	r.named = namedIn(target.Response)
	r.lookup = jsonscan.Compile(paths)
	return r, all, nil
}

// jsonPath is a place in JSON without the word for it.
func jsonPath(place string) string {
	_, path := scenario.Find(place)
	return path
}

func namedIn(own *scenario.Response) (named Places) {
	if own == nil {
		return 0
	}
	for _, p := range []struct {
		place Places
		named bool
	}{
		{PlaceOK, len(own.OK) > 0},
		{PlaceDialogID, own.DialogID != ""},
		{PlaceTier, own.Tier != nil},
		{PlaceDegraded, own.Degraded != ""},
		{PlaceContextTurns, own.ContextTurns != ""},
	} {
		if p.named {
			named |= p.place
		}
	}
	return named
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
	reply.OK, reply.ContextTurns, x.found = true, -1, x.found&^PlaceOK
	valid := r.find(x, body)
	if !valid {
		if status >= 300 {
			return wire.Fault{}
		}
		if len(body) == 0 {
			return wire.NewFault(Malformed, "the answer has no body")
		}
		if why := x.Unread(); why != "" {
			return wire.NewFault(Malformed, r.unreadable(x, nil)+": "+why)
		}
		return wire.NewFault(Malformed, r.unreadable(x, body))
	}
	v := x.scanner.Values
	if status < 300 {
		if f := r.failed(x, reply, "an error in the answer"); f.Bad() {
			return f
		}
	}
	if inner := v[slotJobResult]; inner.Kind == jsonscan.Object {
		// The answer of a job stands inside the job.
		return r.take(x, reply, status, inner.Raw)
	}
	r.fill(x, reply)
	if status >= 300 {
		r.refused(x, reply, status)
		return wire.Fault{}
	}
	switch {
	case !r.settle(x, reply):
		return wire.Fault{}
	case len(reply.Answer) == 0 && callsTools(reply.Finish):
		return wire.Fault{}
	case v[slotAnswer].Kind == jsonscan.Nothing && v[slotJobStatus].Kind == jsonscan.Text:
		return wire.NewFault(Malformed, "the job ended without an answer")
	case v[slotAnswer].Kind == jsonscan.Nothing || v[slotAnswer].Kind == jsonscan.Null:
		return wire.NewFault(Malformed, r.unanswered)
	case v[slotAnswer].Kind != jsonscan.Text:
		return wire.NewFault(Malformed, notText(&v[slotAnswer]))
	case len(reply.Answer) == 0:
		return empty(reply)
	}
	return wire.Fault{}
}

// takeStream settles reply, which the events of a whole stream have filled.
func (r *reader) takeStream(x *exchange, reply *Reply) wire.Fault {
	if r.settle(x, reply) && len(reply.Answer) == 0 && !callsTools(reply.Finish) {
		if x.token == 0 && r.pieceless != "" {
			return wire.NewFault(Malformed, r.pieceless)
		}
		return empty(reply)
	}
	return wire.Fault{}
}

// empty is the fault of an answer without text, with why it ended where that is said.
func empty(reply *Reply) wire.Fault {
	switch why := string(reply.Finish); why {
	case "content_filter", "length", "refusal":
		return wire.NewFault(Malformed, "the answer is empty: finish_reason "+why)
	}
	return wire.NewFault(Malformed, "the answer is empty")
}

// settle says what was not found in a whole answer, and whether it is one at all.
func (r *reader) settle(x *exchange, reply *Reply) (ok bool) {
	reply.Missing = r.named &^ x.found
	reply.OK = reply.OK && !reply.Missing.Has(PlaceOK)
	return reply.OK
}

// failed tells whether what the scanner found last is an error in the place of an
// answer, or of a piece of one; prefix begins the message.
func failed(x *exchange, prefix string) wire.Fault {
	v := x.scanner.Values
	switch object := &v[slotObject]; {
	case saysSo(&v[slotError]), lists(&v[slotErrors]), object.Kind == jsonscan.Text && string(object.Raw) == "error":
		return errorIn(x, prefix)
	case v[slotFinish].Kind == jsonscan.Text && string(v[slotFinish].Raw) == "error":
		return wire.NewFault(Malformed, "finish_reason error")
	}
	return wire.Fault{}
}

// saysSo tells whether the value of an error is one: servers write null, false, 0,
// "" or {} where there is none.
func saysSo(v *jsonscan.Value) bool {
	switch v.Kind {
	case jsonscan.Nothing, jsonscan.Null, jsonscan.False:
		return false
	case jsonscan.Number:
		return string(v.Raw) != "0"
	case jsonscan.Text:
		return len(v.Raw) > 0
	case jsonscan.True, jsonscan.Object:
	}
	return len(v.Raw) > len("{}")
}

// lists tells whether a value is a list with something in it, as that of the errors
// of GraphQL and JSON:API: whatever else such an answer has, it failed in part.
func lists(v *jsonscan.Value) bool { return len(v.Raw) > len("[]") && v.Raw[0] == '[' && saysSo(v) }

// errorIn is the fault of an error with the text it has, if any.
func errorIn(x *exchange, prefix string) wire.Fault {
	v := x.scanner.Values
	for _, slot := range [...]int{slotErrorText, slotErrorsText, slotDetail, slotError, slotText, slotTitle, slotCode, slotCodeType} {
		if v[slot].Kind == jsonscan.Text && len(v[slot].Raw) > 0 {
			return wire.NewFault(Malformed, prefix+": "+wire.Visible(x.string(&v[slot])))
		}
	}
	return wire.NewFault(Malformed, prefix)
}

// callsTools tells whether the model asked for tools, which is an answer without text.
func callsTools(finish []byte) bool {
	return string(finish) == "tool_calls" || string(finish) == "function_call"
}

// fill copies what was found, of the types it has to be; what is not there
// stays as an earlier event left it.
func (r *reader) fill(x *exchange, reply *Reply) {
	v := x.scanner.Values
	if r.own != nil {
		r.own.judge(x, reply)
	}
	if x.keep(&reply.DialogID, &v[slotDialog]) {
		x.found |= PlaceDialogID
	}
	x.keep(&reply.Answer, &v[slotAnswer])
	if x.keep(&reply.Tier, &v[slotTier]) {
		x.found |= PlaceTier
		r.mapTier(x, reply)
	}
	x.keep(&reply.Group, &v[slotGroup])
	x.keep(&reply.Finish, &v[slotFinish])
	x.keep(&reply.ContextStatus, &v[slotStatus])
	x.keep(&reply.TurnID, &v[slotTurnID])
	x.keep(&reply.TraceID, &v[slotTrace])
	if k := v[slotDegraded].Kind; k != jsonscan.Nothing {
		x.found |= PlaceDegraded
		reply.Degraded = k == jsonscan.True
	}
	if k := v[slotSource].Kind; k != jsonscan.Nothing {
		reply.Cached = k == jsonscan.Text && string(v[slotSource].Raw) == "cache"
	}
	if n, ok := v[slotTurns].Count(); ok {
		x.found |= PlaceContextTurns
		reply.ContextTurns = n
	}
	if r.spends {
		x.model.tell(v)
	}
	if !x.keep(&reply.Code, &v[slotCode]) {
		x.keep(&reply.Code, &v[slotCodeType])
	}
}

// mapTier puts our word for the server's.
func (r *reader) mapTier(x *exchange, reply *Reply) {
	reply.Unmapped = false
	if len(r.tiers) == 0 {
		return
	}
	to, ok := r.tiers[string(reply.Tier)]
	if reply.Unmapped = !ok; ok {
		x.text = append(x.text, to...)
		reply.Tier = x.text[len(x.text)-len(to):]
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
