package scenario

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

func (c *checker) response() {
	t := &c.Target
	r := t.Response
	if r == nil {
		if t.API == APICustom {
			c.bad("target.response", "is missing: api custom needs to know where the answer is, for example {answer: data.reply}")
		}
		return
	}
	if t.API != APICustom {
		c.bad("target.response", "is for api: custom; the answers of api %s are known", t.API)
		return
	}
	for _, p := range []struct{ name, place string }{
		{"dialog_id", r.DialogID},
		{"turn_id", r.TurnID},
		{"answer", r.Answer},
		{"context_turns", r.ContextTurns},
		{"group", r.Group},
		{"degraded", r.Degraded},
		{"error_code", r.ErrorCode},
		{"error_message", r.ErrorMessage},
	} {
		if p.place != "" {
			c.place("target.response."+p.name, p.place)
		}
	}
	if r.Answer == "" && t.Mode != ModeStream && (t.Mode != ModeWebSocket || !r.Stream.Pieces()) {
		c.bad("target.response.answer", "is missing: without it an empty answer could not be told from a good one")
	}
	if t.Mode == ModeStream {
		c.conditions("target.response.is_answer", r.IsAnswer)
	}
	c.conditions("target.response.ok", r.OK)
	c.conditions("target.response.error", r.Error)
	if r.Tier != nil {
		c.place("target.response.tier.from", r.Tier.From)
	}
	if u := r.Usage; u != nil {
		for _, p := range u.places() {
			if p.place != "" {
				c.jsonPlace("target.response."+p.name, p.place)
			}
		}
	}
	c.oneBody(r)
	c.framing(r)
}

// places lists where tokens stand.
func (u *UsagePath) places() []namedPlace {
	if u == nil {
		return nil
	}
	return []namedPlace{{"usage.input", u.Input}, {"usage.cached", u.Cached}, {"usage.output", u.Output}, {"usage.reasoning", u.Reasoning}}
}

// oneBody refuses places of bodies of different kinds: an answer has one.
func (c *checker) oneBody(r *Response) {
	answer, _ := Find(r.Answer)
	if answer == PlaceJSON || r.Answer == "" {
		return
	}
	if c.Target.Mode != ModeSync && (c.Target.Mode == ModeAsync || r.Stream.Pieces()) {
		c.bad("target.response.answer", "an answer that is not JSON goes with mode: sync, or mode: websocket without stream")
	}
	if r.Format == FormatJSONP {
		c.bad("target.response.format", "is jsonp, and the answer is no place in JSON")
	}
	for _, p := range r.placesOf() {
		kind, rest := Find(p.place)
		if kind != answer && (kind == PlaceXML || kind == PlaceJSON || kind == PlaceHTML) && answer != PlaceRegex && answer != PlaceHeader && answer != PlaceCookie {
			c.bad("target.response."+p.name, "%q is a place in another kind of body than that of target.response.answer (%q)", short(rest), short(r.Answer))
		}
	}
}

// namedPlace is a place of target.response.
type namedPlace struct{ name, place string }

// placesOf lists the places that an answer is looked for, conditions and all.
func (r *Response) placesOf() (list []namedPlace) {
	add := func(name, place string) {
		if place != "" {
			list = append(list, namedPlace{name, place})
		}
	}
	for _, c := range r.IsAnswer {
		add("is_answer", c.Path)
	}
	add("turn_id", r.TurnID)
	add("dialog_id", r.DialogID)
	add("answer", r.Answer)
	for _, c := range r.OK {
		add("ok", c.Path)
	}
	for _, c := range r.Error {
		add("error", c.Path)
	}
	add("error_code", r.ErrorCode)
	add("error_message", r.ErrorMessage)
	if r.Tier != nil {
		add("tier.from", r.Tier.From)
	}
	add("context_turns", r.ContextTurns)
	add("group", r.Group)
	add("degraded", r.Degraded)
	for _, p := range r.Usage.places() {
		add(p.name, p.place)
	}
	return list
}

// EachPlace gives the places of target.response by the names of their fields.
func (r *Response) EachPlace(yield func(name, place string)) {
	for _, p := range r.placesOf() {
		yield(p.name, p.place)
	}
}

