// Package scenario says what to test: the YAML file, its defaults, its
// validation and its JSON Schema. It is data and rules only; nothing here opens
// a socket or waits.
package scenario

import (
	"github.com/cstest/cstest/unit"
)

// Scenario is one test, as written in a file. After Load every default is
// filled in and every name resolved, so that readers need no fallbacks.
// It is read-only from then on and safe for concurrent use.
type Scenario struct {
	Version       int             `json:"version"`
	Name          string          `json:"name"`
	Description   string          `json:"description,omitempty"`
	Seed          uint64          `json:"seed,omitempty"`
	Target        Target          `json:"target"`
	LLM           *LLM            `json:"llm,omitempty"`
	Load          Load            `json:"load"`
	Conversations []Conversation  `json:"conversations"`
	Data          map[string]Data `json:"data,omitempty"`
	Checks        Checks          `json:"checks,omitzero"`
	Observe       []Observation   `json:"observe,omitempty"`
	Guard         Guard           `json:"guard,omitzero"`
	SLA           SLA             `json:"sla"`
	Notify        []Notice        `json:"notify,omitempty"`
	Variants      []Variant       `json:"variants,omitempty"`

	source source // where things stood in the file, and what is needed to read more of it
}

// Target is the chat system under test: the bundled server, or one's own.
type Target struct {
	Bundled     *Bundled          `json:"bundled,omitempty"`
	URL         string            `json:"url,omitempty"`
	Resolve     map[string]string `json:"resolve,omitempty"` // "host:port" -> "address:port"; Host and SNI stay
	Headers     map[string]string `json:"headers,omitempty"`
	API         API               `json:"api,omitempty"`
	Model       string            `json:"model,omitempty"` // openai only
	OpenAI      *OpenAI           `json:"openai,omitempty"`
	Auth        *Auth             `json:"auth,omitempty"`
	Login       *Login            `json:"login,omitempty"`
	Cookies     Cookies           `json:"cookies,omitempty"`
	Before      []Step            `json:"before,omitempty"`
	Request     *Request          `json:"request,omitempty"`
	Then        []Step            `json:"then,omitempty"`
	Response    *Response         `json:"response,omitempty"`
	Prices      *Prices           `json:"prices,omitempty"` // of tokens
	HTTP        HTTPVersion       `json:"http,omitempty"`
	Mode        Mode              `json:"mode,omitempty"`
	Socket      *Socket           `json:"socket,omitempty"` // of mode websocket
	Agents      *Agents           `json:"agents,omitempty"` // of mode agents
	Connections Connections       `json:"connections,omitempty"`
	Pool        unit.Count        `json:"pool,omitempty"` // connections of a shared pool
	Addresses   Addresses         `json:"addresses,omitempty"`
	Sources     Sources           `json:"sources,omitempty"`
	Timeout     unit.Duration     `json:"timeout,omitempty"`
	TLS         *TLS              `json:"tls,omitempty"`
	Limits      Limits            `json:"limits,omitzero"`
}

// Agents are the people of mode agents, to whom the chat system hands
// questions: every one has a socket of its own, open all along. Path and Bearer
// are templates in which ${user.id} is agent-1, agent-2, …
type Agents struct {
	Sockets unit.Count `json:"sockets,omitempty"` // 4
	Path    string     `json:"path,omitempty"`    // /v1/agent/ws
	Queues  []string   `json:"queues,omitempty"`  // ["*"]: every queue
	Reply   string     `json:"reply,omitempty"`   // what the agent who wins a ticket answers
	Bearer  string     `json:"bearer,omitempty"`  // without it cstest signs the agents' tokens as auth.jwt says
}

// Bundled names the reference server that cstest starts itself.
type Bundled struct {
	Profile   Profile           `json:"profile,omitempty"`
	Redis     string            `json:"redis,omitempty"`     // embedded | redis://…
	Processes int               `json:"processes,omitempty"` // that share one port and one Redis
	Knobs     map[string]string `json:"knobs,omitempty"`
}

