package scenario

import (
	"reflect"
	"slices"
	"strings"
)

// about describes a field for the JSON Schema and the reference page. Type,
// unit and closed set come from the Go type.
type about struct {
	text    string
	initial string // the default in words; empty: none
}

// fieldTable holds a line "Type.field | text | default" for every field.
const fieldTable = `
Scenario.version | version of this format, always 1 |
Scenario.name | names the result directory and stands in every report |
Scenario.description | what the test is about, in a sentence |
Scenario.seed | random seed: the same seed sends the same turns at the same times | 1
Scenario.target | the chat system under test |
Scenario.llm | the mock LLM behind it | for the bundled server: log-normal, median 110ms, p99 320ms
Scenario.load | who talks when |
Scenario.conversations | what is said, one to 500 dialogs |
Scenario.data | tables that conversations draw a row each from; ${TABLE.COLUMN} in texts |
Scenario.checks | what is looked for in every answer |
Scenario.observe | figures of other systems, seen once a second beside the load |
Scenario.guard | kill switches, not part of the verdict's statistics |
Scenario.sla | what is good enough |
Scenario.notify | who is told of the verdict |
Scenario.variants | states of one's own server that cstest tune compares, the first is the baseline; run and try ignore them |
Target.bundled | the server that ships with cstest; this or url |
Target.url | base URL of one's own server, http or https, without user, query or fragment |
Target.resolve | HOST:PORT to ADDRESS:PORT; Host header and SNI stay |
Target.headers | headers of every request, templates |
Target.api | reference and article: the bundled server's; openai: /v1/chat/completions, or as openai.form says; custom: request and response say | reference
Target.model | model named in every request (openai only) |
Target.openai | which of OpenAI's APIs is spoken, what the model is told, and its tools (openai only) | chat completions, nothing told, no tools
Target.auth | how a user proves who it is |
Target.login | what a user does before its first turn, and again where that has run out; not timed as a turn |
Target.cookies | per-user: cookies that the target sets are sent back to it; off: they are not | off
Target.before | steps once a conversation before its first turn, not timed as a turn (custom only) |
Target.request | what one turn sends (custom; path and headers for any api; of openai body is what a request has besides, such as {temperature: 0.2}) |
Target.then | steps of a turn behind its request, such as a poll; the answer is that of the last, in mode: stream a stream (custom only) |
Target.response | where things are in an answer (custom only) |
Target.prices | of a million tokens each; the report then tells what the run cost (openai, and custom with response.usage) | nothing is told of cost
Target.http | protocol; "2" needs https, h2c is HTTP/2 without TLS | "1.1"
Target.mode | sync: one answer; stream: SSE; async: 202 and a job; websocket: messages over a socket of the customer's (reference and custom); agents: the people who are shown the questions | sync
Target.socket | the socket of mode: websocket |
Target.agents | the people who are shown the questions (mode: agents only) | with mode: agents, 4 sockets
Target.connections | who shares a connection; HTTP/2 is always shared | per-user; shared with HTTP/2
Target.pool | connections of connections: shared | 64
Target.addresses | of a name with several: new connections go to them by turns, or all to the first that answers | rotate
Target.sources | auto: beyond 10,000 connections to a loopback target others come from further loopback addresses, which is said; off: all come from the usual one | auto
Target.timeout | a turn unanswered by then is a timeout | 3s
Target.tls | TLS of an https url |
Target.limits | what a server can do to the generator at most |
Socket.path | path of the upgrade below the url, a template; with a query where there is one | /, with socket.io /socket.io/?EIO=4&transport=websocket, with api: reference /v1/chat/ws
Socket.headers | headers of the upgrade, templates |
Socket.subprotocols | offered in Sec-WebSocket-Protocol; the server must choose one |
Socket.protocol | what is spoken on it: websocket: each message as it is; socket.io: events of socket.io on engine.io 4 | websocket
Socket.namespace | of socket.io | /
Socket.auth | what socket.io's CONNECT says who this is by: a mapping, templates in its strings |
Socket.first | messages that every new socket begins with; part of what opening it takes |
Socket.ping | what is sent while the socket is open, besides the answers to the server's own pings | nothing
Socket.pong | answers a message that is a ping of the application's own, also between turns; it is nobody's answer | nothing
Socket.receipt | the message by which the customer's side says that the answer has come; no part of the turn's time | nothing
Socket.redial | opens a socket that the server closed again while its customer thinks; counted and timed apart | with the next turn
Pong.when | conditions of a ping |
Pong.save | NAME to a place in the ping; then ${ping.NAME} in body |
Pong.event | event of the message (socket.io) |
Pong.as | how body is sent: json or text | json
Pong.body | the message |
Receipt.event | event of the message (socket.io) |
Receipt.as | how body is sent: json or text | json
Receipt.body | the message; ${saved.NAME} is what request.save kept of the answer |
Redial.after | from the end of the socket to the first attempt |
Redial.backoff | factor on it from one failed attempt to the next | 2
Redial.at_most | bound of it | 30s, or after
Ping.every | from one to the next |
Ping.event | event of the message (socket.io) |
Ping.as | how body is sent: json or text | json
Ping.body | the message | none: a ping frame
OpenAI.form | chat: chat completions, the dialog kept by the client; responses: the Responses API | chat
OpenAI.history | of form responses: server: previous_response_id; client: the whole dialog with every request | server
OpenAI.system | what the model is told before the dialog: a message of the role system, of form responses instructions; a template |
OpenAI.tools | functions that the model may call. The answer goes back to it at once, within the turn, until it answers the user |
OpenAI.max_calls | how often the model is called within a turn at most, 1 to 100; one that then still calls tools has not answered | 8
Tool.name | name of the function |
Tool.description | what it is for, as the model is told |
Tool.parameters | JSON Schema of its arguments |
Tool.strict | arguments follow the schema exactly | false
Tool.result | what it answers: a text, or JSON, templates in its strings; ${tool.arguments} is what the model called it with |
Prices.input | of a million tokens of prompts |
Prices.cached | of a million of those that the model knew already | input
Prices.output | of a million tokens of answers, reasoning and all |
Prices.currency | shown behind costs | USD
Agents.sockets | agents, each with a socket of its own, 1 to 1000; every process and shard has as many | 4
Agents.path | path below the url, a template with ${user.id}: agent-1, agent-2, … | /v1/agent/ws
Agents.queues | queues whose tickets they are shown; "*" is every queue | ["*"]
Agents.reply | what the agent who wins a ticket answers, 1 to 2000 characters, as it stands | 您好,已为您处理。
Agents.bearer | bearer token of the agents, a template with ${env:…}, ${file:…} and ${user.id} | tokens that cstest signs as auth.jwt says, sub agent-1, agent-2, … and role agent
Bundled.profile | hardened, or a stage of the tuning story that docs/reference-server.md names (the article) | hardened
Bundled.redis | embedded, or a redis:// URL (a template: ${env:…}, ${file:…}) | embedded
Bundled.processes | how many processes of it share one port and one Redis, 1 to 32; more than 1 needs Linux and a Redis of its own | 1
Bundled.knobs | overrides of the profile, see cstest serve reference-server --list-knobs |
Auth.bearer | bearer token, a template such as ${users.token} or ${env:TOKEN} |
Auth.jwt | a JWT that cstest signs itself (HS256) |
JWT.secret | signing key, ${env:NAME} or ${file:PATH} |
JWT.sub | subject, a template | ${user.id}
JWT.ttl | validity from signing | 2h
JWT.iss | issuer |
JWT.aud | audience |
JWT.kid | key id in the header |
JWT.claims | further claims, templates |
Login.method | HTTP method | POST
Login.path | path below the url, a template |
Login.headers | headers, templates |
Login.as | how body is sent | json
Login.body | JSON, templates in its strings |
Login.ok | holds where the login went well, besides a status below 300 |
Login.save | NAME to a place in the answer; then ${login.NAME} in request and headers |
Login.steps | several requests, in place of path, method, headers, body, ok and save |
Login.again_on | holds where an answer says that the login has run out | 401
Step.name | names the step where it fails |
Step.method | HTTP method | POST with a body, else GET
Step.path | path below the url, a template; one variable alone is an address on the target. In mode: websocket a step of before without one is a message over the socket, as those of socket.first are |
Step.event | event of a message (socket.io) |
Step.ack | asks for an acknowledgement of a message (socket.io) and waits for it | false
Step.headers | headers, templates |
Step.as | how body is sent | json
Step.body | as request.body |
Step.is_answer | conditions of the message that a message waits for; without it and with ok or save the next one, with none of these and no ack nothing | with ack the acknowledgement
Step.ok | holds where the step went well, besides a status below 300; not of the last in then |
Step.save | NAME to a place in the answer; then ${saved.NAME} in later steps and turns, in a login ${login.NAME} |
Step.poll | sends the step again until its answer is what is waited for (then only) |
Poll.is_answer | holds where the answer is there |
Poll.failed | holds where it will never be |
Poll.every | from an answer to the next question; Retry-After goes before it | 100ms
Poll.backoff | factor on every from question to question | 1
Poll.at_most | bound of every with backoff | 5s
Request.method | HTTP method | POST
Request.path | path below the url, a template; with a query where there is one |
Request.headers | headers, templates |
Request.event | event of the message (socket.io) | message
Request.ack | asks for an acknowledgement (socket.io); without response.is_answer it is the answer | false
Request.as | how body is sent: json; form and multipart: a flat mapping; text and xml: one text | json
Request.body | JSON, templates in its strings; a member whose whole value is one empty variable is left out. In multipart a file is {file: PATH, type: TYPE} |
Request.history | form of the messages that ${history} in a JSON body stands for | {role: user or assistant, content: TEXT}
Request.save | NAME to a place in the answer; then ${saved.NAME} in then and in later turns |
History.user | a message of the user, JSON with ${message.text} |
History.assistant | a message of the chat system, JSON with ${message.text} |
Response.format | jsonp: the JSON of an answer stands in NAME(…) | json
Response.is_answer | conditions of the message, or the event, that is the answer or a piece of it; others are passed over (mode: websocket and stream) | any
Response.turn_id | place of the turn that the answer is to, as ${turn.id} said it |
Response.ok | conditions that must hold, whatever the status |
Response.error | conditions of an answer, or an event, that is an error |
Response.error_code | place of the code of an error, for reports |
Response.error_message | place of the text of an error, for reports |
Response.dialog_id | place of the dialog's id |
Response.answer | place of the answer's text; texts of a list are joined by line ends |
Response.context_turns | place of how many user messages stood before the model |
Response.tier | which quality answered |
Response.group | place of the word for the group of users that this one is in, as a release or an experiment parts them (sla.groups) |
Response.degraded | place of what is true on a degraded answer |
Response.stream | events of mode: stream; in mode: websocket messages that each have a piece of the answer |
Response.job | jobs of mode: async |
Response.usage | where an answer, or an event, tells its tokens |
UsagePath.input | path to the tokens of the prompt |
UsagePath.cached | path to those of them that the model knew already |
UsagePath.output | path to the tokens of the answer, reasoning and all |
UsagePath.reasoning | path to those of them that it only thought |
TierPath.from | place of the server's word |
TierPath.map | the server's word to llm, faq, handoff or static | the words themselves
StreamPath.format | sse: server-sent events; ndjson: a JSON document a line; text: the body as it comes is the answer | sse
StreamPath.delta | place of the text in an event's data: a path into its JSON, or body:text; without delta and done one event for which response.is_answer holds is the whole answer |
StreamPath.delta_when | conditions of an event that has a piece of the answer; others have none | any event
StreamPath.reasoning | place of the model's reasoning in an event's data: timed by itself, no part of the answer |
StreamPath.reasoning_when | conditions of an event that has a piece of the reasoning | any event
StreamPath.done | conditions of the event that ends the stream; one word alone is its name, its whole data, or a place that is true; end-of-body: the end of the answer |
JobPath.url | place of the job's address in the 202 | the Location header
JobPath.status | place of the state in the polled answer | 200 is done, 202 is not
JobPath.done | the state that means done |
Condition.path | place of the value |
Condition.equals | the value is this text, number or truth value |
Condition.in | it is one of these |
Condition.not | it is there and another than this |
Condition.exists | true: it is there and not null; false: it is not |
Condition.matches | regular expression (RE2) that matches it |
TLS.ca | PEM file of the authority to trust, relative to the scenario's folder |
TLS.cert | PEM file of the client's certificate, with key; relative as well |
TLS.key | PEM file of the client's key, with cert |
TLS.server_name | name expected in the certificate | the url's host
TLS.resume | a user's next connection resumes the TLS session of the one before, as browsers do; false: every handshake is a full one | true
TLS.insecure | do not check the certificate; the report says so | false
Limits.headers | response headers | 64KiB
Limits.line | one line of a stream | 256KiB
Limits.body | response body, decompressed | 1MiB
Limits.ratio | decompressed to compressed size | 100
Limits.stall | longest silence inside of an answer | 10s
LLM.listen | ADDRESS:PORT to start a mock at, for one's own server to call |
LLM.admin | admin URL of a mock that runs already, to be armed |
LLM.token | the admin_token of that mock, as ${env:NAME} or ${file:PATH} |
LLM.latency | how long an answer takes | median 110ms, p99 320ms
LLM.connect | delay of the first call on every new connection | 0s
LLM.capacity | calls served at a time | unlimited
LLM.echo_context | answers list the canaries seen in the prompt | as checks.memory
LLM.answers | scripted answers, tried in order before the canned ones |
LLM.faults | windows in which the model misbehaves |
Latency.constant | always the same |
Latency.min | uniform: least, with max |
Latency.max | uniform: most, with min |
Latency.median | log-normal: median, with p99 |
Latency.p99 | log-normal: 99th percentile, with median |
Latency.first_token | time to the first token, with per_token |
Latency.per_token | time of each further token, with first_token |
Dist.constant | always the same |
Dist.min | uniform: least, with max |
Dist.max | uniform: most, with min |
Dist.median | log-normal: median, with p99 |
Dist.p99 | log-normal: 99th percentile, with median |
Capacity.max_in_flight | calls served at a time | unlimited
Capacity.queue | calls that wait for a place; others get 503 at once | 0
Capacity.slowdown | factor on latency when all places are taken | 1
Capacity.finish_abandoned | a call keeps its place when its client has left | false
Capacity.retry_after | told with the 503 of a full queue |
Answer.match | regular expression (RE2) on the last user message |
Answer.say | the answer |
Answer.tool | the function called instead, when the request offers it and its last message is not a tool's result |
Answer.arguments | of that call: a JSON object as text | made from the function's parameters
Fault.name | names the storm in reports and in sla.recovery.after |
Fault.at | begin, from the start of the load |
Fault.for | length |
Fault.kind | what goes wrong |
Fault.share | share of the calls struck | 100%
Fault.status | HTTP status of status, fail-first, html, error-in-stream | 503; html 200; error-in-stream 500
Fault.retry_after | Retry-After of status and fail-first |
Fault.ramp | the share grows from nothing during this time | 0s
Fault.flap | on and off inside of the window |
Fault.factor | slow: factor on latency | 10
Fault.chunks | chunks sent before truncate, reset, garbage, error-in-stream strike | 0
Fault.bytes_per_s | drip: bytes a second | 10B
Fault.attempts | fail-first: attempts of a turn that fail | 1
Fault.size | oversized: body | 64MiB
Fault.heartbeat | hang: a streamed comment this often |
Fault.value | leak, escape, html: the text; empty: body, choices or content |
Flap.on | time on |
Flap.off | time off |
Load.arrivals | how starts are spread within a stage's rate: poisson, as people who know nothing of each other come; constant, evenly; gamma, as shape says | poisson
Load.shape | of arrivals gamma: below 1 starts come in bursts, 1 is poisson, above they are ever more even; the times between them have the coefficient of variation 1/√shape | 0.5
Load.curve | CSV file in the scenario's folder with the columns time and rate, in place of stages: the rate goes linearly from row to row |
Load.scale | factor on the rates of curve | 1
Load.stages | stretches of the load, one after the other, 1 to 64 |
Load.users | closed load without stages, with for |
Load.for | length of a load without stages, with users; with curve the length that it is stretched or pressed to | none; with conversations 10m
Load.conversations | exactly so many conversations: the load ends when they have begun and ended, and the stages are the time there is for it | as many as the stages have room for
Load.think | pause before every turn but the first | median 2s, p95 6s
Load.patience | how long a customer waits for an answer before leaving: a turn not answered by then, from when it was due, is a timeout, and ends the conversation; each customer has a patience of its own | for ever
Load.pacing | users: least time from one start to the next | 0s
Load.drain | begun conversations may end within this time after the last stage | 30s
Load.max_in_flight | turns that may wait for the target; starts above it are dropped, and count as bad | 20k
Stage.name | names the stage in reports, objectives and --set |
Stage.for | length |
Stage.starts | conversations started a second, R or a linear ramp {from, to} |
Stage.users | users who loop over conversations, N or a linear ramp {from, to} |
Stage.judged | the SLA holds here; false for a warm-up | true
RateRamp.from | at the stage's begin |
RateRamp.to | at the stage's end |
CountRamp.from | at the stage's begin |
CountRamp.to | at the stage's end |
Think.constant | always the same |
Think.min | uniform: least, with max |
Think.max | uniform: most, with min |
Think.median | log-normal: median, with p95 |
Think.p95 | log-normal: 95th percentile, with median |
Conversation.name | names the conversation in reports |
Conversation.weight | how often, relative to the others; 0 is never | 1
Conversation.think | pause before every turn but the first | load.think
Conversation.turns | messages of the user, 1 to 200 |
Conversation.on_error | continue: send the next message; retry: the same again, twice at most, whatever Retry-After says; abort: leave | continue
Turn.when | said only where these hold of the answer to the turn said before; left out otherwise |
Turn.say | the message, a template (see Writing it) |
Turn.parts | what the message has behind its text: further texts, and images (openai only) |
Turn.think | pause before this turn; not on the first | the conversation's
Turn.forge | what the turn is sent with in the place of its user's own, to see whether the target looks; over a socket (mode: websocket) such a turn has one of its own |
Turn.expect | what the answer should look like; degraded answers are not held to it |
Forge.token | missing: none is sent; expired: an hour ago (tokens that cstest signs); tampered: a character of it, of a JWT of its signature, is another; another_user: the turn goes out as another user, who asks in this one's dialog |
Forge.claims | claims of the token beside or instead of its own, such as role: agent (tokens that cstest signs) |
Forge.headers | headers of the turn instead of the target's own, sent as they stand; an empty one is left out |
Forge.size | say is repeated until the text is so many bytes long, at most 256KiB |
ContentPart.text | a further text, a template as say |
ContentPart.image | an image: a file of at most 1 MiB in the scenario's folder (png, jpg, gif, webp), sent as a data URL, or an address that begins with https:// or data: |
ContentPart.detail | how closely the model looks at it: auto, low or high | auto
Expect.contains | text that must be in the answer |
Expect.not_contains | text that must not be in the answer |
Expect.matches | regular expression (RE2) that must match the answer |
Expect.refused | statuses, over sockets also codes that the server closes them with, of which one must come instead of an answer: such a turn counts for the objective refused and no other. An answer to it fails the run |
Data.csv | CSV file with a header row, UTF-8, in the scenario's folder |
Data.jsonl | file of one flat JSON object a line, in the scenario's folder |
Data.rows | the rows themselves |
Data.pick | unique: no row twice; random; sequential: in order, again from the start | sequential
Checks.memory | canaries in the user's texts tell whether the whole dialog stood before the model | on for the bundled server, else off
Checks.planted | TABLE.COLUMN whose values no answer may contain unmasked |
Checks.canned | regular expressions (RE2) of lines that stand in for an answer: degraded; until it is written, full quality is not verified where many different questions get one answer | those of the article that docs/reference-server.md names, their English like, and short lines of their kinds: busy, broken, crowded, try later
Checks.finish | finish reasons of api openai that are full quality beside stop and tool_calls, such as length | none: an answer that ended otherwise is degraded
Guard.max_turns | turns sent a second; above it the load ends | none
Guard.abort | ends the load when the target is down |
Abort.bad | share of bad turns |
Abort.for | for this long |
Abort.observed | fuses: figures of observe that end the load |
Fuse.name | name of what is observed |
Fuse.above | the load ends when the figure stays above |
Fuse.below | or when it stays below |
Fuse.for | for this long, or is not seen for this long and 10 s |
Observation.name | names the figure in objectives, fuses and reports |
Observation.url | of the Prometheus to ask, with promql; or of what is scraped, with metric |
Observation.promql | expression whose one value is taken |
Observation.metric | name of a metric in the Prometheus text format: its series are added up |
Observation.labels | only series with these labels |
Observation.rate | of a counter: its growth a second | false
Observation.headers | headers of the request; secrets as ${env:NAME} |
Observation.unit | shown behind the figure | none
Notice.kind | dingtalk, feishu, wecom, slack or webhook |
Notice.url | of the robot or hook, as ${env:NAME} or ${file:PATH} |
Notice.secret | that signs the message: dingtalk, feishu and webhook; as ${env:NAME} or ${file:PATH} | none
Notice.on | verdicts to tell of | every verdict
Notice.link | where the report is to be read; ${run.id} stands for the run's | none
Variant.name | names the variant in tables |
Variant.apply | puts the server into this state; run before every run of the variant, and once more for the first variant at the end |
Variant.ready | what is waited for before the load, without it nothing |
Command.run | program and arguments, as they stand; no shell; in the scenario's folder |
Command.timeout | ends it, and what it started | 1m
Ready.url | is asked with GET until it answers with status |
Ready.status | of the answer | 200
Ready.timeout | gives the variant's run up | 30s
SLA.latency | p50, p90, p95, p99 or p99.9 to the time within which that share of turns is answered well |
SLA.availability | share of turns answered, and of seconds good |
SLA.full_quality | share of turns not degraded, outside of a storm and the time allowed for recovery |
SLA.abandoned | share of conversations that customers may leave for want of patience, at most (needs load.patience) |
SLA.rate_limited | what a 429 counts as: bad, exclude, or {contract: RATE}: excluded above it | bad
SLA.recovery | how long after a storm things may stay bad |
SLA.client | what the target may do to the model while it is ill, as the mock LLM sees it (needs llm) |
SLA.confidence | of pass and fail by inference | 95%
SLA.gate | what decides the exit status: the inference, or what this run measured | inference
SLA.groups | groups of users whose figures are told apart, by the word that answers have for them: those of a gray release or an experiment. A turn that nobody answered did not say its group, and counts against each |
SLA.objectives | further objectives; one named as one of the short form replaces it |
RateLimited.policy | bad, exclude or contract | bad
RateLimited.contract | turns a second that must not be refused: a bucket fills at this rate and is drawn by accepted turns only; a 429 is bad when the bucket holds a token, and takes it. For the target count its burst, where its seconds begin, turns in flight, and two turns and 50 ms of the rate for the way |
ClientSLA.calls_per_turn | LLM calls per turn at most, in calm and in every storm |
ClientSLA.retry_after | share of answers with a Retry-After after which the same request did not come again before that time, at least |
ClientSLA.retries_after_4xx | refusals (4xx but for 408, 409, 425 and 429) after which the same request came again, at most |
ClientSLA.after_user_left | turns left by their user for which calls began or went on for more than 1 s afterwards, at most |
ClientSLA.broken_passed_on | good answers that carry what the model had broken off, at most |
ClientSLA.backoff | true: retries must not come at once or at constant gaps | false
ClientSLA.in_flight | calls open at a time, at most |
Recovery.after | name of the fault |
Recovery.latency | time until sla.latency holds again |
Recovery.quality | time until sla.full_quality holds again |
Objective.name | names the objective in reports |
Objective.kind | what is judged |
Objective.target | share of turns, seconds or conversations that must be good; client: of retry_after |
Objective.within | latency, first_token, first_reasoning, chunk_gap: the limit; recovery_*: the time allowed |
Objective.tier_at_most | worst tier that counts as good | any
Objective.group | one of sla.groups: judges its turns only | everybody
Objective.stages | names of judged stages | every judged stage
Objective.after | recovery_*: name of the fault |
Objective.observe | observed: name of the figure |
Objective.client | client: which finding, named as in sla.client |
Objective.min | observed: the least it may be |
Objective.max | calls_per_turn: LLM calls per turn at most; observed: the most it may be; client: the most there may be |
`

// fieldNotes gives the table by "Type.field".
func fieldNotes() map[string]about {
	notes := map[string]about{}
	for line := range strings.Lines(strings.TrimSpace(fieldTable)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " | ")
		text, initial, _ := strings.Cut(strings.TrimSuffix(rest, " |"), " | ")
		notes[name] = about{text: text, initial: initial}
	}
	return notes
}

// types lists the struct types of the file, depth first in the order of their fields.
func types() []reflect.Type {
	var list []reflect.Type
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			if slices.Contains(list, t) {
				return
			}
			list = append(list, t)
			set := fieldsOf(t)
			for _, name := range set.names {
				walk(t.Field(set.byName[name].index).Type)
			}
		}
	}
	walk(reflect.TypeFor[Scenario]())
	return list
}
