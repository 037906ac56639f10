// Package config is what a mock LLM is told: its values, read strictly and
// validated with the path of every wrong field.
package config

import (
	"cmp"
	"time"

	"github.com/cstest/cstest/unit"
)

// Config is all that a server is told. The zero value answers at once, without
// faults, on free loopback ports. Durations, shares, sizes and counts are
// written with units in JSON and YAML ("110ms", "90%", "64MiB", "10k"). A Config
// is a plain value; the server works on a copy.
type Config struct {
	// Listen is the public address, AdminListen that of the admin API; both
	// "127.0.0.1:0" when empty.
	Listen      string `json:"listen,omitzero" yaml:"listen"`
	AdminListen string `json:"admin_listen,omitzero" yaml:"admin_listen"`
	// AdminToken, when set, must be sent to the admin API as a bearer token.
	// Without it only a loopback AdminListen is accepted. Never printed.
	AdminToken string `json:"admin_token,omitzero" yaml:"admin_token"`
	// Seed drives every decision.
	Seed uint64 `json:"seed,omitzero" yaml:"seed"`
	// Models lists the accepted model names. When empty every name is accepted
	// and a request may leave it out.
	Models []string `json:"models,omitzero" yaml:"models"`
	// ContextTokens is the longest prompt accepted, in estimated tokens (128k
	// when zero); MaxBody the largest request body (1MiB when zero).
	ContextTokens unit.Count `json:"context_tokens,omitzero" yaml:"context_tokens"`
	MaxBody       unit.Size  `json:"max_body,omitzero" yaml:"max_body"`
	// Latency is how long an answer takes; at once when zero.
	Latency Latency `json:"latency,omitzero" yaml:"latency"`
	// Connect delays the first request of every new connection.
	Connect unit.Duration `json:"connect,omitzero" yaml:"connect"`
	// Capacity limits the calls served at a time; unlimited when zero.
	Capacity Capacity `json:"capacity,omitzero" yaml:"capacity"`
	// Limits are the vendor's quotas: what exceeds them is answered 429.
	Limits Limits `json:"limits,omitzero" yaml:"limits"`
	// ReasoningTokens is how many tokens the model thinks before its answer,
	// untold but paid for; the request's effort scales it.
	ReasoningTokens unit.Count `json:"reasoning_tokens,omitzero" yaml:"reasoning_tokens"`
	// EchoContext appends the canaries seen in the prompt to every answer.
	EchoContext bool `json:"echo_context,omitzero" yaml:"echo_context"`
	// Answers are tried in order before the canned ones.
	Answers []Answer `json:"answers,omitzero" yaml:"answers"`
	// Faults is the schedule, as offsets from the epoch. The first active
	// fault that strikes a call wins.
	Faults []Fault `json:"faults,omitzero" yaml:"faults"`
	// AwaitEpoch keeps the schedule still until an epoch is set. Otherwise it
	// runs from the moment the configuration was applied until one is.
	AwaitEpoch bool `json:"await_epoch,omitzero" yaml:"await_epoch"`
	// JournalRecords is how many attempts the journal keeps (64k when zero).
	JournalRecords unit.Count `json:"journal_records,omitzero" yaml:"journal_records"`
}

// MaxDelay caps every drawn or asked-for delay.
const MaxDelay = 10 * time.Minute

// Dist is a distribution of durations: exactly one of Constant, Min with Max
// (uniform), or Median with P99 (log-normal). It is written as such an object or, for a
// constant, as a bare duration.
type Dist struct {
	Constant unit.Duration `json:"constant,omitzero" yaml:"constant"`
	Min      unit.Duration `json:"min,omitzero" yaml:"min"`
	Max      unit.Duration `json:"max,omitzero" yaml:"max"`
	Median   unit.Duration `json:"median,omitzero" yaml:"median"`
	P99      unit.Duration `json:"p99,omitzero" yaml:"p99"`
}

// Latency is the time of an answer. Either a Dist of the whole (a streamed
// answer then begins after that time and follows at once), or the time to the
// first token and the time of each further one. A plain answer takes the sum.
type Latency struct {
	Constant   unit.Duration `json:"constant,omitzero" yaml:"constant"`
	Min        unit.Duration `json:"min,omitzero" yaml:"min"`
	Max        unit.Duration `json:"max,omitzero" yaml:"max"`
	Median     unit.Duration `json:"median,omitzero" yaml:"median"`
	P99        unit.Duration `json:"p99,omitzero" yaml:"p99"`
	FirstToken *Dist         `json:"first_token,omitzero" yaml:"first_token"`
	PerToken   *Dist         `json:"per_token,omitzero" yaml:"per_token"`
}

// LogNormal is the latency whose median and 99th percentile are as given.
func LogNormal(median, p99 time.Duration) Latency {
	return Latency{Median: unit.Duration(median), P99: unit.Duration(p99)}
}

// Constant is the latency that is always d.
func Constant(d time.Duration) Latency { return Latency{Constant: unit.Duration(d)} }