// Auth is how a user proves who it is: a bearer token from data, or a JWT that
// cstest signs itself.
type Auth struct {
	Bearer string `json:"bearer,omitempty"`
	JWT    *JWT   `json:"jwt,omitempty"`
}

// JWT is signed with HS256 and the secret.
type JWT struct {
	Secret   string            `json:"secret"`
	Sub      string            `json:"sub,omitempty"`
	TTL      unit.Duration     `json:"ttl,omitempty"`
	Issuer   string            `json:"iss,omitempty"`
	Audience string            `json:"aud,omitempty"`
	Kid      string            `json:"kid,omitempty"`
	Claims   map[string]string `json:"claims,omitempty"`
}

// TLS of the target.
type TLS struct {
	CA         string `json:"ca,omitempty"`
	Cert       string `json:"cert,omitempty"`
	Key        string `json:"key,omitempty"`
	ServerName string `json:"server_name,omitempty"`
	Insecure   bool   `json:"insecure,omitempty"`
	Resume     *bool  `json:"resume,omitempty"` // true
}

// Limits bound what a server can do to us.
type Limits struct {
	Headers unit.Size     `json:"headers,omitempty"` // 64 KiB
	Line    unit.Size     `json:"line,omitempty"`    // 256 KiB
	Body    unit.Size     `json:"body,omitempty"`    // 1 MiB
	Ratio   unit.Count    `json:"ratio,omitempty"`   // decompression, 100
	Stall   unit.Duration `json:"stall,omitempty"`   // longest silence inside an answer
}

// LLM configures the mock LLM. Its JSON form is the body of the mock's
// PUT /mock/config once Listen, Admin and Token are empty.
type LLM struct {
	Listen      string        `json:"listen,omitempty"` // where one's own staging reaches the mock
	Admin       string        `json:"admin,omitempty"`  // a mock that runs already
	Token       string        `json:"token,omitempty"`  // its admin_token
	Latency     *Latency      `json:"latency,omitempty"`
	Connect     unit.Duration `json:"connect,omitempty"`
	Capacity    *Capacity     `json:"capacity,omitempty"`
	EchoContext *bool         `json:"echo_context,omitempty"`
	Answers     []Answer      `json:"answers,omitempty"`
	Faults      []Fault       `json:"faults,omitempty"`
}

// Latency of the model: exactly one of constant, uniform (min, max), log-normal
// (median, p99) or first_token with per_token. "110ms" alone is a constant.
type Latency struct {
	Constant   unit.Duration `json:"constant,omitempty"`
	Min        unit.Duration `json:"min,omitempty"`
	Max        unit.Duration `json:"max,omitempty"`
	Median     unit.Duration `json:"median,omitempty"`
	P99        unit.Duration `json:"p99,omitempty"`
	FirstToken *Dist         `json:"first_token,omitempty"`
	PerToken   *Dist         `json:"per_token,omitempty"`
}

// Dist is a distribution of durations: exactly one of constant, uniform
// (min, max) or log-normal (median, p99). "20ms" alone is a constant.
type Dist struct {
	Constant unit.Duration `json:"constant,omitempty"`
	Min      unit.Duration `json:"min,omitempty"`
	Max      unit.Duration `json:"max,omitempty"`
	Median   unit.Duration `json:"median,omitempty"`
	P99      unit.Duration `json:"p99,omitempty"`
}

// Capacity bounds the mock, so that retry storms hurt.
type Capacity struct {
	MaxInFlight     unit.Count    `json:"max_in_flight,omitempty"`
	Queue           unit.Count    `json:"queue,omitempty"`
	Slowdown        float64       `json:"slowdown,omitempty"`
	FinishAbandoned bool          `json:"finish_abandoned,omitempty"`
	RetryAfter      unit.Duration `json:"retry_after,omitempty"`
}

// Answer is a scripted reply to what matches.
type Answer struct {
	Match string `json:"match"`
	Say   string `json:"say"`
	// Tool is called instead of saying Say, when the request offers it.
	Tool      string `json:"tool,omitempty"`
	Arguments string `json:"arguments,omitempty"`
}

