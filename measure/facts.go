package measure

import (
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
)

// Facts are what others than the generator know of a run: the mock LLM's
// storms and calls, the servers' processes, the generator's own health.
// Offsets are from the start of the load.
type Facts struct {
	Storms    []Storm      `json:"storms,omitempty"`
	Calls     []CallSecond `json:"calls,omitempty"` // LLM calls, by second
	LLMCalls  int64        `json:"llm_calls,omitempty"`
	LLMKnown  bool         `json:"llm_known,omitempty"` // the mock told; else Calls and LLMCalls mean nothing
	Processes []Process    `json:"processes,omitempty"`
	Target    TargetFacts  `json:"target,omitzero"`
	Generator Generator    `json:"generator,omitzero"`
	// ExternalTarget: the target is not ours, so storms come from the scenario, not from a journal.
	ExternalTarget bool `json:"external_target,omitempty"`
	// Interrupted is why the load ended before its plan, empty when it did not.
	Interrupted reason.Reasons `json:"interrupted,omitempty"`
	// Aborted is what the scenario's own kill switch said when it ended the load, empty when it did not.
	// What was seen until then is judged, but cannot pass: the rest of the plan was not.
	Aborted reason.Reasons `json:"aborted,omitempty"`
	// Gaps is how many stretches of the journal this was read back from could not
	// be read. With any, the run cannot pass.
	Gaps int `json:"journal_gaps,omitempty"`
	// Missing names the shards, as "2/3", that are not among those this is the sum
	// of. With any, the run is incomplete.
	Missing []string `json:"missing_shards,omitempty"`
	// Cut are what shards did that their journals do not have: those that end before
	// their runs did, and stretches that logs have lost.
	Cut []Cut `json:"cut_shards,omitempty"`
	// Unsent is what missing and cut shards would have sent, by second, as those that
	// are whole sent it; nil where none is.
	Unsent []UnsentSecond `json:"-"`
	// Observed is what was seen of other systems, as the scenario asks.
	Observed []Observed `json:"observed,omitempty"`
	// Incidents happened to the run as a whole.
	Incidents []Incident `json:"incidents,omitempty"`
	// Host is the machine of the generator; nil where it tells nothing.
	Host *Host `json:"host,omitempty"`
	// Repeats are answers that came again and again; nil where they were not looked for.
	Repeats *Repeats `json:"repeats,omitempty"`
	// Samples are what the target said in failures, one of a kind.
	Samples []Sample `json:"samples,omitempty"`
	// Ends are turns that the mock LLM is asked about; nil where there is none. Once it
	// has told they are counted only.
	Ends *Ends `json:"ends,omitempty"`
	// Client is how the target treated the model; nil where no mock LLM told.
	Client *Client `json:"client,omitempty"`
}

// Storm is one fault window as it really happened. End is 0 while it is open.
type Storm struct {
	Name  string        `json:"name"`
	Kind  string        `json:"kind"`
	Start time.Duration `json:"start_ns"`
	End   time.Duration `json:"end_ns"`
}

// Cut is a shard that was cut off: what it did after so much of the load is not known,
// to its end or, with Until, up to that.
type Cut struct {
	Shard string        `json:"shard"` // as "2/3"
	After time.Duration `json:"after_ns"`
	Until time.Duration `json:"until_ns,omitempty"`
}

// UnsentSecond is what is not known of a second: conversations, and turns of each
// budget of the plan.
type UnsentSecond struct {
	Second  int
	Starts  uint32
	Budgets []uint32 // parallel to Plan.Budgets
}

// CallSecond counts the LLM's calls in one second, probes and backflow apart.
type CallSecond struct {
	Second   int   `json:"t_s"`
	Calls    int64 `json:"calls"`
	Probes   int64 `json:"probes,omitempty"`
	Backflow int64 `json:"backflow,omitempty"`
	Faulted  int64 `json:"faulted,omitempty"`
	// Open is the most calls of any purpose that were open at a time.
	Open int64 `json:"open,omitempty"`
}

// BundledServer is the name of the bundled server's process; of several it is what their
// names begin with.
const BundledServer = "reference-server"

// IsBundledServer tells whether a process of that name is one of the bundled server's.
func IsBundledServer(name string) bool { return strings.HasPrefix(name, BundledServer) }

// Process is a process of the run: "cstest", "cstest shard 0/2", "reference-server" or
// "reference-server-1" and so on, "mockllm".
type Process struct {
	Name   string        `json:"name"`
	CPU    time.Duration `json:"cpu_ns"`
	MaxRSS int64         `json:"max_rss_bytes"`
	// BaseRSS is what was resident when the load began; 0 where that is not known.
	BaseRSS int64 `json:"base_rss_bytes,omitempty"`
	// Ended is when the process was seen to end before it was asked to; 0 when it was not.
	Ended time.Duration `json:"ended_ns,omitempty"`
	Exit  string        `json:"exit,omitempty"`
}

