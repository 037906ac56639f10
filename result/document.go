package result

import (
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// SchemaVersion is the version of result.json that this package writes and reads.
const SchemaVersion = 1

// Document is result.json. It is plain data, complete in itself: every
// rendering is a function of it, and the same Document gives the same bytes.
// Shares are 0–1, null stands for what cannot be known. It is read-only after
// Build or Read and then safe for concurrent use.
type Document struct {
	SchemaVersion int               `json:"schema_version"`
	CstestVersion string            `json:"cstest_version"`
	RunID         string            `json:"run_id"`
	Tags          map[string]string `json:"tags"`
	Scenario      ScenarioRef       `json:"scenario"`
	StartedAt     string            `json:"started_at"` // RFC 3339, UTC
	DurationS     float64           `json:"duration_s"`
	Target        Target            `json:"target"`
	Environment   Environment       `json:"environment"`

	Verdict  string   `json:"verdict"` // pass | fail | inconclusive | invalid | incomplete
	ExitCode int      `json:"exit_code"`
	Reasons  []string `json:"reasons"`
	// ReasonCodes are the reasons one by one as codes with arguments, as are those
	// of an objective and of the generator, and the warnings. Empty in results of
	// before they were written.
	ReasonCodes reason.Reasons `json:"reason_codes"`

	Judging        Judging        `json:"judging"`
	Objectives     []Objective    `json:"objectives"`
	Counts         Counts         `json:"counts"`
	Latency        Latency        `json:"latency"`
	FirstToken     *Quantiles     `json:"first_token,omitempty"`     // of the answer itself
	FirstReasoning *Quantiles     `json:"first_reasoning,omitempty"` // of the model's reasoning before it
	ChunkGap       *Quantiles     `json:"chunk_gap,omitempty"`
	TokenTime      *Quantiles     `json:"token_time,omitempty"` // for an output token, of streams that tell their tokens
	Connect        *Quantiles     `json:"connect,omitempty"`
	Turns          []TurnRow      `json:"turns"`
	Breakdowns     []Breakdown    `json:"breakdowns"`
	Slowest        *Slowest       `json:"slowest,omitempty"`
	Tiers          Tiers          `json:"tiers"`
	Availability   Availability   `json:"availability"`
	Storms         []Storm        `json:"storms"`
	Conversations  Conversations  `json:"conversations"`
	Errors         []Error        `json:"errors"`
	ErrorsMore     int64          `json:"errors_more"` // turns of the kinds not listed
	LLM            LLM            `json:"llm"`
	Client         *Client        `json:"client,omitempty"` // where a mock LLM told
	Usage          *Usage         `json:"usage,omitempty"`  // tokens, as the target's answers tell
	Generator      Generator      `json:"generator"`
	Processes      []Process      `json:"processes"`
	LittlesLaw     LittlesLaw     `json:"littles_law"`
	Series         []Second       `json:"series"`
	Observed       []Observation  `json:"observed,omitempty"`
	Outputs        []Output       `json:"outputs,omitempty"` // those that the run was told to
	Warnings       []string       `json:"warnings"`
	WarningCodes   reason.Reasons `json:"warning_codes"`

	// What the renderings need beside the results.
	Overrides    []string          `json:"overrides"`
	Knobs        map[string]string `json:"knobs"`
	Stages       []Stage           `json:"stages"`
	Distribution Distribution      `json:"distribution"`
	Burn         []Burn            `json:"burn"`

	// Files holds the SHA-256, in hex, of every other file of the result
	// directory, by its slash-separated path. It is filled when the directory
	// is written.
	Files map[string]string `json:"files,omitempty"`
}

// ScenarioRef names what was run. Scale is 1 unless the load was scaled.
type ScenarioRef struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	SHA256      string  `json:"sha256"`
	Seed        uint64  `json:"seed"`
	Scale       float64 `json:"scale"`
}

// TargetKind says whose server was tested.
type TargetKind string

// The values of TargetKind.
const (
	TargetBundled  TargetKind = "bundled"
	TargetExternal TargetKind = "external"
)

// Target says what was tested. URL is empty for the bundled server and has
// neither credentials nor a query for any other.
type Target struct {
	Kind        TargetKind           `json:"kind"`
	URL         string               `json:"url"`
	Profile     string               `json:"profile"`
	KnobsSHA256 string               `json:"knobs_sha256"`
	API         scenario.API         `json:"api"`
	HTTP        scenario.HTTPVersion `json:"http"`
	Mode        scenario.Mode        `json:"mode"`
	Connections scenario.Connections `json:"connections"`
	Redis       string               `json:"redis"`
	Insecure    bool                 `json:"insecure"` // TLS certificates were not checked
}

