package refserver

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/tidwall/gjson"
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
	case q.dialogID != "" && !wellFormedID(q.dialogID):
		return fmt.Errorf("%w: dialog_id must be 32 lower-case hex digits", errField)
	case q.turnID != "" && !wellFormedTurnID(q.turnID):
		return fmt.Errorf("%w: turn_id must have 1 to 64 letters, digits or any of -_.: without spaces", errField)
	case len(q.uid) > 4*maxUID:
		return fmt.Errorf("%w: uid must have 1 to %d characters", errField, maxUID)
	case len(q.text) > maxTextBytes || utf8.RuneCountInString(q.text) > maxTextRunes:
		return fmt.Errorf("%w: text must have at most %d characters and %d bytes", errField, maxTextRunes, maxTextBytes)
	}
	said := false
	for _, r := range q.text {
		if r == 0 || r == utf8.RuneError {
			return fmt.Errorf("%w: text must not contain U+0000 or broken characters", errField)
		}
		said = said || !blank(r)
	}
	if !said {
		return fmt.Errorf("%w: text must have 1 to %d characters", errField, maxTextRunes)
	}
	return nil
}

// blank says whether r shows nothing: spaces, controls, zero-width and
// direction marks.
func blank(r rune) bool {
	switch {
	case r <= 0x20, r >= 0x7f && r <= 0xa0, r == 0xad, r == 0x3000, r == 0xfeff, r >= 0x2000 && r <= 0x200f, r >= 0x2028 && r <= 0x202f, r >= 0x205f && r <= 0x206f:
		return true
	}
	return false
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
	tier          Tier
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
	b = append(b, `{"dialog_id":"`...)
	b = append(b, a.dialogID...)
	b = append(b, `","answer":`...)
	b = appendString(b, a.text)
	b = append(b, `,"cost_ms":`...)
	b = strconv.AppendFloat(b, a.costMS, 'f', 3, 64)
	b = append(b, `,"turn_id":`...)
	b = appendString(b, a.turnID)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, int64(a.seq), 10)
	b = append(b, `,"epoch":`...)
	b = strconv.AppendInt(b, a.epoch, 10)
	b = append(b, `,"tier":"`...)
	b = append(b, a.tier.String()...)
	b = append(b, `","degraded":`...)
	b = strconv.AppendBool(b, a.degraded)
	if a.degradeReason != "" {
		b = append(b, `,"degrade_reason":`...)
		b = appendString(b, a.degradeReason)
	}
	b = append(b, `,"source":"`...)
	b = append(b, a.source...)
	b = append(b, '"')
	if a.faqID != "" {
		b = append(b, `,"faq_id":`...)
		b = appendString(b, a.faqID)
	}
	if len(a.suggestions) > 0 {
		b = append(b, `,"suggestions":[`...)
		for i, s := range a.suggestions {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		b = append(b, ']')
	}
	b = append(b, `,"context":{"status":"`...)
	b = append(b, a.contextStatus...)
	b = append(b, `","turns":`...)
	b = strconv.AppendInt(b, int64(a.contextTurns), 10)
	b = append(b, `},"persisted":`...)
	b = strconv.AppendBool(b, a.persisted)
	if a.job != "" {
		b = append(b, `,"job":"`...)
		b = append(b, a.job...)
		b = append(b, '"')
	}
	if a.ticket != nil {
		b = append(b, `,"ticket":{"id":"`...)
		b = append(b, a.ticket.id...)
		b = append(b, `","queue":`...)
		b = appendString(b, a.ticket.queue)
		b = append(b, `,"eta_s":`...)
		b = strconv.AppendInt(b, int64(a.ticket.eta), 10)
		b = append(b, '}')
	}
	b = append(b, `,"pii":{"in":`...)
	b = strconv.AppendInt(b, int64(a.piiIn), 10)
	b = append(b, `,"out":`...)
	b = strconv.AppendInt(b, int64(a.piiOut), 10)
	b = append(b, `},"group":"`...)
	b = append(b, a.group...)
	b = append(b, `","trace_id":"`...)
	b = append(b, a.traceID...)
	return append(b, `"}`...)
}

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string. Broken UTF-8 becomes U+FFFD, and
// characters that end a script or a line in a browser are escaped.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			i++
			start = i
			continue
		}
		if r == 0x2028 || r == 0x2029 {
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&15])
			i += n
			start = i
			continue
		}
		i += n
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
