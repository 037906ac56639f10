package surface

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/token"
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

// fieldNames are those of a request's fields.
var fieldNames = [...]string{"dialog_id", "turn_id", "text", "uid"}

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
	var seen [len(fieldNames)]bool
	var bad error
	doc.ForEach(func(key, value gjson.Result) bool {
		name := key.String()
		i := slices.Index(fieldNames[:], name)
		if i < 0 {
			bad = fmt.Errorf("%w: %.32q is not known", errSyntax, name)
			return false
		}
		if seen[i] {
			bad = fmt.Errorf("%w: %.32q twice", errSyntax, name)
			return false
		}
		seen[i] = true
		at := [len(fieldNames)]*string{&q.dialogID, &q.turnID, &q.text, &q.uid}[i]
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
	case len(q.uid) > 4*token.MaxUID:
		return fmt.Errorf("%w: uid must have 1 to %d characters", errField, token.MaxUID)
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