// TargetFacts is what the bundled server says of itself at the end.
type TargetFacts struct {
	Profile     string `json:"profile,omitempty"`
	KnobsSHA256 string `json:"knobs_sha256,omitempty"`
	Redis       string `json:"redis,omitempty"`
	Turns       int64  `json:"turns,omitempty"` // requests it says it answered
	Known       bool   `json:"known,omitempty"`
	// RoundTrips to Redis since the load began, and the most Connections of callers at
	// once; both known or neither.
	RoundTrips      int64 `json:"redis_round_trips,omitempty"`
	Connections     int64 `json:"connections,omitempty"`
	RoundTripsKnown bool  `json:"redis_round_trips_known,omitempty"`
}

// Generator is how well the generator itself kept up.
type Generator struct {
	CPU         time.Duration     `json:"cpu_ns"`
	MaxRSS      int64             `json:"max_rss_bytes"`
	MaxInFlight int64             `json:"max_in_flight"`
	Seconds     []GeneratorSecond `json:"seconds,omitempty"`
	// InFlightMean is the mean of turns in flight (from intended), by their integral over time.
	InFlightMean float64 `json:"in_flight_mean"`
	SharedHost   bool    `json:"shared_host"` // the target runs on this machine
	Cores        int     `json:"cores"`
	// Planned is how many starts the schedule has, counted from the schedule itself
	// and not as they were issued. 0 is not known: the load was stopped before its
	// plan, or its model is closed, where users loop and no start is planned.
	Planned int64 `json:"planned_starts,omitempty"`
	// Asked is how many conversations the scenario asks for by number; 0 where it asks
	// for a time.
	Asked   int64   `json:"asked_conversations,omitempty"`
	Traffic Traffic `json:"traffic,omitzero"`
}

// Traffic is what went to the target, counted: requests that went over another
// stream or connection because the server had not begun with them, and TLS
// handshakes.
type Traffic struct {
	Resent            int64   `json:"resent,omitempty"`
	FullHandshakes    int64   `json:"full_handshakes,omitempty"`
	ResumedHandshakes int64   `json:"resumed_handshakes,omitempty"`
	Sockets           Sockets `json:"sockets,omitzero"`
	// Addresses are those of the target that connections led to.
	Addresses []AddressTurns `json:"addresses,omitempty"`
}

// Sockets is what became of customers' WebSockets, and of messages over them that
// were not the answer to the turn that waited, if one did: answers that came when their
// turn was over without one, second answers to a turn, and others that nobody asked for.
type Sockets struct {
	Opened          int64 `json:"opened"`
	Reopened        int64 `json:"reopened"`
	LateAnswers     int64 `json:"late_answers"`
	RepeatedAnswers int64 `json:"repeated_answers"`
	Unsolicited     int64 `json:"unsolicited"`
	// Redialled are of Reopened those opened while customers thought, RedialsFailed such
	// attempts that failed. RedialTotal and RedialLongest is what the former took: it is in
	// no turn's time.
	Redialled     int64         `json:"redialled,omitempty"`
	RedialsFailed int64         `json:"redials_failed,omitempty"`
	RedialTotal   time.Duration `json:"redial_total_ns,omitempty"`
	RedialLongest time.Duration `json:"redial_longest_ns,omitempty"`
}

// add gives the sum.
func (s Sockets) add(o Sockets) Sockets {
	return Sockets{
		Opened: s.Opened + o.Opened, Reopened: s.Reopened + o.Reopened, LateAnswers: s.LateAnswers + o.LateAnswers,
		RepeatedAnswers: s.RepeatedAnswers + o.RepeatedAnswers, Unsolicited: s.Unsolicited + o.Unsolicited,
		Redialled: s.Redialled + o.Redialled, RedialsFailed: s.RedialsFailed + o.RedialsFailed,
		RedialTotal: s.RedialTotal + o.RedialTotal, RedialLongest: max(s.RedialLongest, o.RedialLongest),
	}
}

// AddressTurns is how many turns one address was asked, and how many of them got no
// whole answer of a good status.
type AddressTurns struct {
	Address string `json:"address"`
	Turns   int64  `json:"turns"`
	Failed  int64  `json:"failed"`
}

// GeneratorSecond is the generator's health in one second.
type GeneratorSecond struct {
	Second   int           `json:"t_s"`
	CPU      time.Duration `json:"cpu_ns"`
	GCPause  time.Duration `json:"gc_pause_ns,omitempty"`
	InFlight int64         `json:"in_flight"`
	// Conversations are those under way at its end; in the closed model users.
	Conversations int64 `json:"conversations,omitempty"`
	Open          int64 `json:"open_fds,omitempty"`
}