// Fault is a window in which the model misbehaves. Kind says how.
type Fault struct {
	Name       string        `json:"name"`
	At         unit.Duration `json:"at"`
	For        unit.Duration `json:"for"`
	Kind       FaultKind     `json:"kind"`
	Share      unit.Share    `json:"share,omitempty"`
	Status     int           `json:"status,omitempty"`
	RetryAfter unit.Duration `json:"retry_after,omitempty"`
	Ramp       unit.Duration `json:"ramp,omitempty"`
	Flap       *Flap         `json:"flap,omitempty"`
	Factor     float64       `json:"factor,omitempty"`      // slow
	Chunks     int           `json:"chunks,omitempty"`      // truncate, reset, garbage, error-in-stream
	BytesPerS  unit.Size     `json:"bytes_per_s,omitempty"` // drip
	Attempts   int           `json:"attempts,omitempty"`    // fail-first
	Size       unit.Size     `json:"size,omitempty"`        // oversized
	Heartbeat  unit.Duration `json:"heartbeat,omitempty"`   // hang, of a stream
	Value      string        `json:"value,omitempty"`       // leak, escape, html, empty
}

// Flap turns a fault on and off inside its window.
type Flap struct {
	On  unit.Duration `json:"on"`
	Off unit.Duration `json:"off"`
}

// Load says who talks when. After Load Stages is never empty: `users` with
// `for` has become one stage. Either all stages have Starts or all have Users.
type Load struct {
	Arrivals Arrivals      `json:"arrivals,omitempty"`
	Shape    float64       `json:"shape,omitempty"` // of arrivals gamma
	Curve    string        `json:"curve,omitempty"` // CSV of the rate; read, it has become Stages
	Scale    float64       `json:"scale,omitempty"` // factor on it
	Stages   []Stage       `json:"stages,omitempty"`
	Users    unit.Count    `json:"users,omitempty"`
	For      unit.Duration `json:"for,omitempty"`
	// Conversations is how many begin in all; 0: as many as the stages have room for.
	Conversations unit.Count    `json:"conversations,omitempty"`
	Think         *Think        `json:"think,omitempty"`
	Pacing        unit.Duration `json:"pacing,omitempty"` // closed: least time from one start to the next of a user
	// Patience is how long a customer waits for an answer before leaving; nil: for ever.
	Patience    *Think        `json:"patience,omitempty"`
	Drain       unit.Duration `json:"drain,omitempty"`
	MaxInFlight unit.Count    `json:"max_in_flight,omitempty"`
}

// Open tells whether arrivals come at a rate (else a number of users loops).
func (l *Load) Open() bool { return len(l.Stages) > 0 && l.Stages[0].Starts != nil }

// Stage is a stretch of the load. Starts (open) are conversations per second,
// Users (closed) are users looping; both may ramp linearly.
type Stage struct {
	Name   string        `json:"name"`
	For    unit.Duration `json:"for"`
	Starts *RateRamp     `json:"starts,omitempty"`
	Users  *CountRamp    `json:"users,omitempty"`
	Judged *bool         `json:"judged,omitempty"`
}

// RateRamp is written "5/s" or {from: 5/s, to: 150/s}.
type RateRamp struct {
	From unit.Rate `json:"from"`
	To   unit.Rate `json:"to"`
}

// CountRamp is written "200" or {from: 0, to: 200}.
type CountRamp struct {
	From unit.Count `json:"from"`
	To   unit.Count `json:"to"`
}

// Think is the pause before a turn: "2s" (constant), {min, max} (uniform) or
// {median, p95} (log-normal).
type Think struct {
	Constant unit.Duration `json:"constant,omitempty"`
	Min      unit.Duration `json:"min,omitempty"`
	Max      unit.Duration `json:"max,omitempty"`
	Median   unit.Duration `json:"median,omitempty"`
	P95      unit.Duration `json:"p95,omitempty"`
}

// Conversation is a dialog of several turns, chosen by weight.
type Conversation struct {
	Name    string  `json:"name"`
	Weight  float64 `json:"weight,omitempty"`
	Think   *Think  `json:"think,omitempty"`
	Turns   []Turn  `json:"turns"`
	OnError OnError `json:"on_error,omitempty"`
}