// Capacity is a queueing model: at most MaxInFlight calls are served at a time,
// Queue more wait in order of arrival, others are answered 503 at once. With n
// calls being served a latency is multiplied by 1 + (Slowdown-1)·n/MaxInFlight.
type Capacity struct {
	MaxInFlight unit.Count `json:"max_in_flight,omitzero" yaml:"max_in_flight"`
	Queue       unit.Count `json:"queue,omitzero" yaml:"queue"`
	// Slowdown is the factor at full occupancy; 1 or 0 means none.
	Slowdown float64 `json:"slowdown,omitzero" yaml:"slowdown"`
	// FinishAbandoned keeps the place of a call whose client has left until
	// its time is up, as a model server does that does not notice. Retries
	// then pile up work nobody waits for: the metastable failure.
	FinishAbandoned bool `json:"finish_abandoned,omitzero" yaml:"finish_abandoned"`
	// RetryAfter is told with the 503 of a full queue, in whole seconds.
	RetryAfter unit.Duration `json:"retry_after,omitzero" yaml:"retry_after"`
}

// Answer says Say to a question (the last user message) that the regular
// expression Match finds something in.
type Answer struct {
	Match string `json:"match" yaml:"match"`
	Say   string `json:"say" yaml:"say"`
	// Tool is the function that is called instead, when the request offers it
	// and its last message is not a tool's result already. Arguments is a JSON
	// object as text; made from the function's parameters when empty.
	Tool      string `json:"tool,omitzero" yaml:"tool"`
	Arguments string `json:"arguments,omitzero" yaml:"arguments"`
}

// Fault is one window of the schedule. Kind is one of Kinds. The zero At is the
// epoch, the zero For has no end, the zero Share is every call.
type Fault struct {
	Name  string        `json:"name,omitzero" yaml:"name"`
	Kind  string        `json:"kind" yaml:"kind"`
	At    unit.Duration `json:"at,omitzero" yaml:"at"`
	For   unit.Duration `json:"for,omitzero" yaml:"for"`
	Share unit.Share    `json:"share,omitzero" yaml:"share"`
	// Ramp lets the share grow from nothing to Share over this time.
	Ramp unit.Duration `json:"ramp,omitzero" yaml:"ramp"`
	// Flap switches the fault on and off within its window, on first.
	Flap *Flap `json:"flap,omitzero" yaml:"flap"`
	// Status is the HTTP status of status, fail-first (503 when zero), html
	// (200) and error-in-stream (500, told in-band).
	Status int `json:"status,omitzero" yaml:"status"`
	// RetryAfter is sent with a status in whole seconds, rounded up;
	// RetryAfterText is sent as it is, to try a client with nonsense.
	RetryAfter     unit.Duration `json:"retry_after,omitzero" yaml:"retry_after"`
	RetryAfterText string        `json:"retry_after_text,omitzero" yaml:"retry_after_text"`
	// Factor multiplies the latency (slow; 10 when zero).
	Factor float64 `json:"factor,omitzero" yaml:"factor"`
	// Chunks is how many content chunks are sent before truncate, reset,
	// error-in-stream and garbage strike. A reset with 0 comes before headers.
	Chunks int `json:"chunks,omitzero" yaml:"chunks"`
	// BytesPerS is the speed of drip ("1B" to "1MiB" a second; 10B when zero).
	BytesPerS unit.Size `json:"bytes_per_s,omitzero" yaml:"bytes_per_s"`
	// Attempts is how many attempts of a turn fail-first fails (1 when zero).
	Attempts int `json:"attempts,omitzero" yaml:"attempts"`
	// Size is the body of oversized (64MiB when zero).
	Size unit.Size `json:"size,omitzero" yaml:"size"`
	// Heartbeat lets a hanging stream send headers and a comment this often.
	Heartbeat unit.Duration `json:"heartbeat,omitzero" yaml:"heartbeat"`
	// Value is the planted text of leak and escape, the text of html and the
	// variant of empty ("body", "choices" or "content").
	Value string `json:"value,omitzero" yaml:"value"`
}

// Flap is a square wave.
type Flap struct {
	On  unit.Duration `json:"on" yaml:"on"`
	Off unit.Duration `json:"off" yaml:"off"`
}

// DefaultJournal is how many records the journal keeps unless told.
const DefaultJournal = 64_000

const (
	defaultContextTokens = 128_000
	defaultMaxBody       = 1 << 20
	loopbackAny          = "127.0.0.1:0"
)

// WithDefaults fills the zero fields that have a default.
func (c Config) WithDefaults() Config {
	c.Listen = cmp.Or(c.Listen, loopbackAny)
	c.AdminListen = cmp.Or(c.AdminListen, loopbackAny)
	c.ContextTokens = cmp.Or(c.ContextTokens, defaultContextTokens)
	c.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	c.JournalRecords = cmp.Or(c.JournalRecords, DefaultJournal)
	return c
}