// framing checks what the modes need besides.
func (c *checker) framing(r *Response) {
	switch {
	case c.Target.Mode == ModeStream && !r.Stream.Pieces() && (len(r.IsAnswer) == 0 || r.Answer == ""):
		c.bad("target.response.stream", "is missing: mode stream needs delta (where the text is) and done (what ends the stream); or response.is_answer and answer, where one event is the whole answer")
	case c.Target.Mode == ModeAsync && r.Job == nil:
		c.bad("target.response.job", "is missing: mode async needs to know where the job is and when it is done")
	}
	if s := r.Stream; s != nil {
		c.stream(s)
	}
	if j := r.Job; j != nil {
		if (j.Status == "") != (j.Done == "") {
			c.bad("target.response.job", "status and done are needed together")
		}
		for name, place := range map[string]string{"url": j.URL, "status": j.Status} {
			if place != "" {
				c.jsonPlace("target.response.job."+name, place)
			}
		}
	}
}

func (c *checker) stream(s *StreamPath) {
	switch {
	case s.Format == StreamText:
		c.streamOfText(s)
		return
	case !s.Pieces():
		if s.DeltaWhen != nil || s.Reasoning != "" || s.ReasoningWhen != nil {
			c.bad("target.response.stream", "has no delta: delta_when and reasoning are of answers in pieces")
		}
		return
	}
	c.delta(s.Delta)
	c.conditions("target.response.stream.delta_when", s.DeltaWhen)
	if s.Reasoning != "" {
		c.jsonPlace("target.response.stream.reasoning", s.Reasoning)
	}
	c.conditions("target.response.stream.reasoning_when", s.ReasoningWhen)
	if s.Reasoning == "" && len(s.ReasoningWhen) > 0 {
		c.bad("target.response.stream.reasoning_when", "means nothing without reasoning, the place of the text: write both")
	}
	if s.Reasoning == s.Delta && len(s.ReasoningWhen) == 0 {
		c.bad("target.response.stream.reasoning", "is the place of delta: write reasoning_when, which tells them apart")
	}
	c.conditions("target.response.stream.done", s.Done)
	word, alone := s.Done.Word()
	switch {
	case len(s.Done) == 0:
		c.bad("target.response.stream.done", "is empty: a stream that breaks could not be told from one that ends")
	case alone && word == EndOfBody:
		c.warn("target.response.stream.done", "a server that breaks off in good order looks like one that is done: name the last event where there is one")
	}
	if s.Format == StreamNDJSON {
		for _, one := range slices.Concat(s.Done, s.DeltaWhen, s.ReasoningWhen) {
			if kind, _ := Find(one.Path); kind == PlaceEvent {
				c.bad("target.response.stream", "sse:event is the name of a server-sent event: lines of ndjson have none")
			}
		}
	}
}

// delta checks the place of a piece of the answer.
func (c *checker) delta(place string) {
	const path = "target.response.stream.delta"
	switch kind, _ := Find(place); kind {
	case PlaceHeader, PlaceCookie, PlaceStatus, PlaceEvent:
		c.bad(path, "%q: a piece of the answer stands in an event's data: write a path into its JSON, body:text or regex:…", short(place))
	case PlaceJSON, PlaceRegex, PlaceXML, PlaceHTML, PlaceText:
		c.place(path, place)
	}
}

// streamOfText checks a body that is the answer as it comes.
func (c *checker) streamOfText(s *StreamPath) {
	const path = "target.response.stream"
	if s.Delta != "" || s.DeltaWhen != nil || s.Reasoning != "" || s.ReasoningWhen != nil || c.Target.Response.IsAnswer != nil {
		c.bad(path, "the whole body of format: text is the answer: remove delta, delta_when, reasoning, reasoning_when and response.is_answer")
	}
	if word, alone := s.Done.Word(); !alone || word != EndOfBody {
		c.bad(path+".done", "the end of the body is all that ends format: text: write end-of-body")
	}
	if c.Target.Mode == ModeWebSocket {
		c.bad(path+".format", "text is for mode: stream; over a socket a piece is a message (delta: body:text)")
	}
}

