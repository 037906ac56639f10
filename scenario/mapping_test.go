package scenario

import (
	"fmt"
	"strings"
	"testing"
)

// What is wrong with a mapping is told where it stands, with what to write.
func TestMappingProblems(t *testing.T) {
	const base = `version: 1
name: x
target:
  url: https://chat.example.org
  api: custom
  %s
load: {users: 1, for: 1s}
conversations: [{name: c, turns: [{say: a}]}]
sla: {availability: 99%%}
`
	const request = "request: {path: /c, body: {t: '${turn.text}'}}\n  "
	const response = "\n  response: {answer: a}"
	for target, want := range map[string]string{
		request + "response: {answer: a, ok: {path: code, equal: 0}}":                                                                            `target.response.ok.equal: is not known here; did you mean "equals"?`,
		request + "response: {answer: a, ok: {equals: 0}}":                                                                                       `target.response.ok.path: is missing`,
		request + "response: {answer: a, ok: {path: code, matches: '('}}":                                                                        "target.response.ok[0].matches: is not a regular expression (RE2): missing closing ): `(`",
		request + "response: {answer: a, ok: {path: code, exists: false, equals: 1}}":                                                            `target.response.ok[0].exists: false, and a value is asked for besides: it cannot hold`,
		request + "response: {answer: a, ok: {path: code, in: []}}":                                                                              `target.response.ok[0].in: is empty: it cannot hold`,
		request + "response: {answer: 'regex:(a)(b)'}":                                                                                           `target.response.answer: has 2 groups: the value is the first; write (?:…) for the others`,
		request + "response: {answer: 'xml:a//b'}":                                                                                               `target.response.answer: "a//b" is not a path of elements: write for example xml:Response/Message, or xml:Response/@id for an attribute`,
		request + "response: {answer: 'html:div > p'}":                                                                                           `target.response.answer: "div > p" is not an element: write html:body, html:#reply or html:.bubble`,
		request + "response: {answer: 'heder:x-y'}":                                                                                              `target.response.answer: "heder:x-y" is not a place; did you mean "header"?: there are json:, header:, cookie:, regex:, xml:, html:, body:text, http:status, sse:event and socket:event`,
		request + "response: {answer: 'xml:a/b', dialog_id: id}":                                                                                 `target.response.dialog_id: "id" is a place in another kind of body than that of target.response.answer ("xml:a/b")`,
		request + "response: {answer: body:text, format: jsonp}":                                                                                 `target.response.format: is jsonp, and the answer is no place in JSON`,
		request + "mode: stream\n  response: {stream: {delta: 'header:x', done: end}}":                                                           `target.response.stream.delta: "header:x": a piece of the answer stands in an event's data: write a path into its JSON, body:text or regex:…`,
		request + "mode: stream\n  response: {stream: {format: ndjson, delta: a, done: {path: sse:event, equals: x}}}":                           `target.response.stream: sse:event is the name of a server-sent event: lines of ndjson have none`,
		"request: {path: /c, as: form, body: ['${turn.text}']}" + response:                                                                       `target.request.body: must be a mapping (name: text): as: form sends fields`,
		"request: {path: /c, as: form, body: {t: '${turn.text}', f: {file: a.png}}}" + response:                                                  `target.request.body.f: files are sent with as: multipart`,
		"request: {path: /c, as: multipart, body: {t: '${turn.text}', f: {file: a.png}}}" + response:                                             `target.request.body.f: a.png: there is no such file: paths are relative to the scenario's folder`,
		"request: {path: /c, as: xml, body: {t: '${turn.text}'}}" + response:                                                                     `target.request.body: must be one text: as: xml sends it as it stands`,
		"request: {method: GET, path: '/c?q=${turn.text}', body: {a: b}}" + response:                                                             `target.request.body: servers do not read the body of a GET: put it into the path (?q=${turn.text}), or write method: POST`,
		"request: {path: /c, headers: {Content-Type: application/x-www-form-urlencoded}, body: {t: '${turn.text}'}}" + response:                  `target.request.headers.Content-Type: the body is sent as json: write as: form, or remove the header`,
		"request: {path: /c, as: form, headers: {content-type: application/json}, body: {t: '${turn.text}'}}" + response:                         `target.request.headers.content-type: the body is sent as form, which is application/x-www-form-urlencoded: remove the header`,
		"request: {path: /c, as: multipart, headers: {content-type: multipart/form-data}, body: {t: '${turn.text}'}}" + response:                 `target.request.headers.content-type: multipart needs a boundary, which cstest chooses: remove the header`,
		"request: {path: /c, body: {t: '${turn.text}'}, history: {user: {t: '${message.text}'}, assistant: {t: '${message.text}'}}}" + response:  `target.request.history: is the form of ${history}, which stands nowhere in target.request.body`,
		"request: {path: /c, body: {t: '${turn.text}', h: '${history}'}, history: {user: {t: '${message.text}'}, assistant: {t: x}}}" + response: `target.request.history.assistant: says ${message.text} nowhere: what was said would be lost`,
		request + "then: [{path: /p, poll: {is_answer: []}}]" + response:                                                                         `target.then[0].poll.is_answer: is empty: say by what the answer is known, for example {path: status, equals: done}`,
		request + "then: [{path: /p, ok: a}]" + response:                                                                                         `target.then[0].ok: the last step has the answer: what makes it one stands in target.response.ok`,
		request + "before: [{path: /p, poll: {is_answer: a}}]" + response:                                                                        `target.before[0].poll: is for the steps of target.then`,
		request + "mode: async\n  then: [{path: /p}]\n  response: {answer: a, job: {}}":                                                          `target.then: goes with mode: sync and stream; in mode: async the answer to the request is that of the turn`,
		request + "login: {path: /l, steps: [{path: /m}]}" + response:                                                                            `target.login: has both steps and a request of its own: make it the first of the steps`,
		request + "login: {save: {a: b}}" + response:                                                                                             `target.login.path: is missing: write the path of the login, or steps`,
		request + "cookies: per-user\n  headers: {Cookie: '${env:HOME}'}" + response:                                                             `target.headers.Cookie: cookies: per-user writes it: remove one of the two`,
		"request: {path: '/${saved.id}', body: {t: '${turn.text}'}}" + response:                                                                  `target.request.path: ${saved.id}: nothing saves it: write save: {id: PLACE} in target.before, request or then`,
	} {
		_, err := Parse("x.yaml", fmt.Appendf(nil, base, target), Options{Dir: t.TempDir()})
		if got := fmt.Sprint(err); err == nil || strings.Contains(got, "\n") || !strings.HasSuffix(got, ": "+want) {
			t.Errorf("%s:\n got %v\nwant %s", target, err, want)
		}
	}
}
