package scenario

import (
	"encoding/json"

	"github.com/cstest/cstest/unit"
)

// Login is what a user does before its first turn, not timed as one: one request,
// or Steps, and again where a turn is refused with 401 or AgainOn holds. Save maps
// a name to a place in an answer; it is then ${login.NAME}.
type Login struct {
	Method  Method            `json:"method,omitempty"`
	Path    string            `json:"path,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	As      BodyKind          `json:"as,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	OK      Conditions        `json:"ok,omitempty"`
	Save    map[string]string `json:"save,omitempty"`
	Steps   []Step            `json:"steps,omitempty"`
	AgainOn Conditions        `json:"again_on,omitempty"`
}

// All gives the steps of the login in their order; nil where there is none.
func (l *Login) All() []Step {
	if l == nil {
		return nil
	}
	if len(l.Steps) > 0 {
		return l.Steps
	}
	return []Step{{Method: l.Method, Path: l.Path, Headers: l.Headers, As: l.As, Body: l.Body, OK: l.OK, Save: l.Save}}
}

// saves tells whether a step of the login keeps something as name.
func (l *Login) saves() (names []string) {
	return savedBy(l.All())
}

// savedBy gives the names that steps keep values under, sorted within each.
func savedBy(steps []Step) (names []string) {
	for i := range steps {
		names = append(names, sortedKeys(steps[i].Save)...)
	}
	return names
}

// Step is a request beside that of the turn: of a login, before a conversation, or
// behind the turn's own. Body is as that of Request. In mode websocket a step of
// before that has no Path is a message over the socket; it waits for one back where
// IsAnswer, Ack, OK or Save is given.
type Step struct {
	Name    string            `json:"name,omitempty"`
	Method  Method            `json:"method,omitempty"`
	Path    string            `json:"path,omitempty"`
	Event   string            `json:"event,omitempty"`
	Ack     bool              `json:"ack,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	As      BodyKind          `json:"as,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	// IsAnswer tells which message a message waits for.
	IsAnswer Conditions        `json:"is_answer,omitempty"`
	OK       Conditions        `json:"ok,omitempty"`
	Save     map[string]string `json:"save,omitempty"`
	Poll     *Poll             `json:"poll,omitempty"`
}

// Waits tells whether a step that is a message waits for one back.
func (s *Step) Waits() bool { return s.Ack || len(s.IsAnswer)+len(s.OK)+len(s.Save) > 0 }

// Poll repeats a step until what is waited for is there.
type Poll struct {
	IsAnswer Conditions    `json:"is_answer"`
	Failed   Conditions    `json:"failed,omitempty"`
	Every    unit.Duration `json:"every,omitempty"`
	Backoff  float64       `json:"backoff,omitempty"`
	AtMost   unit.Duration `json:"at_most,omitempty"`
}

// Request is the template of one turn's request. Body is compact JSON in the
// order of the file, with ${…} inside its strings; a member whose whole value
// is one expansion that comes out empty is left out.
type Request struct {
	Method  Method            `json:"method,omitempty"`
	Path    string            `json:"path,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Event   string            `json:"event,omitempty"` // of socket.io
	Ack     bool              `json:"ack,omitempty"`   // of socket.io
	As      BodyKind          `json:"as,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	History *History          `json:"history,omitempty"`
	Save    map[string]string `json:"save,omitempty"`
}

// History is the form of ${history}'s messages, with ${message.text} in them.
type History struct {
	User      json.RawMessage `json:"user"`
	Assistant json.RawMessage `json:"assistant"`
}

// Response says where in an answer things are; see Find for places.
type Response struct {
	Format       AnswerFormat `json:"format,omitempty"`
	IsAnswer     Conditions   `json:"is_answer,omitempty"` // of messages, and of events
	TurnID       string       `json:"turn_id,omitempty"`
	OK           Conditions   `json:"ok,omitempty"`
	Error        Conditions   `json:"error,omitempty"`
	ErrorCode    string       `json:"error_code,omitempty"`
	ErrorMessage string       `json:"error_message,omitempty"`
	DialogID     string       `json:"dialog_id,omitempty"`
	Answer       string       `json:"answer,omitempty"`
	ContextTurns string       `json:"context_turns,omitempty"`
	Tier         *TierPath    `json:"tier,omitempty"`
	Group        string       `json:"group,omitempty"`
	Degraded     string       `json:"degraded,omitempty"`
	Stream       *StreamPath  `json:"stream,omitempty"`
	Job          *JobPath     `json:"job,omitempty"`
	Usage        *UsagePath   `json:"usage,omitempty"`
}

// TierPath finds the tier of an answer and maps the server's word to ours.
type TierPath struct {
	From string          `json:"from"`
	Map  map[string]Tier `json:"map,omitempty"`
}

// StreamPath finds the text in a stream's event and the event that ends it. Without
// Delta and Done one event, for which Response.IsAnswer holds, is the whole answer.
type StreamPath struct {
	Format    StreamFormat `json:"format,omitempty"`
	Delta     string       `json:"delta,omitempty"`
	DeltaWhen Conditions   `json:"delta_when,omitempty"`
	// Reasoning is what the model thinks before it answers: timed, and no part of the answer.
	Reasoning     string     `json:"reasoning,omitempty"`
	ReasoningWhen Conditions `json:"reasoning_when,omitempty"`
	Done          Conditions `json:"done,omitempty"`
}

// Pieces tells whether an answer comes in several events or messages.
func (s *StreamPath) Pieces() bool {
	return s != nil && (s.Delta != "" || len(s.Done) > 0 || s.Format == StreamText)
}

// EndOfBody as the whole of response.stream.done: the stream ends with the answer's
// body, which has to be whole.
const EndOfBody = "end-of-body"

// JobPath finds the job of an asynchronous turn.
type JobPath struct {
	URL    string `json:"url,omitempty"`    // path in the 202 answer, else the Location header
	Status string `json:"status,omitempty"` // path in the polled answer
	Done   string `json:"done,omitempty"`   // the status that means done
}