// Turn is one message of the user. After Load Think is set on every turn but
// the first (load → conversation → turn).
type Turn struct {
	When   Conditions    `json:"when,omitempty"` // said only where the answer before is so
	Say    string        `json:"say"`
	Parts  []ContentPart `json:"parts,omitempty"` // of api openai
	Think  *Think        `json:"think,omitempty"`
	Forge  *Forge        `json:"forge,omitempty"`
	Expect *Expect       `json:"expect,omitempty"`
}

// Forge is what a turn is sent with in the place of what is its user's own, to see
// whether the target looks.
type Forge struct {
	Token   ForgedToken       `json:"token,omitempty"`
	Claims  map[string]string `json:"claims,omitempty"`  // of a token that cstest signs
	Headers map[string]string `json:"headers,omitempty"` // an empty one is left out
	Size    unit.Size         `json:"size,omitempty"`    // say is repeated until it is so long
}

// Expect is what an answer should look like; degraded answers are not held to it.
// Refused are the statuses of which one must come instead of an answer.
type Expect struct {
	Contains    string `json:"contains,omitempty"`
	NotContains string `json:"not_contains,omitempty"`
	Matches     string `json:"matches,omitempty"`
	Refused     []int  `json:"refused,omitempty"`
}

// OfAnswer tells whether anything is expected of the answer's text.
func (e *Expect) OfAnswer() bool {
	return e != nil && (e.Contains != "" || e.NotContains != "" || e.Matches != "")
}

// ToRefuse tells whether the turn must be refused.
func (e *Expect) ToRefuse() bool { return e != nil && len(e.Refused) > 0 }

// Data is a table that conversations draw one row each from.
type Data struct {
	CSV   string              `json:"csv,omitempty"`
	JSONL string              `json:"jsonl,omitempty"`
	Rows  []map[string]string `json:"rows,omitempty"`
	Pick  Pick                `json:"pick,omitempty"`

	// Columns and Table are what was read: Table[row][column].
	Columns []string   `json:"-"`
	Table   [][]string `json:"-"`
}

// Checks are looked for in every answer.
type Checks struct {
	Memory  Switch   `json:"memory,omitempty"`
	Planted []string `json:"planted,omitempty"`
	Canned  []string `json:"canned,omitempty"` // regular expressions of canned lines
	Finish  []string `json:"finish,omitempty"` // finish reasons that are full quality beside those that are an end
}

// Guard is a kill switch, not part of the verdict's statistics.
type Guard struct {
	MaxTurns unit.Rate `json:"max_turns,omitempty"`
	Abort    *Abort    `json:"abort,omitempty"`
}

// Abort ends the load when the share of bad turns stays at Bad or above for For, or
// one of the fuses blows.
type Abort struct {
	Bad      unit.Share    `json:"bad,omitempty"`
	For      unit.Duration `json:"for,omitempty"`
	Observed []Fuse        `json:"observed,omitempty"`
}

// Fuse blows when what is observed under a name stays above, or below, a figure for
// For, or is not seen for so long.
type Fuse struct {
	Name  string        `json:"name"`
	Above *float64      `json:"above,omitempty"`
	Below *float64      `json:"below,omitempty"`
	For   unit.Duration `json:"for"`
}

