package trial

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Message is a request and its answer as a person reads them, secrets masked.
type Message struct{ Request, Response string }

// Exchange is one turn shown to a person: what went out and what came back,
// secrets masked.
type Exchange struct {
	Conversation string
	Number, Of   int
	Before       []Message // the login, and what a job said until its last answer
	Request      string
	Response     string
	Status       int
	Reason       driver.Reason
	Message      string
	DialogID     string
	Answer       string
	Tier         string
	Usage        driver.Usage // tokens, as the answers tell
	Paths        []Path       // those of the mapping, and what each found
	Outcome      measure.Outcome
	Because      string // the rule that chose the outcome
	Example      string // of what came and was not what the turn waited for
	Took         time.Duration

	// Unmapped is what the answer lacks of what the scenario says is in it.
	Unmapped reason.Reasons

	contextStatus string // what the server says of its dialog state
}

// Path is a path of target.response and what it found in the answer.
type Path struct {
	Field, Path, Value string
	Found              bool
	Truth              bool   // it has to be true
	Instead            string // what the answer has around the place, where nothing was found at it
}

// decoded is an answer with a note of what the driver undid of its body, and that
// body. What could not be undone is not for a person to read.
func decoded(raw string) (text, body string) {
	head, rest, ok := strings.Cut(raw, "\r\n\r\n")
	if !ok || !strings.HasPrefix(raw, "HTTP/1.") {
		return raw, bare(rest)
	}
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head+"\r\n\r\n")), nil)
	if err != nil {
		return raw, bare(rest)
	}
	_ = answer.Body.Close() // memory
	undone := answer.TransferEncoding
	if coding := strings.ToLower(answer.Header.Get("Content-Encoding")); coding != "" && coding != "identity" {
		if !utf8.ValidString(rest) {
			return head + "\r\n\r\n" + fmt.Sprintf("(%d bytes of %s)", len(rest), coding), ""
		}
		undone = append(undone, coding)
	}
	if len(undone) == 0 {
		return raw, bare(rest)
	}
	return head + "\r\n\r\n" + fmt.Sprintf("(decoded from %s, %d bytes)", strings.Join(undone, ", "), len(rest)) + "\n" + rest, bare(rest)
}

// bare is a body without the byte order mark that may stand before JSON.
func bare(body string) string { return strings.TrimPrefix(body, "\ufeff") }

// pathsOf looks up every place of the mapping in the last answer.
func pathsOf(t *scenario.Target, head, body string) (list []Path) {
	look := func(field, place string) {
		value, found := lookUp(t, place, head, body)
		p := Path{Field: field, Path: place, Found: found, Value: value}
		if field == "ok" {
			_, p.Truth = t.Response.OK.Word()
		}
		if !found {
			p.Instead = around(t, place, head, body)
		}
		list = append(list, p)
	}
	if t.Response != nil {
		t.Response.EachPlace(look)
	}
	save := map[string]string{}
	if n := len(t.Then); n > 0 {
		save = t.Then[n-1].Save
	} else if t.Request != nil {
		save = t.Request.Save
	}
	for _, name := range slices.Sorted(maps.Keys(save)) {
		look("saved."+name, save[name])
	}
	if n := len(t.Then); n > 0 && t.Then[n-1].Poll != nil {
		for _, c := range t.Then[n-1].Poll.IsAnswer {
			look("poll.is_answer", c.Path)
		}
	}
	return list
}

const (
	maxAround = 12 // members that are told of
	maxInside = 4  // lists in one another that are looked into: a server may send a million
)

// around tells what an answer has where a place in its JSON leads nowhere: the members
// of the innermost object that there is on the way, or of the items of a list.
func around(t *scenario.Target, place, head, body string) string {
	kind, path := scenario.Find(place)
	if kind != scenario.PlaceJSON {
		return ""
	}
	steps := strings.Split(path, ".")
	for n, step := range steps {
		if step == "" || strings.ContainsAny(step, "#@|*?()[]{}\\") {
			steps = steps[:n]
			break
		}
	}
	for n := min(len(steps), strings.Count(path, ".")); n >= 0; n-- {
		outer := cmp.Or(strings.Join(steps[:n], "."), "@this")
		text, found := lookUp(t, outer, head, body)
		value := gjson.Parse(text)
		if !found || !gjson.Valid(text) {
			continue
		}
		names := membersOf(value, maxInside)
		if len(names) == 0 {
			continue
		}
		in := strings.TrimPrefix(outer, "@this")
		if value.IsArray() {
			in = strings.TrimPrefix(in+".#", ".")
		}
		if in != "" {
			in += ": "
		}
		return in + strings.Join(names, ", ")
	}
	return ""
}

// membersOf are the names of an object's members, of a list those of all its items.
func membersOf(value gjson.Result, deep int) (names []string) {
	if value.IsArray() && deep > 0 {
		for _, item := range value.Array() {
			for _, name := range membersOf(item, deep-1) {
				if !slices.Contains(names, name) && len(names) < maxAround {
					names = append(names, name)
				}
			}
		}
		return names
	}
	if value.IsObject() {
		value.ForEach(func(key, _ gjson.Result) bool {
			names = append(names, oneLine(key.String()))
			return len(names) < maxAround
		})
	}
	return names
}

// lookUp finds a place in an answer, or in the last event of a stream, or message of
// a socket, that has it.
func lookUp(t *scenario.Target, place, head, body string) (value string, found bool) {
	switch t.Mode {
	case scenario.ModeWebSocket:
		return driver.LookUpMessage(place, head, t.Socket.Protocol == scenario.SocketIO)
	case scenario.ModeStream:
	default:
		return driver.LookUp(place, head, body)
	}
	if s := t.Response; s != nil && s.Stream != nil && s.Stream.Format == scenario.StreamText {
		return driver.LookUp(place, head, body)
	}
	kind, _ := scenario.Find(place)
	event := ""
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "event:"); ok || line == "" {
			event = strings.TrimSpace(name)
			continue
		}
		data, ok := strings.CutPrefix(line, "data:")
		if data = strings.TrimSpace(data); !ok && !strings.HasPrefix(line, "{") || kind == scenario.PlaceJSON && !gjson.Valid(data) {
			continue
		}
		if v, ok := driver.LookUpEvent(place, head, data, event); ok {
			value, found = v, true
		}
	}
	return value, found
}

// savedBy are the values that a login saves of an answer to step: credentials from
// then on.
func savedBy(step *scenario.Step, head, body string) (list []string) {
	for _, place := range step.Save {
		if v, ok := driver.LookUp(place, head, body); ok && len(v) >= leastCredential {
			list = append(list, v)
		}
	}
	return list
}

// redact takes secrets out of every text: the credentials of the requests first,
// which the target may have sent back, then those that redact knows.
func (e *Exchange) redact(sent []string, redact func(string) string) {
	texts := []*string{&e.Request, &e.Response, &e.Message, &e.DialogID, &e.Answer, &e.Because, &e.Example}
	for i := range e.Before {
		texts = append(texts, &e.Before[i].Request, &e.Before[i].Response)
	}
	for i := range e.Paths {
		texts = append(texts, &e.Paths[i].Value, &e.Paths[i].Instead)
	}
	for _, text := range texts {
		for _, s := range sent {
			*text = strings.ReplaceAll(*text, s, "[redacted]")
		}
		*text = redact(*text)
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