// conditions checks each of a list.
func (c *checker) conditions(path string, list Conditions) {
	if len(list) > 20 {
		c.bad(path, "has more than 20 conditions")
	}
	for i := range list {
		one, at := &list[i], item(path, i, "")
		word, alone := list.Word()
		if isDone := strings.HasSuffix(path, "stream.done"); !isDone || !alone {
			c.place(at+".path", one.Path)
		} else if len(word) > 256 || strings.ContainsAny(word, "\r\n") {
			c.bad(path, "is not a word of 1 to 256 bytes")
		}
		if one.Matches != "" {
			c.pattern(at+".matches", one.Matches)
		}
		if one.Exists != nil && !*one.Exists && (one.Equals != nil || one.In != nil || one.Not != nil || one.Matches != "") {
			c.bad(at+".exists", "false, and a value is asked for besides: it cannot hold")
		}
		if one.In != nil && len(one.In) == 0 {
			c.bad(at+".in", "is empty: it cannot hold")
		}
	}
}

// place checks the place of a value.
func (c *checker) place(path, place string) {
	kind, rest := Find(place)
	if len(place) > 256 || strings.ContainsAny(place, "\r\n") {
		c.bad(path, "is not a place of 1 to 256 bytes in an answer, for example data.reply")
		return
	}
	switch kind {
	case PlaceJSON:
		c.gjson(path, rest)
	case PlaceHeader, PlaceCookie:
		if !isToken(rest) {
			c.bad(path, "%q is not the name of a header or a cookie: write for example header:x-session-id", short(rest))
		}
	case PlaceRegex:
		c.pattern(path, rest)
		if re, err := regexp.Compile(rest); err == nil && re.NumSubexp() > 1 {
			c.bad(path, "has %d groups: the value is the first; write (?:…) for the others", re.NumSubexp())
		}
	case PlaceXML:
		for i, name := range strings.Split(rest, "/") {
			if name == "" || strings.ContainsAny(name, " <>:") || strings.HasPrefix(name, "@") && i != strings.Count(rest, "/") {
				c.bad(path, "%q is not a path of elements: write for example xml:Response/Message, or xml:Response/@id for an attribute", short(rest))
				return
			}
		}
	case PlaceHTML:
		if rest == "" || strings.ContainsAny(rest, " <>[]/") || strings.ContainsAny(rest[1:], "#.") {
			c.bad(path, "%q is not an element: write html:body, html:#reply or html:.bubble", short(rest))
		}
	case PlaceText, PlaceStatus, PlaceEvent:
	}
}

// jsonPlace checks a place that can only be in JSON.
func (c *checker) jsonPlace(path, place string) {
	if kind, _ := Find(place); kind != PlaceJSON {
		c.bad(path, "%q: only a path into JSON can stand here", short(place))
		return
	}
	c.place(path, place)
}

// gjson bounds a gjson path.
func (c *checker) gjson(path, text string) {
	if text == "" {
		c.bad(path, "is not a path of 1 to 256 bytes into a JSON answer, for example data.reply")
		return
	}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '.' || r == '|' }) {
		modifier, ok := strings.CutPrefix(word, "@")
		if !ok {
			continue
		}
		if modifier, _, _ = strings.Cut(modifier, ":"); !slices.Contains(modifiers, modifier) {
			c.bad(path, "@%s finds nothing: a path leads into the JSON body of the answer, a header is header:NAME", short(modifier))
			return
		}
	}
	if kind, rest, ok := strings.Cut(text, ":"); ok && isToken(kind) && !strings.Contains(kind, "@") {
		if hint := didYouMean(kind, []string{"json", "header", "cookie", "regex", "xml", "html", "body", "http", "sse", "socket"}); hint != (reason.Phrase{}) {
			c.bad(path, "%q is not a place%s: there are json:, header:, cookie:, regex:, xml:, html:, body:text, http:status, sse:event and socket:event", short(kind+":"+rest), hint)
		}
	}
}

// modifiers are those of gjson paths.
var modifiers = []string{"pretty", "ugly", "reverse", "this", "flatten", "join", "valid", "keys", "values", "tostr", "fromstr", "group", "dig"}
