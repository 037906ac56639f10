package derive

import "strings"

// event is one of a recorded stream.
type event struct {
	name, data string
	json       *tree
}

// maxEvents is how many of a stream are looked at.
const maxEvents = 5000

// eventsOf takes the body of a stream of server-sent events apart, nil where it is none.
func eventsOf(a *Answer) (out []event) {
	if a.Type != "text/event-stream" && !strings.HasPrefix(a.Body, "data:") && !strings.HasPrefix(a.Body, "event:") {
		return nil
	}
	var e event
	for line := range strings.SplitSeq(strings.ReplaceAll(a.Body, "\r\n", "\n")+"\n\n", "\n") {
		switch field, val, _ := strings.Cut(line, ":"); {
		case line == "":
			if e.data != "" && len(out) < maxEvents {
				e.json, _ = parseJSON(e.data)
				out = append(out, e)
			}
			e = event{}
		case field == "event":
			e.name = strings.TrimPrefix(val, " ")
		case field == "data":
			e.data += strings.TrimPrefix(val, " ")
		}
	}
	return out
}

// readStream finds which text of the events is a piece of the answer, and which event
// is the last.
func readStream(events []event) *response {
	r := &response{}
	texts := map[string]int{} // events that have one, by place
	var order []string
	for _, e := range events {
		if e.json == nil {
			continue
		}
		for _, l := range e.json.leaves() {
			if l.kind != 's' || roleOf(l.key, false) != roleOther && roleOf(l.key, true) != roleText {
				continue
			}
			path := strings.ReplaceAll(l.path, "#", "0")
			if _, seen := texts[path]; !seen {
				texts[path], order = 0, append(order, path)
			}
			if l.text != "" && rank(answerNames, l.key)+rank(textNames, l.key) < len(answerNames)+len(textNames) {
				texts[path]++
			}
		}
		if r.dialogID == "" {
			r.dialogID = dialogIn(e.json)
		}
	}
	delta, most := "", 0
	for _, path := range order {
		if n := texts[path]; n > most {
			delta, most = path, n
		}
	}
	if delta == "" {
		return nil
	}
	r.answer = delta
	r.stream = "{delta: " + quote(delta) + ", done: " + doneOf(events) + "}"
	return r
}

func dialogIn(t *tree) string {
	for _, l := range t.leaves() {
		if !l.list && l.text != "" && l.text != "null" && roleOf(l.key, false) == roleDialog {
			return l.path
		}
	}
	return ""
}

// doneOf is what ends a stream: its last event's data where that is no JSON, its name
// where no other has it, a text that no other has, or the end of the body.
func doneOf(events []event) string {
	last := events[len(events)-1]
	if last.json == nil {
		return quote(last.data)
	}
	unique := last.name != ""
	for _, e := range events[:len(events)-1] {
		unique = unique && e.name != last.name
	}
	if unique {
		return quote(last.name)
	}
	before := map[string]bool{}
	for _, e := range events[:len(events)-1] {
		if e.json == nil {
			continue
		}
		for _, l := range e.json.leaves() {
			before[l.path+"\x00"+l.text] = true
		}
	}
	for _, l := range last.json.leaves() {
		if l.list || l.text == "" || len(l.text) > 40 || l.text == "null" || isSpeech(l.text) || roleOf(l.key, false) != roleOther {
			continue
		}
		if !before[l.path+"\x00"+l.text] {
			return "{path: " + quote(l.path) + ", equals: " + quote(l.text) + "}"
		}
	}
	return "end-of-body"
}
