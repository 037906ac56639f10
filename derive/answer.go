package derive

import (
	"slices"
	"strings"
)

// response says where in an answer things are; places are gjson paths.
type response struct {
	ok, code, message string // ok is YAML: a place or a condition
	dialogID          string
	answer            string
	stream            string // YAML of response.stream
}

// said that all is well: no answers.
var wellWords = []string{"success", "ok", "成功", "操作成功", "请求成功", "success!", "操作成功！", "true"}

// readAnswer finds where in a recorded answer the reply and the rest stand. said is
// what the customer had said, which servers repeat.
func readAnswer(a *Answer, said string) *response {
	r := &response{}
	if a == nil {
		return nil
	}
	events := eventsOf(a)
	switch t, err := parseJSON(a.Body); {
	case len(events) > 0:
		return readStream(events)
	case err == nil && (t.kind == '{' || t.kind == '['):
		r.readJSON(t, said)
	case strings.HasPrefix(a.Type, "text/plain") && a.Body != "":
		r.answer = "body:text"
	default:
		return nil
	}
	return r
}

func (r *response) readJSON(t *tree, said string) {
	best := 0
	for _, l := range t.leaves() {
		if l.kind == 's' && l.text != said {
			if s := answerScore(l); s > best {
				best, r.answer = s, l.path
			}
		}
		if r.dialogID == "" && !l.list && l.text != "" && l.text != "null" && roleOf(l.key, false) == roleDialog {
			r.dialogID = l.path
		}
	}
	r.readOutcome(t)
}

// answerScore is how much a text looks like the reply.
func answerScore(l leaf) int {
	if l.text == "" || slices.Contains(wellWords, strings.ToLower(strings.TrimSpace(l.text))) {
		return 0
	}
	score := 0
	if k := rank(answerNames, l.key); k < len(answerNames) {
		score += 40 - k
	}
	if isSpeech(l.text) {
		score += 30 + min(len(l.text)/16, 15)
	}
	if roleOf(l.key, false) != roleOther {
		return 0
	}
	return score
}

// readOutcome finds the members by which an answer says that all is well.
func (r *response) readOutcome(t *tree) {
	if t.kind != '{' {
		return
	}
	for i, k := range t.keys {
		v := t.items[i]
		switch plain := plainName(k); {
		case (plain == "success" || plain == "ok") && v.text == "true":
			r.ok = escapeKey(k)
		case slices.Contains([]string{"code", "errcode", "errno", "ret", "retcode", "rc", "errorcode", "resultcode", "status"}, plain) && isGoodCode(v.text):
			r.ok = "{path: " + quote(escapeKey(k)) + ", equals: " + quote(v.text) + "}"
			r.code = escapeKey(k)
		case slices.Contains([]string{"msg", "message", "errmsg", "errormessage", "errormsg", "info"}, plain) && v.kind == 's' && escapeKey(k) != r.answer:
			r.message = escapeKey(k)
		}
	}
	if r.code == "" {
		r.message = ""
	}
}

func isGoodCode(s string) bool {
	return slices.Contains([]string{"0", "200", "00000", "0000", "ok", "OK", "success", "SUCCESS", "1"}, s)
}