// Environment is the machine that generated the load.
type Environment struct {
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	Kernel      string `json:"kernel"`
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memory_bytes"`
	Go          string `json:"go"`
	SharedHost  bool   `json:"shared_host"` // the target ran on the same machine
}

// Objective is one thing the SLA asks, with its evidence. Target, Measured,
// Lower and Upper are in Unit.
type Objective struct {
	Name        string                 `json:"name"`
	Kind        scenario.ObjectiveKind `json:"kind"`
	Unit        string                 `json:"unit"` // share | ns | s | count
	Target      *float64               `json:"target"`
	LimitNs     *int64                 `json:"limit_ns"`
	Measured    *float64               `json:"measured"`
	Lower       *float64               `json:"lower"`
	Upper       *float64               `json:"upper"`
	N           int64                  `json:"n"`
	Bad         int64                  `json:"bad"`
	Verdict     string                 `json:"verdict"` // pass | fail | inconclusive | not_verified
	Reason      string                 `json:"reason"`
	ReasonCodes reason.Reasons         `json:"reason_codes"` // said in one line
	Needs       int64                  `json:"needs"`        // turns that would decide; 0 when unknown or decided
	// Confidence and DEFF, the design effect, are what Lower and Upper rest on;
	// null where no bounds are computed.
	Confidence *float64 `json:"confidence"`
	DEFF       *float64 `json:"deff"`
	// ICC is the intra-cluster correlation of turns within conversations as measured,
	// MeasuredDEFF the design effect that comes of it; they judge nothing. Null where
	// fewer than 10 turns were bad or good, or a part of the load is left out.
	ICC          *float64 `json:"icc"`
	MeasuredDEFF *float64 `json:"measured_deff"`
	// TierAtMost and Stages say which answers are good and which turns are judged; ""
	// and empty are any, and all judged stages.
	TierAtMost string   `json:"tier_at_most"`
	Stages     []string `json:"stages"`
	Group      string   `json:"group,omitempty"` // of users, whose turns alone are judged
	// Observe names the figure that an objective of kind observed is about, which is good
	// from Min to Max; 0 is no limit.
	Observe string  `json:"observe,omitempty"`
	Min     float64 `json:"min,omitempty"`
	Max     float64 `json:"max,omitempty"`
	// Client names the finding that an objective of kind client is about.
	Client scenario.ClientFinding `json:"client,omitempty"`
	// After names the storm that an objective of kind recovery_* is about; else empty.
	After string `json:"after"`
	// Cut is how many turns, beside N, cstest cut itself; Untold how many of N were
	// taken for good though they do not say what they are judged by.
	Cut       int64      `json:"cut"`
	Untold    int64      `json:"untold"`
	Census    *Census    `json:"census,omitempty"`    // of kind seconds
	Comebacks []Comeback `json:"comebacks,omitempty"` // of kind recovery_*
}

// Counts are exact. Conversations = ConversationsPlanned − DroppedTarget −
// DroppedGenerator; Turns = the sum from OK to Censored.
type Counts struct {
	ConversationsPlanned int64 `json:"conversations_planned"`
	Conversations        int64 `json:"conversations"`
	Turns                int64 `json:"turns"`
	OK                   int64 `json:"ok"`
	Degraded             int64 `json:"degraded"`
	Unexpected           int64 `json:"unexpected"`
	ContextLost          int64 `json:"context_lost"`
	RateLimited          int64 `json:"rate_limited"`
	Shed                 int64 `json:"shed"`
	ClientError          int64 `json:"client_error"`
	ServerError          int64 `json:"server_error"`
	Truncated            int64 `json:"truncated"`
	Timeout              int64 `json:"timeout"`
	TransportError       int64 `json:"transport_error"`
	Integrity            int64 `json:"integrity"`
	Refused              int64 `json:"refused"` // as they had to be
	LetIn                int64 `json:"let_in"`  // answered, though they had to be refused
	Censored             int64 `json:"censored"`
	DroppedTarget        int64 `json:"dropped_target"`
	DroppedGenerator     int64 `json:"dropped_generator"`
	Excluded             int64 `json:"excluded"` // turns that no budget judges, among those above
	Planted              int64 `json:"planted"`  // answers with a planted value unmasked
	ContextVerified      int64 `json:"context_verified"`
	ContextNotVerified   int64 `json:"context_not_verified"`
}

