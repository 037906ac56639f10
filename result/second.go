package result

// Second is what was intended in one second. Turns = OK + Degraded + Unexpected
// + Bad; Bad does not include Dropped starts. StartsPlanned is null in a closed
// load. Tier is the one that answered most, "" when none did.
type Second struct {
	TS            int      `json:"t_s"`
	Stage         string   `json:"stage"`
	StartsPlanned *float64 `json:"starts_planned"`
	Starts        int64    `json:"starts"`
	Dropped       int64    `json:"dropped"`
	InFlight      int64    `json:"in_flight"`
	// Conversations are those under way, thinking ones too; in a closed load its users.
	Conversations int64  `json:"conversations"`
	Turns         int64  `json:"turns"`
	OK            int64  `json:"ok"`
	Degraded      int64  `json:"degraded"`
	Unexpected    int64  `json:"unexpected"`
	Bad           int64  `json:"bad"`
	P50Ns         *int64 `json:"p50_ns"`
	P90Ns         *int64 `json:"p90_ns"`
	P95Ns         *int64 `json:"p95_ns"`
	P99Ns         *int64 `json:"p99_ns"`
	P999Ns        *int64 `json:"p999_ns"`
	MaxNs         *int64 `json:"max_ns"` // null where nothing was answered
	// TurnMeanNs is the mean response time by the turn's place in its conversation, from
	// the first; the eighth stands for all after it as well. Absent where there is but one.
	TurnMeanNs []*int64 `json:"turn_mean_ns,omitempty"`
	LagP99Ns   *int64   `json:"lag_p99_ns"`
	Tier       string   `json:"tier"`
	Tiers      Tiers    `json:"tiers"`
	LLMCalls   *int64   `json:"llm_calls"`
	// Errors are the Bad turns by outcome, those that there were.
	Errors map[string]int64 `json:"errors,omitempty"`
	// Valid turns are those that were judged, with what the starts dropped by the target
	// would have had; Turns has besides those that were excluded, sent again or cut.
	// Answered, Goodput (within the tightest limit) and FullQuality are of these.
	Valid       int64 `json:"valid"`
	Answered    int64 `json:"answered"`
	Goodput     int64 `json:"goodput"`
	FullQuality int64 `json:"full_quality"`
	// DroppedTarget is how many of Dropped the target refused. TierUntold and
	// DegradedUntold are answers that do not say their tier, or whether they are
	// degraded, where the scenario names the place that says it.
	DroppedTarget  int64 `json:"dropped_target"`
	TierUntold     int64 `json:"tier_untold"`
	DegradedUntold int64 `json:"degraded_untold"`
}

// Stage is a stretch of the load, [StartS, EndS).
type Stage struct {
	Name   string  `json:"name"`
	StartS float64 `json:"start_s"`
	EndS   float64 `json:"end_s"`
	Judged bool    `json:"judged"`
	// What was planned from its begin to its end: starts in an open load, users in a closed
	// one.
	StartsPerS *Ramp `json:"starts_per_s,omitempty"`
	Users      *Ramp `json:"users,omitempty"`
}

// Ramp goes from one figure to another, or keeps the one.
type Ramp struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}
