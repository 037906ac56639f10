package scenario

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// ownServer is a scenario with a template in every place; %s is a text.
const ownServer = `version: 1
name: x
target:
  url: https://chat.example.org
  api: custom
  mode: %[11]s
  headers: {x-a: "%[2]s"}
  auth: %[12]s
  login: {steps: [{path: /k, save: {NAME: a}}, {path: /l, body: {a: "%[6]s"}}]}
  before: [{path: /a, save: {NAME: a}}, {path: /b, body: {a: "%[7]s"}}]
  request: {path: /c, body: {t: "${turn.text}", a: ["%[3]s"]}}
  response: {answer: a, dialog_id: d}
data: {TABLE: {rows: [{COLUMN: a}]}}
load: {stages: [{name: s, for: 10s, starts: 5/s}]}
conversations: [{name: c, turns: [{say: "x %[1]s"}]}]
sla: {availability: 99%%}
notify: [{kind: webhook, url: "${env:URL}", link: "%[10]s"}]
`

// inEachPlace gives a scenario with the text in one place.
func inEachPlace(text string) map[Place]string {
	list := map[Place]string{}
	for i, at := range places {
		if at.place == InPong {
			list[at.place] = strings.NewReplacer("mode: sync", "mode: websocket\n  socket: {pong: {when: {path: a}, save: {NAME: a}, body: {a: \""+text+"\"}}}", "request: {path: /c, ", "request: {").Replace(
				fmt.Sprintf(ownServer, "z", "z", "z", "z", "z", "z", "z", "z", "z", "z", "sync", "{bearer: z}"))
			continue
		}
		if at.place == InSystem || at.place == InTool {
			list[at.place] = ofModel(at.place, text)
			continue
		}
		var in [10]any
		for j := range in {
			in[j] = "z"
		}
		in[i] = text
		auth := fmt.Sprintf(`{bearer: "%s"}`, in[3])
		if at.place == InClaims || at.place == InSecret {
			auth = fmt.Sprintf(`{jwt: {secret: "%s", claims: {a: "%s"}}}`, in[8], in[4])
		}
		if at.place == InAgents {
			list[at.place] = strings.Replace(least, "bundled: {}", `url: "https://chat.example.org", mode: agents, agents: {bearer: "`+text+`"}`, 1)
			continue
		}
		list[at.place] = fmt.Sprintf(ownServer, append(in[:], "sync", auth)...)
	}
	return list
}

// ofModel is a scenario of api openai with the text in a place that it alone has.
func ofModel(at Place, text string) string {
	own := `{system: "` + text + `"}`
	if at == InTool {
		own = `{tools: [{name: f, result: {a: "` + text + `"}}]}`
	}
	return strings.NewReplacer(
		"  api: custom\n", "  api: openai\n  model: m\n  openai: "+own+"\n", "  before: ", "  #", "  request: ", "  #", "  response: ", "  #",
	).Replace(fmt.Sprintf(ownServer, "z", "z", "z", "z", "z", "z", "z", "z", "z", "z", "sync", "{bearer: z}"))
}

// Every variable may stand where the table says and nowhere else.
func TestVariablesStandWhereTheTableSays(t *testing.T) {
	for _, v := range Variables() {
		for place, text := range inEachPlace("${" + v.Name + "}") {
			_, err := Parse("x", []byte(text), Options{Dir: t.TempDir()})
			if may := v.In&place != 0; may != (err == nil) {
				t.Errorf("${%s} in %s: %v", v.Name, place, err)
			}
		}
		if v.Means == "" || v.In == 0 {
			t.Errorf("%+v", v)
		}
	}
}

// One rule for dollars, wherever a template stands.
func TestDollarsInEveryPlace(t *testing.T) {
	for text, want := range map[string]string{
		"$5, 5$ or $$5": "",
		"$${turn.txt}":  "",
		"${user.id":     `a } is missing after "${user.id": close it, or write $$ for a dollar`,
		"${}":           "${} names no variable: write for example ${user.id}, or $$ for a dollar",
		"${user}":       "${user} is not known here",
		"${exec:rm}":    "${exec:rm} is not a variable: from outside there are ${env:NAME} and ${file:PATH}",
		"${env:A-B}":    "${env:A-B} is not a variable: from outside there are ${env:NAME} and ${file:PATH}",
		"${evn:A}":      `${evn:A} is not a variable: from outside there are ${env:NAME} and ${file:PATH}; did you mean "env"?`,
		"${login.}":     "${login.} is not known here",
		"${file:}":      "${file:} is not a variable: from outside there are ${env:NAME} and ${file:PATH}",
		"${tabel.x}":    "${tabel.x} is not known here",
	} {
		for place, scenario := range inEachPlace(text) {
			_, err := Parse("x", []byte(scenario), Options{})
			if want == "" && err == nil {
				continue
			}
			var problems *Problems
			if !errors.As(err, &problems) || len(problems.List) != 1 || !strings.HasPrefix(problems.List[0].Message.String(), want) || problems.List[0].Line == 0 {
				t.Errorf("%s in %s: %v, want %s", text, place, err, want)
			}
		}
	}
}