// Asked is how many turns were to be answered.
func (c *Counts) Asked() int64 { return c.Turns - c.Refused - c.LetIn }

// Latency holds three views of the same turns: answered ones from their
// intended start, answered ones from their first byte, and every turn with
// failures as infinitely slow. They are of all stages; Judged is Response of those
// that are judged, within 1.6 %, where some are not.
type Latency struct {
	Response         Quantiles  `json:"response"`
	Judged           *Quantiles `json:"judged,omitempty"`
	Service          Quantiles  `json:"service"`
	FailedAsInfinite Quantiles  `json:"failed_as_infinite"`
}

// Quantiles of n durations, by nearest rank ceil(q·n). A quantile is null where
// n is too small to bound it at 95 % confidence, and where it is infinite:
// then q is above FiniteShare, the share of the n that is finite.
type Quantiles struct {
	N           int64   `json:"n"`
	FiniteShare float64 `json:"finite_share"`
	MeanNs      *int64  `json:"mean_ns"`
	P50Ns       *int64  `json:"p50_ns"`
	P90Ns       *int64  `json:"p90_ns"`
	P95Ns       *int64  `json:"p95_ns"`
	P99Ns       *int64  `json:"p99_ns"`
	P999Ns      *int64  `json:"p999_ns"`
	MaxNs       *int64  `json:"max_ns"`
	// The bounds are order statistics that hold the quantile between them with at
	// least 95 % confidence, as far as the run shows how turns hang together. The upper
	// one is null where it is infinite, both are where the lower one is.
	P50BoundsNs  *[2]*int64 `json:"p50_bounds_ns"`
	P90BoundsNs  *[2]*int64 `json:"p90_bounds_ns"`
	P95BoundsNs  *[2]*int64 `json:"p95_bounds_ns"`
	P99BoundsNs  *[2]*int64 `json:"p99_bounds_ns"`
	P999BoundsNs *[2]*int64 `json:"p999_bounds_ns"`
}

// TurnRow is one turn of one conversation of the scenario. N turns of it were
// sent; Latency is the response time of those answered.
type TurnRow struct {
	Conversation string    `json:"conversation"`
	Index        int       `json:"index"` // from 1
	Say          string    `json:"say"`
	N            int64     `json:"n"`
	Latency      Quantiles `json:"latency"`
}

// Breakdown is the response time of some of the turns: of a stage, of a phase
// around a storm (before, during, recovery, after), of a turn index over all
// conversations, of a conversation, or of a tier. Latency has failed turns as
// infinitely slow, but by tier, for only answers have one. Those by stage, storm
// and tier come from cells of 3 %: they may be 1.6 % off.
type Breakdown struct {
	By      string    `json:"by"`   // stage | storm | turn | conversation | tier | group
	Name    string    `json:"name"` // of the stage, the phase, the turn's index …
	Of      string    `json:"of"`   // the storm's name; else empty
	FromS   *float64  `json:"from_s"`
	ToS     *float64  `json:"to_s"`
	Latency Quantiles `json:"latency"`
	// Got is what became of the turns of a group; null for all others.
	Got *Got `json:"got,omitempty"`
}

// Got counts turns by what users got: an answer in full quality, a degraded one, one
// that was otherwise not as it should be, or none.
type Got struct {
	OK       int64 `json:"ok"`
	Degraded int64 `json:"degraded"`
	Other    int64 `json:"other"`
	Failed   int64 `json:"failed"`
}

// Tiers counts answered turns by the tier that served them; Unknown did not say.
// Beside them are the turns whose users got no answer, and those that got one of
// no use: without the dialog so far, or another's. Turns that were cut when the
// load ended are in none.
type Tiers struct {
	LLM     int64 `json:"llm"`
	FAQ     int64 `json:"faq"`
	Handoff int64 `json:"handoff"`
	Static  int64 `json:"static"`
	Unknown int64 `json:"unknown"`
	Nobody  int64 `json:"nobody"`
	Wrong   int64 `json:"wrong"`
}

// All is how many turns there are whose users know what they got.
func (t Tiers) All() int64 { return t.Sum() + t.Nobody + t.Wrong }

