package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// least is a scenario with nothing to spare: tests change a line of it.
const least = `version: 1
name: least
target: {bundled: {}}
load:
  stages:
    - {name: only, for: 10s, starts: 5/s}
conversations:
  - name: c
    turns:
      - say: 你好
sla: {availability: 99%}
`

func TestProblems(t *testing.T) {
	swap := func(old, with string) string {
		if !strings.Contains(least, old) {
			t.Fatalf("least has no %q", old)
		}
		return strings.Replace(least, old, with, 1)
	}
	own := func(rest string) string {
		return swap("target: {bundled: {}}", "target:\n  url: http://127.0.0.1:8080\n"+rest)
	}
	for _, tt := range []struct{ name, in, want string }{
		// Form.
		{"empty", "", "x.yaml: has no content: see `cstest init` for a start"},
		{"garbage", "a: [1, 2", "x.yaml:2:1: is not YAML: did not find expected ',' or ']'"},
		{"tab", "a:\n\t- 1", "x.yaml:2:1: is not YAML: found character that cannot start any token (a tab? indent with spaces; a text that begins with @, `, % or a tab needs quotes)"},
		{"variants of the bundled server", least + "variants: [{name: a, apply: {run: [./one]}}, {name: b, apply: {run: [./two]}}]\n", "x.yaml:12:11: variants: are of one's own server (target.url); of the bundled one vary a knob: cstest tune --vary KNOB=a,b"},
		{"one variant", own("") + "variants: [{name: a, apply: {run: [./one]}}]\n", "x.yaml:14:11: variants: must be 2 to 16, the first is the baseline"},
		{"a variant twice", own("") + "variants: [{name: a, apply: {run: [./one]}}, {name: a, apply: {run: [./two]}}]\n", "x.yaml:14:53: variants[1].name: \"a\" stands twice: names are unique"},
		{"a variant of a shell line", own("") + "variants: [{name: a, apply: {run: []}}, {name: b, apply: {run: [./two]}}]\n", "x.yaml:14:35: variants[0].apply.run: must name a program and its arguments: [./deploy.sh, --pool, \"50\"]; there is no shell"},
		{"a variant that is ready nowhere", own("") + "variants: [{name: a, apply: {run: [./one]}, ready: {url: 127.0.0.1/healthz}}, {name: b, apply: {run: [./two]}}]\n", "x.yaml:14:58: variants[0].ready.url: \"127.0.0.1/healthz\" is not a URL: write for example http://10.0.0.7:8080/healthz"},
		{"client findings without a model of cstest's", strings.Replace(own(""), "sla: {availability: 99%}", "sla: {client: {backoff: true}}", 1), "x.yaml:13:15: sla.client: needs llm: what the target does to the model is what the mock LLM sees"},
		{"no client finding", swap("sla: {availability: 99%}", "sla: {client: {}}"), "x.yaml:11:15: sla.client: says nothing: name a finding, such as retry_after: 95%, or remove it"},
		{"a client finding that is none", swap("sla: {availability: 99%}", "sla: {objectives: [{name: a, kind: client, client: retry}]}"), "x.yaml:11:52: sla.objectives[0].client: \"retry\" is not one of calls_per_turn, retry_after, retries_after_4xx, after_user_left, broken_passed_on, backoff, in_flight"},
		{"a client finding without its limit", swap("sla: {availability: 99%}", "sla: {objectives: [{name: a, kind: client, client: in_flight}]}"), "x.yaml:11:20: sla.objectives[0].max: is missing (or zero): kind client needs it"},
		{"large", strings.Repeat("#", maxFile+1), "x.yaml: is larger than 1 MiB: put long tables into CSV or JSONL files"},
		{"latin-1", "version: 1\nname: caf\xe9", `x.yaml:2:10: is not UTF-8: save the file as UTF-8 (Excel: "CSV UTF-8")`},
		{"GBK", "version: 1\nname: \xc4\xfa\xba\xc3", "x.yaml:2:7: is not UTF-8 and looks like GBK, as Chinese Windows and Excel save it: save the file as UTF-8 (Excel: \"CSV UTF-8\"), or: iconv -f GB18030 -t UTF-8"},
		{"UTF-16 with a mark", "\xff\xfev\x00", "x.yaml:1:1: is UTF-16 (little endian), not UTF-8: save the file as UTF-8 (Excel: \"CSV UTF-8\"; Notepad: encoding UTF-8)"},
		{"UTF-16 without", "\x00v\x00e\x00r\x60\x28", "x.yaml:1:1: is UTF-16 (big endian), not UTF-8: save the file as UTF-8 (Excel: \"CSV UTF-8\"; Notepad: encoding UTF-8)"},
		// Indentation: where the parser tells of something else.
		{"deeper than a value", "a:\n  url: x\n   timeout: 3s", `x.yaml:3:11: indentation: this line ("timeout: 3s") is indented by 3, line 2 above it ("url: x") by 2; lines that belong together are indented alike, here by 0 or 2 spaces`},
		{"between two", "a:\n    url: x\n  timeout: 3s", `x.yaml:3:3: indentation: this line ("timeout: 3s") is indented by 2, line 2 above it ("url: x") by 4; lines that belong together are indented alike, here by 0 or 4 spaces`},
		{"under the dash", "a:\n  - name: x\n\n    # a word\n  for: 3s", `x.yaml:5:3: indentation: this line ("for: 3s") is indented by 2, line 2 above it ("- name: x") by 2; lines that belong together are indented alike, here by 0 or 2 or 4 spaces`},
		{"item off the list", "a:\n- say: hi\n - say: you", `x.yaml:3:2: indentation: this line ("- say: you") is indented by 1, line 2 above it ("- say: hi") by 0; lines that belong together are indented alike, here by 0 or 2 spaces`},
		{"a colon in a text", "a: 1\nb: for: bar", `x.yaml:2:7: is not YAML: mapping values are not allowed in this context (a text with ": " in it needs quotes)`},
		{"comma in braces", swap("- say: 你好", "- {say: 有券, 怎么用?}"), `x.yaml:10:19: conversations[0].turns[0]: a text with a comma inside { } needs quotes: say: "有券, 怎么用?"`},
		{"comma in a row", least + "data: {t: {rows: [{city: 杭州, 西湖, no: a}]}}", `x.yaml:12:30: data.t.rows[0]: a text with a comma inside { } needs quotes: city: "杭州, 西湖"`},
		{"two documents", least + "---\na: 1", "x.yaml: has several documents: one file is one scenario, remove what follows the second ---"},
		{"anchor", swap("name: least", "name: &n least"), "x.yaml:2:7: anchors (&n) are not supported: write the value out"},
		{"alias", swap("bundled: {}}", "bundled: &b {}}\ndata: *b"), "x.yaml:3:19: anchors (&b) are not supported: write the value out\nx.yaml:4:7: aliases (*b) are not supported: write the value out"},
		{"merge", swap("bundled: {}", "<<: {bundled: {}}"), "x.yaml:3:10: merge keys (<<) are not supported: write the values out"},
		{"binary", swap("name: least", "name: !!binary aGk="), "x.yaml:2:7: tags (!!binary) are not supported: write the plain value"},
		{"custom tag", swap("name: least", "name: !exec rm"), "x.yaml:2:7: tags (!exec) are not supported: write the plain value"},
		{"duplicate", least + "name: again", `x.yaml:12:1: the key "name" stands in line 2 already: keep one`},
		{"deep", least + "data: " + strings.Repeat("[", 33) + strings.Repeat("]", 33), "x.yaml:12:38: nested deeper than 32 levels"},
		{"list as key", swap("bundled: {}", "? [a]\n  : b"), "x.yaml:3:12: a key must be a plain word"},
		// Types.
		{"unknown key", swap("sla: {", "sla: {latnecy: {p99: 1s}, "), `x.yaml:11:7: sla.latnecy: is not known here; did you mean "latency"?`},
		{"unknown, nothing near", swap("{bundled: {}}", "{bundled: {color: red}}"), "x.yaml:3:20: target.bundled.color: is not known here; known: profile, redis, processes, knobs"},
		{"wrong kind", swap("target: {bundled: {}}", "target: bundled"), "x.yaml:3:9: target: must be a mapping (key: value), not a single value"},
		{"list wanted", swap("    - {name: only, for: 10s, starts: 5/s}", "    name: only"), "x.yaml:6:5: load.stages: must be a list (- item), not a mapping"},
		{"header as a path", swap("{bundled: {}}", "{url: 'https://x', api: custom, request: {path: /c, body: '${turn.text}'}, response: {answer: '@header.X', dialog_id: '@this.id', ok: '@reverse|ok'}}"), "x.yaml:3:103: target.response.answer: @header finds nothing: a path leads into the JSON body of the answer, a header is header:NAME"},
		{"no unit", swap("for: 10s", "for: 10"), `x.yaml:6:25: load.stages[0].for: "10" has no unit: write for example 10ms or 10s`},
		{"bare rate", swap("5/s", "5"), `x.yaml:6:38: load.stages[0].starts: "5" is not a rate: write for example 500/s or 30/m`},
		{"wrong unit", swap("availability: 99%", "availability: 0.99"), `x.yaml:11:21: sla.availability: "0.99" is not a share: write a percentage, for example 99%`},
		{"octal", swap("bundled: {}", "bundled: {}, pool: 0777, connections: shared"), `x.yaml:3:29: target.pool: "0777" begins with 0, which YAML may read as octal: write 777`},
		{"exponent", swap("name: c", "name: c\n    weight: 1e3"), `x.yaml:9:13: conversations[0].weight: "1e3" is not a plain number: write for example 3`},
		{"Norway", swap("name: least", "name: NO"), `x.yaml:2:7: name: NO may be read as something else than text: write "NO", in quotes`},
		{"date", swap("name: least", "name: 2026-01-01"), `x.yaml:2:7: name: 2026-01-01 may be read as something else than text: write "2026-01-01", in quotes`},
		{"time of day", swap("name: least", "name: 12:30:00"), `x.yaml:2:7: name: 12:30:00 may be read as something else than text: write "12:30:00", in quotes`},
		{"underscore", swap("name: least", "name: least\nseed: 1_000"), `x.yaml:3:7: seed: "1_000" is not a plain number: write for example 3`},
		{"http number", own("  http: 1.1"), `x.yaml:5:9: target.http: 1.1 is a number to YAML: write "1.1", in quotes`},
		{"word", own("  mode: strem"), `x.yaml:5:9: target.mode: "strem" is not one of sync, stream, async, websocket, agents; did you mean "stream"?`},
		{"yes", own("  url2: x\n  tls: {insecure: yes}"), "x.yaml:5:3: target.url2: is not known here; did you mean \"url\"?\nx.yaml:6:19: target.tls.insecure: \"yes\" is not a truth value: write true or false"},
		{"null", swap("sla: {availability: 99%}", "sla:"), "x.yaml:11:5: sla: is empty: give it a value or remove it"},
		{"missing", swap("name: only, ", ""), "x.yaml:6:7: load.stages[0].name: is missing"},
		{"missing top", "version: 1", "x.yaml:1:1: conversations: is missing\nx.yaml:1:1: load: is missing\nx.yaml:1:1: name: is missing\nx.yaml:1:1: sla: is missing\nx.yaml:1:1: target: is missing"},
		{"policy", swap("sla: {", "sla: {rate_limited: good, "), `x.yaml:11:21: sla.rate_limited: "good" is not a policy: write bad, exclude or {contract: 500/s}`},
		// Meaning.
		{"nothing expected", swap("say: 你好", "say: 你好\n        expect: {refused: []}"), "x.yaml:11:17: conversations[0].turns[0].expect: expects nothing: give contains, not_contains, matches or refused\nx.yaml:11:27: conversations[0].turns[0].expect.refused: is an empty list: name the statuses, such as [401, 403]"},
		{"refused with a word", swap("say: 你好", "say: 你好\n        expect: {refused: [401, 503, 200, 401], contains: 好}"), "x.yaml:11:17: conversations[0].turns[0].expect: a turn that must be refused has no answer: refused goes without contains, not_contains and matches\nx.yaml:11:33: conversations[0].turns[0].expect.refused[1]: 503 refuses nothing: write statuses from 300 to 499\nx.yaml:11:38: conversations[0].turns[0].expect.refused[2]: with a status of 200 only target.response.ok or error can tell a refusal from an answer: give one\nx.yaml:11:43: conversations[0].turns[0].expect.refused[3]: 401 is there twice"},
		{"a forged token without a word", swap("say: 你好", "say: 你好\n        forge: {token: missing}"), "x.yaml:11:16: conversations[0].turns[0].forge: nobody says what must become of the turn: add expect: {refused: [401, 403]} beside it"},
		{"another user in the first turn", swap("say: 你好", "say: 你好\n        forge: {token: another_user}\n        expect: {refused: [403]}"), "x.yaml:11:24: conversations[0].turns[0].forge.token: the first turn begins the conversation: there is no dialog yet that could be another user's"},
		{"a token that nobody sends", strings.Replace(own(""), "say: 你好", "say: 你好\n        forge: {token: tampered, headers: {Authorization: x, a b: z}}\n        expect: {refused: [403]}", 1), "x.yaml:13:24: conversations[0].turns[0].forge.token: the target has no token: give target.auth, or change another header with forge.headers\nx.yaml:13:59: conversations[0].turns[0].forge.headers.Authorization: forge.token and forge.claims say what stands there: remove one\nx.yaml:13:67: conversations[0].turns[0].forge.headers.a b: \"a b\" is not the name of a header"},
		{"an old token of another's making", strings.Replace(own("  auth: {bearer: '${env:T}'}\n"), "say: 你好", "say: 你好\n        forge: {token: expired, claims: {a: b}}\n        expect: {refused: [403]}", 1), "x.yaml:14:24: conversations[0].turns[0].forge.token: cstest can let a token expire that it signs itself: give target.auth.jwt, or an old one with forge.headers\nx.yaml:14:41: conversations[0].turns[0].forge.claims: cstest can change a token that it signs itself: give target.auth.jwt"},
		{"users who are all one", strings.Replace(own("  auth: {bearer: '${env:T}'}\n"), "- say: 你好", "- say: 你好\n      - say: 再见\n        forge: {token: another_user}\n        expect: {refused: [403]}", 1), "x.yaml:15:24: conversations[0].turns[1].forge.token: nothing that proves who a user is differs from user to user: put user.id, user.index or a column of data into target.auth"},
		{"refused over a socket", strings.Replace(swap("bundled: {}", "bundled: {}, mode: websocket"), "say: 你好", "say: 你好\n        forge: {size: 1MiB}\n        expect: {refused: [403, 1008, 4401, 101, 1000, 200]}", 1), "x.yaml:11:23: conversations[0].turns[0].forge.size: 1MiB: at most 256KiB\nx.yaml:12:45: conversations[0].turns[0].expect.refused[3]: with a status of 101 only target.response.ok or error can tell a refusal from an answer: give one\nx.yaml:12:50: conversations[0].turns[0].expect.refused[4]: 1000 refuses nothing: write statuses from 300 to 499, 101 for an answer over an open socket, or what the server closes it with: 1003, 1007, 1008, 1009, 3000 to 4999\nx.yaml:12:56: conversations[0].turns[0].expect.refused[5]: 200 refuses nothing: write statuses from 300 to 499, 101 for an answer over an open socket, or what the server closes it with: 1003, 1007, 1008, 1009, 3000 to 4999"},
		{"refused by a code without a socket", swap("say: 你好", "say: 你好\n        expect: {refused: [1008]}"), "x.yaml:11:28: conversations[0].turns[0].expect.refused[0]: 1008 refuses nothing: write statuses from 300 to 499"},
		{"version", swap("version: 1", "version: 2"), "x.yaml:1:10: version: must be 1, the only version there is"},
		{"name", swap("name: least", "name: ../x"), `x.yaml:2:7: name: "../x": use letters, digits, and - _ . between them`},
		{"both targets", swap("bundled: {}", "bundled: {}, url: 'http://x'"), "x.yaml:3:9: target: has both bundled and url: remove one (--target URL replaces bundled)"},
		{"no target", swap("bundled: {}", "timeout: 3s"), "x.yaml:3:9: target: has neither bundled nor url: write bundled: {} or url: https://…"},
		{"scheme", swap("bundled: {}", "url: 'ftp://x'"), `x.yaml:3:15: target.url: "ftp://x" must begin with http:// or https://`},
		{"password", swap("bundled: {}", "url: 'http://u:hunter2@x'"), "x.yaml:3:15: target.url: has a user or a password in it, which would be written to the results: use target.auth or target.headers with ${env:NAME}"},
		{"auth with bundled", swap("bundled: {}", "bundled: {}, auth: {bearer: '${env:T}'}"), "x.yaml:3:29: target.auth: is for one's own server (target.url); the bundled one needs none: cstest signs its tokens itself"},
		{"article streams", own("  api: article\n  mode: stream"), "x.yaml:6:9: target.mode: api article has no stream: possible are sync"},
		{"h2c per user", own("  http: h2c\n  connections: per-user"), "x.yaml:6:16: target.connections: HTTP/2 carries many conversations over few connections: write shared (and pool: N)"},
		{"h2 without TLS", own("  http: \"2\""), `x.yaml:5:9: target.http: "2" needs an https URL; over http:// it is h2c`},
		{"agents of a stream", own("  mode: stream\n  agents: {sockets: 2}"), "x.yaml:6:11: target.agents: is for mode: agents; no agent is shown what is asked in mode: stream"},
		{"agents over h2c", own("  mode: agents\n  http: h2c"), `x.yaml:6:9: target.http: mode: agents needs http: "1.1"`},
		{"agents of another api", own("  mode: agents\n  api: article"), "x.yaml:5:9: target.mode: api article has no agents: possible are sync"},
		{
			"agents", own("  mode: agents\n  agents: {sockets: 0, path: ws, queues: [], reply: ' '}"),
			"x.yaml:6:21: target.agents.sockets: must be 1 to 1000\n" +
				"x.yaml:6:30: target.agents.path: \"ws\" is not a path: begin with /, without spaces\n" +
				"x.yaml:6:42: target.agents.queues: must have 1 to 100 names, or be [\"*\"] for every queue\n" +
				"x.yaml:6:53: target.agents.reply: must have 1 to 2000 characters",
		},
		{
			"too many agents", own("  mode: agents\n  agents: {sockets: 1001, queues: [a, a, '*', 'b c'], bearer: '${turn.text}', path: '/${dialog.id}'}"),
			"x.yaml:6:21: target.agents.sockets: must be 1 to 1000\n" +
				"x.yaml:6:39: target.agents.queues[1]: \"a\" stands twice: names are unique\n" +
				"x.yaml:6:42: target.agents.queues[2]: \"*\" is every queue already: write it alone\n" +
				"x.yaml:6:47: target.agents.queues[3]: \"b c\": use letters, digits, and - _ . between them\n" +
				"x.yaml:6:63: target.agents.bearer: ${turn.text} cannot stand in agents: it may stand in headers, request\n" +
				"x.yaml:6:85: target.agents.path: ${dialog.id} cannot stand in agents: it may stand in headers, request",
		},
		{"bearer of bundled agents", swap("bundled: {}", "bundled: {}, mode: agents, agents: {bearer: '${env:T}'}"), "x.yaml:3:54: target.agents.bearer: is for one's own server (target.url); the bundled one needs none: cstest signs its tokens itself"},
		{"custom without request", own("  api: custom"), "x.yaml:4:3: target.request: is missing: api custom needs to know what to send, for example {path: /chat, body: {text: \"${turn.text}\"}}\nx.yaml:4:3: target.response: is missing: api custom needs to know where the answer is, for example {answer: data.reply}"},
		{"silent request", own("  api: custom\n  request: {path: /chat, body: {text: hello}}\n  response: {answer: a}"), "x.yaml:6:32: target.request.body: says ${turn.text} nowhere: the user's message would not be sent"},
		{"login variable", own("  headers: {x: '${login.sid}'}\n  login: {path: /s, save: {id: a.b}}"), `x.yaml:5:16: target.headers.x: ${login.sid} is not saved by target.login.save; did you mean "id"?`},
		{"no start", swap("starts: 5/s", "starts: 0/s"), "x.yaml:6:5: load.stages: plan 0 conversations, less than one: nothing would be sent; raise starts or for"},
		{"less than one start", swap("starts: 5/s", "starts: 1/m"), "x.yaml:6:5: load.stages: plan 0.167 conversations, less than one: nothing would be sent; raise starts or for"},
		{"no patience at all", swap("load:", "load:\n  patience: 0s"), "x.yaml:5:13: load.patience: must be above 0s; leave it out for customers who wait for ever"},
		{"two patiences", swap("load:", "load:\n  patience: {constant: 1s, max: 2s}"), "x.yaml:5:13: load.patience: mixes forms: write one of a duration, {min, max} and {median, p95}"},
		{"nobody leaves", swap("sla: {", "sla: {abandoned: 1%, "), "x.yaml:11:18: sla.abandoned: no customer leaves without load.patience: say there how long they wait"},
		{"all may leave", swap("sla: {", "sla: {abandoned: 100%, "), "x.yaml:11:18: sla.abandoned: 100% asks for nothing: remove it"},
		{"nobody leaves, long form", swap("sla: {", "sla: {objectives: [{name: stay, kind: abandoned, target: 99%}], "), "x.yaml:11:39: sla.objectives[0].kind: no customer leaves without load.patience: say there how long they wait"},
		{"shape of nothing", swap("load:", "load:\n  shape: 0.5"), "x.yaml:5:10: load.shape: is for arrivals: gamma; poisson has no shape"},
		{"shape out of range", swap("load:", "load:\n  arrivals: gamma\n  shape: 0"), "x.yaml:6:10: load.shape: must be 0.05 to 1000: below 1 starts come in bursts, above they are ever more even"},
		{"first when", swap("say: 你好", "say: 你好\n        when: data.ok"), "x.yaml:11:15: conversations[0].turns[0].when: the first turn begins the conversation: there is no answer before it"},
		{"when of a header", swap("say: 你好", "say: 你好\n      - say: 再见\n        when: {path: \"header:x\", equals: a}"), "x.yaml:12:15: conversations[0].turns[1].when[0].path: looks at the answer's content: write a path into its JSON, body:text, regex:… or http:status"},
		{"when of no expression", swap("say: 你好", "say: 你好\n      - say: 再见\n        when: {path: \"body:text\", matches: \"(\"}"), "x.yaml:12:15: conversations[0].turns[1].when[0].matches: is not a regular expression (RE2): missing closing ): `(`"},
		{"no conversation", swap("load:", "load:\n  conversations: 0"), "x.yaml:5:18: load.conversations: must be 1 or more; leave it out for as many as the stages have room for"},
		{"more conversations than starts", swap("load:", "load:\n  conversations: 51"), "x.yaml:5:18: load.conversations: is 51, and the stages start about 50: lengthen for, raise starts, or ask for fewer"},
		{"conversations beyond measure", swap("load:", "load:\n  conversations: 2000M"), "x.yaml:5:18: load.conversations: is 2000M: 1000000000 are possible"},
		{"no user", swap("starts: 5/s", "users: 0"), "x.yaml:6:5: load.stages: plan no user: nothing would be sent"},
		{"header of the connection", own("  headers: {TE: x}"), "x.yaml:5:17: target.headers.TE: belongs to the connection, and cstest sets what is needed itself: remove it"},
		{"a coding not read", own("  headers: {Accept-Encoding: \"gzip, lzma;q=0.5\"}"), "x.yaml:5:30: target.headers.Accept-Encoding: cstest cannot read bodies in \"lzma\": ask for gzip, deflate, br or zstd"},
		{"URL from nowhere", swap("target: {bundled: {}}", "target: {url: \"${env:NOWHERE_AT_ALL}\"}"), "x.yaml:3:15: target.url: the environment has no NOWHERE_AT_ALL: set it, or say which server with --target URL (CSTEST_TARGET)"},
		{"header", own("  headers: {Host: x}"), `x.yaml:5:19: target.headers.Host: the host is that of target.url: write the name there, and where it is to be found in target.resolve, for example {"chat.example:443": "10.0.0.7:443"}`},
		{"tier", own("  api: custom\n  request: {path: /c, body: {t: '${turn.text}'}}\n  response: {answer: a, tier: {from: s, map: {agent: handof}}}"), `x.yaml:7:54: target.response.tier.map.agent: "handof" is not one of llm, faq, handoff, static; did you mean "handoff"?`},
		{"mixed stages", swap("starts: 5/s}", "starts: 5/s}\n    - {name: b, for: 1s, users: 5}"), "x.yaml:7:7: load.stages[1]: mixes starts and users: all stages have the one or the other"},
		{"same stage", swap("starts: 5/s}", "starts: 5/s}\n    - {name: only, for: 1s, starts: 1/s}"), `x.yaml:7:14: load.stages[1].name: "only" stands twice: names are unique`},
		{"none judged", swap("starts: 5/s}", "starts: 5/s, judged: false}"), "x.yaml:6:5: load.stages: none is judged: leave judged: true to at least one"},
		{"think", swap("load:", "load:\n  think: {median: 4s, max: 5s}"), "x.yaml:5:10: load.think: mixes forms: write one of a duration, {min, max} and {median, p95}"},
		{"think backwards", swap("load:", "load:\n  think: {median: 4s, p95: 1s}"), "x.yaml:5:10: load.think: needs median (above 0s) and p95 (not below it)"},
		{"first think", swap("say: 你好", "say: 你好\n        think: 1s"), "x.yaml:11:16: conversations[0].turns[0].think: the first turn begins the conversation: there is no pause before it"},
		{"column", swap("say: 你好", "say: 你好 ${orders.namme}\ndata: {orders: {rows: [{name: a}]}}"), `x.yaml:10:14: conversations[0].turns[0].say: ${orders.namme}: the table orders has no column "namme"; did you mean "name"?`},
		{"table", swap("say: 你好", "say: 你好 ${order.name}\ndata: {orders: {rows: [{name: a}]}}"), `x.yaml:10:14: conversations[0].turns[0].say: ${order.name} is not known here; did you mean "orders.name"?`},
		{"secret in a text", swap("say: 你好", "say: '${env:TOKEN}'"), "x.yaml:10:14: conversations[0].turns[0].say: ${env:TOKEN}: what comes from outside may be a secret, and what users say is written to the results: take a data table"},
		{"too few rows", swap("sla:", "data: {t: {rows: [{a: b}], pick: unique}}\nsla:"), "x.yaml:11:11: data.t: has 1 rows for about 50 conversations: give more rows, or pick: random"},
		{"ragged rows", swap("sla:", "data: {t: {rows: [{a: b, c: d}, {a: b}, {a: b, c: d, e: f}]}}\nsla:"), "x.yaml:11:33: data.t.rows[1]: has no c, which the first row has\nx.yaml:11:57: data.t.rows[2].e: is not in the first row: every row has the same columns"},
		{"planted", swap("sla:", "data: {t: {rows: [{phone: b}]}}\nchecks: {planted: [t.phon]}\nsla:"), `x.yaml:12:20: checks.planted[0]: the table t has no column "phon"; did you mean "phone"?`},
		{"regexp", swap("say: 你好", "say: 你好\n        expect: {matches: '(a'}"), "x.yaml:11:27: conversations[0].turns[0].expect.matches: is not a regular expression (RE2): missing closing ): `(a`"},
		{"percentile", swap("sla: {", "sla: {latency: {p98: 1s}, "), `x.yaml:11:22: sla.latency.p98: "p98" is not one of p50, p90, p95, p99, p99.9; did you mean "p90"?`},
		{"recovery", swap("sla: {", "sla: {recovery: {after: strom, quality: 1s}, "), `x.yaml:11:25: sla.recovery.after: there is no fault "strom" in llm.faults`},
		{"nothing asked", swap("{availability: 99%}", "{confidence: 95%}"), "x.yaml:11:6: sla: asks for nothing: write for example latency: {p99: 500ms} and availability: 99%"},
		{"objective", swap("sla: {", "sla: {objectives: [{name: x, kind: latency, target: 99%, stages: [onlyy]}], "), "x.yaml:11:20: sla.objectives[0].within: is missing (or zero): kind latency needs it\nx.yaml:11:67: sla.objectives[0].stages[0]: there is no stage \"onlyy\"; did you mean \"only\"?"},
		{
			"foreign fields", swap("sla: {availability: 99%}", "sla: {objectives: [{name: i, kind: integrity, target: 99%}, {name: c, kind: conversations, target: 99%, tier_at_most: faq, max: 2}, {name: f, kind: first_token, target: 99%, within: 1s}, {name: availability, kind: seconds, target: 1%}], availability: 2%}"),
			"x.yaml:11:55: sla.objectives[0].target: means nothing to kind integrity: remove it\n" +
				"x.yaml:11:119: sla.objectives[1].tier_at_most: a conversation is complete, or complete with degraded answers: write llm, or remove it\n" +
				"x.yaml:11:129: sla.objectives[1].max: means nothing to kind conversations: remove it\n" +
				"x.yaml:11:149: sla.objectives[2].kind: first_token is for target.mode: stream\n" +
				"x.yaml:11:195: sla.objectives[3].name: availability is the name of a check of kind availability: choose another",
		},
		{
			"groups", swap("sla: {", "sla: {groups: [a, a, ''], objectives: [{name: x, kind: full_quality, target: 99%, group: b}, {name: i, kind: integrity, group: a}], "),
			`x.yaml:11:19: sla.groups[1]: a is there twice
x.yaml:11:22: sla.groups[2]: is not a word of 1 to 64 bytes
x.yaml:11:90: sla.objectives[0].group: "b" is not one of sla.groups: name it there, so that its turns are told apart
x.yaml:11:128: sla.objectives[1].group: means nothing to kind integrity: remove it`,
		},
		{
			"groups that nobody names", strings.Replace(own("  api: openai\n  model: m"), "sla: {", "sla: {groups: [a], ", 1),
			"x.yaml:14:15: sla.groups: no answer of api openai says its group: describe the answers with api: custom, with target.response.group",
		},
		{"fault field", swap("load:", "llm: {faults: [{name: a, at: 1s, for: 1s, kind: slow, status: 503}]}\nload:"), "x.yaml:4:63: llm.faults[0].status: means nothing to kind slow; it is for status, fail-first, html, error-in-stream"},
		{"latency forms", swap("load:", "llm: {latency: {median: 1s, p99: 2s, constant: 3s}}\nload:"), "x.yaml:4:16: llm.latency: mixes forms: write one of a duration, {min, max} and {median, p99}"},
		{"first token alone", swap("load:", "llm: {latency: {first_token: 20m}}\nload:"), "x.yaml:4:16: llm.latency: first_token and per_token are needed together"},
		{"arguments alone", swap("load:", "llm: {answers: [{match: a, say: b, arguments: '{}'}]}\nload:"), "x.yaml:4:47: llm.answers[0].arguments: means nothing without tool"},
		{"arguments", swap("load:", "llm: {answers: [{match: a, say: b, tool: t, arguments: '[1]'}]}\nload:"), `x.yaml:4:56: llm.answers[0].arguments: must be a JSON object as text, such as '{"order_no": "E1"}', of at most 64 KiB`},
		{"slow model", swap("load:", "llm: {latency: 11m}\nload:"), "x.yaml:4:16: llm.latency: is longer than 10m"},
		{"capacity", swap("load:", "llm: {capacity: {queue: 3, slowdown: 0.5}}\nload:"), "x.yaml:4:17: llm.capacity.max_in_flight: must be 1 or more for the rest of capacity to mean something\nx.yaml:4:38: llm.capacity.slowdown: is a factor from 1 to 1000"},
		{"fault limits", swap("load:", "llm: {faults: [{name: a, at: 1s, for: 1s, kind: status, status: 200, ramp: 2s, flap: {on: 1us, off: 1s}}]}\nload:"), "x.yaml:4:65: llm.faults[0].status: 200 is not an HTTP status from 400 to 599\nx.yaml:4:76: llm.faults[0].ramp: is longer than the fault\nx.yaml:4:86: llm.faults[0].flap: on and off must be 1ms or more"},
		{"empty what", swap("load:", "llm: {faults: [{name: a, at: 1s, for: 0s, kind: empty, value: all, share: 0%}]}\nload:"), "x.yaml:4:39: llm.faults[0].for: must be above 0s\nx.yaml:4:63: llm.faults[0].value: must be body, choices or content\nx.yaml:4:75: llm.faults[0].share: must be above 0%, else nothing happens"},
		{"mock twice", own("llm: {listen: '0.0.0.0:9000', admin: 'http://127.0.0.1:1'}"), "x.yaml:5:6: llm: has both listen (start a mock there) and admin (arm one that runs): remove one"},
		// Hostile text must reach a terminal harmless.
		{"escape", swap("name: least", "name: \"\\e[31mred\""), "x.yaml:2:7: name: \"\ufffd[31mred\": use letters, digits, and - _ . between them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse("x.yaml", []byte(tt.in), Options{})
			if _, ok := errors.AsType[*Problems](err); !ok {
				t.Fatalf("got %v and scenario %v, want problems", err, s)
			}
			if err.Error() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", err, tt.want)
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	_, err := Parse("x.yaml", []byte(least+"data: {t: {rows: ["+strings.Repeat("{a: ~},", 500)+"]}}"), Options{})
	var problems *Problems
	if !errors.As(err, &problems) || len(problems.List) != maxProblems+1 || problems.List[maxProblems].Message.String() != "and 400 more" {
		t.Errorf("got %v", err)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"sla:", "guard: {max_turns: 4/s}\nsla:", "x.yaml:11:20: guard.max_turns: 4/s is below the plan's peak of about 5 turns/s: the guard will end the run"},
		{"load:", "llm: {faults: [{name: a, at: 8s, for: 5s, kind: slow}]}\nload:", "x.yaml:4:39: llm.faults[0].for: the fault ends after the load does (10s): its recovery will not be seen"},
		{"target: {bundled: {}}", "target: {url: 'https://x', auth: {bearer: hunter2}}", "x.yaml:3:43: target.auth.bearer: the token itself stands here and will be written to the results: use ${env:NAME} or a data table"},
		{"target: {bundled: {}}", "target: {url: 'https://x', mode: agents, agents: {bearer: hunter2}}", "x.yaml:3:59: target.agents.bearer: the token itself stands here and will be written to the results: use ${env:NAME}"},
		{"target: {bundled: {}}", "target: {url: 'https://x'}\nchecks: {memory: on}", "x.yaml:4:18: checks.memory: no mock LLM echoes what it saw of the dialog (llm.listen or llm.admin, echo_context: true): context will be not verified"},
		{"load:\n", "load:\n  drain: 2s\n", "x.yaml:5:10: load.drain: 2s is below target.timeout, 3s: turns still under way then are cut off, and nobody knows whether they would have been good"},
		{"{availability: 99%}", "{latency: {p50: 2s, p99: 1s}}", "x.yaml:11:31: sla.latency.p99: 1s is tighter than p50 (2s), which therefore decides nothing"},
	} {
		s, err := Parse("x.yaml", []byte(strings.Replace(least, tt.old, tt.new, 1)), Options{})
		if err != nil {
			t.Errorf("%s: %v", tt.new, err)
			continue
		}
		if w := s.Warnings(); len(w) != 1 || w[0].String() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.new, w, tt.want)
		}
	}
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s.yaml")
	text := strings.Replace(least, "sla:", "data: {orders: {csv: orders.csv}}\nsla:", 1)
	for name, content := range map[string]string{"s.yaml": text, "orders.csv": "\xef\xbb\xbforder_no,phone\n1,\"2,3\"\n4,5\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := LoadFile(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := s.Data["orders"]
	if strings.Join(d.Columns, "|") != "order_no|phone" || len(d.Table) != 2 || d.Table[0][1] != "2,3" || d.Pick != PickSequential {
		t.Errorf("read %+v", d)
	}
	if _, err := LoadFile(dir, Options{}); err == nil || !strings.HasSuffix(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := LoadFile(filepath.Join(dir, "none.yaml"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