// What is wrong with a template is told where it stands, and what may be meant.
func TestTemplateProblems(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{`say: "x %[1]s"`, `say: "${user.idd}"`, `x:15:41: conversations[0].turns[0].say: ${user.idd} is not known here; did you mean "user.id"?`},
		{`say: "x %[1]s"`, `say: "${ user.id }"`, `x:15:41: conversations[0].turns[0].say: ${ user.id } is not known here; did you mean "user.id"?`},
		{`say: "x %[1]s"`, `say: "${TABLE.COLUMM}"`, `x:15:41: conversations[0].turns[0].say: ${TABLE.COLUMM}: the table TABLE has no column "COLUMM"; did you mean "COLUMN"?`},
		{`say: "x %[1]s"`, `say: "${env:A}"`, `x:15:41: conversations[0].turns[0].say: ${env:A}: what comes from outside may be a secret, and what users say is written to the results: take a data table`},
		{`say: "x %[1]s"`, `say: "${turn.text}"`, `x:15:41: conversations[0].turns[0].say: ${turn.text} cannot stand in say: it may stand in headers, request`},
		{`["%[3]s"]`, `["b", {c: "${conversation.idd}"}]`, `x:11:62: target.request.body.a[1].c: ${conversation.idd} is not known here; did you mean "conversation.id"?`},
		{`["%[3]s"]`, `["b", {c: "${run.id"}]`, `x:11:62: target.request.body.a[1].c: a } is missing after "${run.id": close it, or write $$ for a dollar`},
		{`path: /l,`, `path: "/l/${conversation.id}",`, `x:9:55: target.login.steps[1].path: ${conversation.id} cannot stand in login: it may stand in say, headers, request, before, system, tools`},
		{`path: /l,`, `path: "/l/${login.NAMED}",`, `x:9:55: target.login.steps[1].path: ${login.NAMED} is not saved by target.login.save; did you mean "NAME"?`},
		{`path: /k,`, `path: "/l/${login.NAME}",`, `x:9:26: target.login.steps[0].path: ${login.NAME} is not saved by a step before this one`},
		{`path: /a,`, `path: "/${saved.NAME}",`, `x:10:19: target.before[0].path: ${saved.NAME} is not saved by a step before this one`},
		{`path: /c,`, `path: "/${saved.NAM}",`, `x:11:19: target.request.path: ${saved.NAM} is not saved by target.before, request or then; did you mean "NAME"?`},
		{`path: /c,`, `path: "/${history}",`, `x:11:19: target.request.path: ${history} is a list: it can only be an item or a whole member of a JSON target.request.body`},
		{`x-a: "%[2]s"`, `x-a: "${login.NAMES}"`, `x:7:18: target.headers.x-a: ${login.NAMES} is not saved by target.login.save; did you mean "NAME"?`},
		{`TABLE: {`, `run: {`, `x:13:13: data.run: run means something in templates already: choose another name`},
		{`TABLE: {`, `conversation: {`, `x:13:22: data.conversation: conversation means something in templates already: choose another name`},
	} {
		if !strings.Contains(ownServer, tt.old) {
			t.Fatalf("there is no %s", tt.old)
		}
		text := fmt.Sprintf(strings.Replace(ownServer, tt.old, strings.ReplaceAll(tt.new, "%", "%%"), 1), "", "z", "z", "", "", "z", "z", "", "", "", "sync", "{bearer: z}")
		text, _, _ = strings.Cut(text, "%!(EXTRA")
		if _, err := Parse("x", []byte(text), Options{}); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got\n%v, want\n%s", tt.new, err, tt.want)
		}
	}
}

// A dialog id that nothing ever fills is told before it opens a dialog a turn.
func TestDialogIDThatIsNeverSet(t *testing.T) {
	const always = "${dialog.id} would always be empty: say in target.response.dialog_id where the server names the dialog; ${conversation.id} is a session that the client chooses"
	own := "bundled: {}"
	for target, want := range map[string]string{
		own: "",
		`url: "https://x", api: article, headers: {a: "${dialog.id}"}`:                                                                                "",
		`url: "https://x", headers: {a: "${dialog.id}"}`:                                                                                              "",
		`url: "https://x", api: openai, model: m, headers: {a: "${dialog.id}"}`:                                                                       "x:3:64: target.headers.a: ${dialog.id} would always be empty: api openai names no dialogs; ${conversation.id} is a session that the client chooses",
		`url: "https://x", api: custom, request: {path: "/c/${dialog.id}", body: {t: "${turn.text}"}}, response: {answer: a}`:                         "x:3:57: target.request.path: " + always,
		`url: "https://x", api: custom, request: {path: /c, body: {t: "${turn.text}", d: ["${dialog.id}"]}}, response: {answer: a}`:                   "x:3:91: target.request.body.d[0]: " + always,
		`url: "https://x", api: custom, request: {path: /c, body: {t: "${turn.text}", d: "${dialog.id}"}}, response: {answer: a, dialog_id: data.id}`: "",
		`url: "https://x", api: custom, request: {path: /c, body: {t: "${turn.text}", d: "${conversation.id}"}}, response: {answer: a}`:               "",
	} {
		_, err := Parse("x", []byte(strings.Replace(least, own, target, 1)), Options{})
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
			t.Errorf("%s:\n%v, want\n%s", target, err, want)
		}
	}
}