func (t *Tiers) add(o Tiers) {
	t.LLM += o.LLM
	t.FAQ += o.FAQ
	t.Handoff += o.Handoff
	t.Static += o.Static
	t.Unknown += o.Unknown
	t.Nobody += o.Nobody
	t.Wrong += o.Wrong
}

// Sum is the turns of all tiers: those answered.
func (t Tiers) Sum() int64 { return t.LLM + t.FAQ + t.Handoff + t.Static + t.Unknown }

// Availability of answers is a share of valid turns, null without any; of
// seconds it is a census.
type Availability struct {
	Answers *float64 `json:"answers"`
	Seconds Seconds  `json:"seconds"`
	Outages []Outage `json:"outages"`
}

// Seconds counts judged seconds. BudgetS is what the run allows, BudgetPerHourS
// what an hour does, 0 without such an objective. Scaled: the run is so short
// that BudgetS should be read beside it.
type Seconds struct {
	TotalS    int  `json:"total_s"`
	BadS      int  `json:"bad_s"`
	BudgetS   int  `json:"budget_s"`
	DoubtfulS int  `json:"doubtful_s"` // one turn of few was bad: too few to tell
	UnknownS  int  `json:"unknown_s"`
	Scaled    bool `json:"scaled"`
	// BudgetPerHourS is 36 at 99 %.
	BudgetPerHourS float64 `json:"budget_per_hour_s"`
}

// Outage is a run of bad seconds.
type Outage struct {
	StartS  float64 `json:"start_s"`
	LengthS float64 `json:"length_s"`
	Cause   string  `json:"cause"`
}

// Storm is one fault window and what it did. EndS is null while it was still
// open; a null figure was not reached or cannot be known.
type Storm struct {
	Name         string   `json:"name"`
	Kind         string   `json:"kind"`
	StartS       float64  `json:"start_s"`
	EndS         *float64 `json:"end_s"`
	DetectS      *float64 `json:"detect_s"`
	Recovery     Recovery `json:"recovery"`
	CallsPerTurn *float64 `json:"calls_per_turn"`
	Metastable   bool     `json:"metastable"`
	Tiers        Tiers    `json:"tiers"` // who answered between start and end
}

// Recovery is counted from the end of the storm.
type Recovery struct {
	LatencyS *float64 `json:"latency_s"`
	QualityS *float64 `json:"quality_s"`
}

// Conversations by how they ended.
type Conversations struct {
	Complete         int64 `json:"complete"`
	CompleteDegraded int64 `json:"complete_degraded"`
	Broken           int64 `json:"broken"`
	Abandoned        int64 `json:"abandoned"`
	Left             int64 `json:"left,omitempty"` // by customers whose patience ended
}

// Error is one kind of failure.
type Error struct {
	Outcome string  `json:"outcome"`
	Message string  `json:"message"`
	Count   int64   `json:"count"`
	FirstS  float64 `json:"first_s"`
	Example Example `json:"example"`
	// Sample is the body of one such answer, about 500 bytes at most: secrets, what may be
	// personal, and values of data tables masked, control characters visible.
	Sample string `json:"sample,omitempty"`
}

// Example is the first turn that failed so. Turn counts from 1; Status is 0
// when no response came.
type Example struct {
	Conversation string `json:"conversation"`
	Turn         int    `json:"turn"`
	Status       int    `json:"status"`
	TraceID      string `json:"trace_id"`
}

// LLM is what the mock LLM told of its calls; null without it.
type LLM struct {
	Calls        *int64   `json:"calls"`
	CallsPerTurn *float64 `json:"calls_per_turn"`
}

// Distribution holds the points of the percentile plot.
type Distribution struct {
	Response         []Point `json:"response"`
	Service          []Point `json:"service"`
	FailedAsInfinite []Point `json:"failed_as_infinite"`
}

// Point says that the share Q of the turns took at most Ns.
type Point struct {
	Q  float64 `json:"q"`
	Ns int64   `json:"ns"`
}

// Burn is how one objective's budget was spent: Bad[i] turns (or starts) were
// bad of N[i] up to and including entry i of the series; Allowed may be, of all the
// run judged.
type Burn struct {
	Objective string  `json:"objective"`
	Allowed   float64 `json:"allowed"`
	N         []int64 `json:"n"`
	Bad       []int64 `json:"bad"`
}

// Started is StartedAt as a time; the zero time when it cannot be read.
func (d *Document) Started() time.Time {
	t, err := time.Parse(time.RFC3339Nano, d.StartedAt)
	if err != nil {
		return time.Time{}
	}
	return t
}