// Observation is a figure of somebody's system, asked for once a second while the
// load runs: what a PromQL expression gives at the Prometheus of URL, or the sum of
// the series of a metric that is scraped there.
type Observation struct {
	Name    string            `json:"name"`
	URL     string            `json:"url"`
	PromQL  string            `json:"promql,omitempty"`
	Metric  string            `json:"metric,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Rate    bool              `json:"rate,omitempty"` // of a counter: its growth a second
	Headers map[string]string `json:"headers,omitempty"`
	Unit    string            `json:"unit,omitempty"`
}

// Notice is somebody to be told of the verdict.
type Notice struct {
	Kind   Receiver     `json:"kind"`
	URL    string       `json:"url"`
	Secret string       `json:"secret,omitempty"`
	On     []NoticeWhen `json:"on,omitempty"` // empty: every verdict
	Link   string       `json:"link,omitempty"`
}

// SLA is the short form; Objectives the long one. Scenario.Objectives gives
// their union, expanded.
type SLA struct {
	Latency      map[string]unit.Duration `json:"latency,omitempty"` // p50 | p90 | p95 | p99 | p99.9
	Availability unit.Share               `json:"availability,omitempty"`
	FullQuality  unit.Share               `json:"full_quality,omitempty"`
	Abandoned    *unit.Share              `json:"abandoned,omitempty"` // of conversations, at most
	RateLimited  RateLimited              `json:"rate_limited,omitzero"`
	Recovery     *Recovery                `json:"recovery,omitempty"`
	Client       *ClientSLA               `json:"client,omitempty"`
	Confidence   unit.Share               `json:"confidence,omitempty"`
	Gate         Gate                     `json:"gate,omitempty"`
	Groups       []string                 `json:"groups,omitempty"` // of users, whose figures are told apart
	Objectives   []Objective              `json:"objectives,omitempty"`
}

// RateLimited says what a 429 counts as: "bad", "exclude" or {contract: 500/s}.
type RateLimited struct {
	Policy   Policy    `json:"policy,omitempty"`
	Contract unit.Rate `json:"contract,omitempty"`
}

// Recovery bounds how long after a storm things may stay bad.
type Recovery struct {
	After   string        `json:"after"`
	Latency unit.Duration `json:"latency,omitempty"`
	Quality unit.Duration `json:"quality,omitempty"`
}

// ClientSLA bounds what the target may do to the model, as the mock LLM sees it. What is
// left out is not judged.
type ClientSLA struct {
	CallsPerTurn    float64     `json:"calls_per_turn,omitempty"`
	RetryAfter      unit.Share  `json:"retry_after,omitempty"` // honoured
	RetriesAfter4xx *unit.Count `json:"retries_after_4xx,omitempty"`
	AfterUserLeft   *unit.Count `json:"after_user_left,omitempty"`
	BrokenPassedOn  *unit.Count `json:"broken_passed_on,omitempty"`
	Backoff         bool        `json:"backoff,omitempty"`
	InFlight        unit.Count  `json:"in_flight,omitempty"`
}

// Objective is one thing the SLA asks. Kind decides which fields count:
//
//	latency       share Target of turns good and within Limit of their intended start
//	availability  share Target of turns answered
//	seconds       share Target of seconds good
//	full_quality  share Target of turns answered by the model, outside storm and recovery
//	expected      share Target of checked answers that met `expect`
//	context       no turn answered without the dialog so far
//	integrity     no foreign content, ever
//	refused       no answer to a turn that had to be refused (expect.refused)
//	planted       no planted value unmasked
//	recovery_latency, recovery_quality   within Limit of the end of storm After
//	first_token, first_reasoning, chunk_gap   share Target within Limit (streams)
//	calls_per_turn                       LLM calls per turn at most Max
//	abandoned                            share Target of conversations whose customer did not leave
//	conversations                        share Target of conversations good in every turn
//	observed                             share Target of seconds (all, where it is 0) in which Observe is within Min and Max
//	client                               what the target did to the model: Client at most Max, or the share Target of it
type Objective struct {
	Name       string        `json:"name"`
	Kind       ObjectiveKind `json:"kind"`
	Target     unit.Share    `json:"target,omitempty"`
	Limit      unit.Duration `json:"within,omitempty"`
	TierAtMost Tier          `json:"tier_at_most,omitempty"`
	Group      string        `json:"group,omitempty"`  // empty: everybody
	Stages     []string      `json:"stages,omitempty"` // empty: every judged stage
	After      string        `json:"after,omitempty"`
	Observe    string        `json:"observe,omitempty"`
	Client     ClientFinding `json:"client,omitempty"`
	Min        float64       `json:"min,omitempty"`
	Max        float64       `json:"max,omitempty"`
}
