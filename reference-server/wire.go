package refserver

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/reference-server/dialog"

	"github.com/cstest/cstest/reference-server/degrade"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/wire"
)

const (
	maxBody      = 16 << 10
	maxTextRunes = 2000
	maxTextBytes = 8 << 10
)

// request is the body of a turn.
type request struct {
	dialogID string
	turnID   string
	text     string
	uid      string
}

var (
	errSyntax = errors.New("body is not a JSON object of the fields dialog_id, turn_id, text, uid")
	errField  = errors.New("field not accepted")
)

// decodeRequest reads a body strictly: valid UTF-8 and JSON, known keys once
// each, strings only. Malformed input wraps errSyntax, a value out of bounds
// errField.
func decodeRequest(body []byte) (request, error) {
	var q request
	if !utf8.Valid(body) || !gjson.ValidBytes(body) {
		return q, errSyntax
	}
	doc := gjson.ParseBytes(body)
	if !doc.IsObject() {
		return q, errSyntax
	}
	seen := map[string]bool{}
	var bad error
	doc.ForEach(func(key, value gjson.Result) bool {
		name := key.String()
		if seen[name] {
			bad = fmt.Errorf("%w: %.32q twice", errSyntax, name)
			return false
		}
		seen[name] = true
		var at *string
		switch name {
		case "dialog_id":
			at = &q.dialogID
		case "turn_id":
			at = &q.turnID
		case "text":
			at = &q.text
		case "uid":
			at = &q.uid
		default:
			bad = fmt.Errorf("%w: %.32q is not known", errSyntax, name)
			return false
		}
		if value.Type == gjson.Null && name != "text" {
			return true
		}
		if value.Type != gjson.String {
			bad = fmt.Errorf("%w: %s must be a string", errField, name)
			return false
		}
		*at = value.String()
		if name == "dialog_id" && *at == "" {
			bad = fmt.Errorf("%w: dialog_id must not be empty", errField)
			return false
		}
		return true
	})
	if bad != nil {
		return q, bad
	}
	return q, q.check()
}

func (q request) check() error {
	switch {
	case q.dialogID != "" && !dialog.IsID(q.dialogID):
		return fmt.Errorf("%w: dialog_id must be 32 lower-case hex digits", errField)
	case q.turnID != "" && !dialog.IsTurnID(q.turnID):
		return fmt.Errorf("%w: turn_id must have 1 to 64 letters, digits or any of -_.: without spaces", errField)
	case len(q.uid) > 4*maxUID:
		return fmt.Errorf("%w: uid must have 1 to %d characters", errField, maxUID)
	case len(q.text) > maxTextBytes || utf8.RuneCountInString(q.text) > maxTextRunes:
		return fmt.Errorf("%w: text must have at most %d characters and %d bytes", errField, maxTextRunes, maxTextBytes)
	}
	if strings.ContainsFunc(q.text, func(r rune) bool { return r == 0 || r == utf8.RuneError }) {
		return fmt.Errorf("%w: text must not contain U+0000 or broken characters", errField)
	}
	if dialog.Blank(q.text) {
		return fmt.Errorf("%w: text must have 1 to %d characters", errField, maxTextRunes)
	}
	return nil
}

// ticketRef is the hand-off named in an answer.
type ticketRef struct {
	id    string
	queue string
	eta   int // seconds
}

// response is one answered turn as the client sees it.
type response struct {
	dialogID      string
	text          string
	costMS        float64
	turnID        string
	seq           int
	epoch         int64
	tier          degrade.Tier
	degraded      bool
	degradeReason string
	source        string
	faqID         string
	suggestions   []string
	contextStatus string
	contextTurns  int
	persisted     bool
	job           string
	ticket        *ticketRef
	piiIn, piiOut int
	group         string
	traceID       string
}

// appendJSON writes the answer, the article's three fields first.
func (a *response) appendJSON(b []byte) []byte {
	j := wire.JSON(b).Object("").String("dialog_id", a.dialogID).String("answer", a.text).Float("cost_ms", a.costMS, 3).
		String("turn_id", a.turnID).Int("seq", int64(a.seq)).Int("epoch", a.epoch).String("tier", a.tier.String()).
		Bool("degraded", a.degraded).StringIf("degrade_reason", a.degradeReason).String("source", a.source).StringIf("faq_id", a.faqID)
	if len(a.suggestions) > 0 {
		j = j.Array("suggestions")
		for _, s := range a.suggestions {
			j = j.String("", s)
		}
		j = j.EndArray()
	}
	j = j.Object("context").String("status", a.contextStatus).Int("turns", int64(a.contextTurns)).EndObject().
		Bool("persisted", a.persisted).StringIf("job", a.job)
	if t := a.ticket; t != nil {
		j = j.Object("ticket").String("id", t.id).String("queue", t.queue).Int("eta_s", int64(t.eta)).EndObject()
	}
	return j.Object("pii").Int("in", int64(a.piiIn)).Int("out", int64(a.piiOut)).EndObject().
		String("group", a.group).String("trace_id", a.traceID).EndObject()
}
