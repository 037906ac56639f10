package result

import (
	"time"

	"github.com/cstest/cstest/reason"
)

// Generator is how well the generator itself kept up.
type Generator struct {
	LagP99Ns     int64          `json:"lag_p99_ns"`
	CPUS         float64        `json:"cpu_s"`
	CPUUsPerTurn *float64       `json:"cpu_us_per_turn"`
	MaxRSSBytes  int64          `json:"max_rss_bytes"`
	MaxInFlight  int64          `json:"max_in_flight"`
	TaintedS     int            `json:"tainted_s"`
	Reasons      []string       `json:"reasons"`
	ReasonCodes  reason.Reasons `json:"reason_codes"`
	// StartsDue is how many starts were to be issued or dropped, Starts how many were
	// issued. LateAtS are the seconds in which the generator was late or
	// was starved, of SecondsWithTurns; StarvedAtS those in which others had taken this machine's processors.
	// FailsWithoutLate names what fails even without these, where there were too many.
	StartsDue        int64    `json:"starts_due"`
	Starts           int64    `json:"starts"`
	SecondsWithTurns int      `json:"seconds_with_turns"`
	LateAtS          []int    `json:"late_at_s"`
	StarvedAtS       []int    `json:"starved_at_s"`
	FailsWithoutLate []string `json:"fails_without_late"`
	Drops            []Drop   `json:"drops"`
	// Resent requests went over another stream or connection, because the server had
	// not begun with them. Handshakes are those of TLS.
	Resent            int64 `json:"resent,omitempty"`
	FullHandshakes    int64 `json:"full_handshakes,omitempty"`
	ResumedHandshakes int64 `json:"resumed_handshakes,omitempty"`
	// Sockets is what became of customers' WebSockets; missing where the target has none.
	Sockets *Sockets `json:"sockets,omitempty"`
	// Addresses are those of the target that connections led to.
	Addresses []AddressTurns `json:"addresses"`
}

// Sockets counts customers' WebSockets, those among them that replaced one that was
// closed, and messages that were not the answer to a turn that waited: LateAnswers came
// when their turn was over without one, RepeatedAnswers when it had one.
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

// AddressTurns is how many turns one address was asked, and how many of them got no
// whole answer of a good status. Turns that got no connection are with none.
type AddressTurns struct {
	Address string `json:"address"`
	Turns   int64  `json:"turns"`
	Failed  int64  `json:"failed"`
}

// Process is one process of the run. CPUShare is CPUS over the run's length: 1
// is one core. EndedS is when it ended unasked.
type Process struct {
	Name        string   `json:"name"`
	CPUS        float64  `json:"cpu_s"`
	CPUShare    float64  `json:"cpu_share"`
	MaxRSSBytes int64    `json:"max_rss_bytes"`
	EndedS      *float64 `json:"ended_s"`
	Exit        string   `json:"exit"`
}

// LittlesLaw compares turns in flight with rate times mean response time.
type LittlesLaw struct {
	InFlightMean  float64 `json:"in_flight_mean"`
	RateTimesMean float64 `json:"rate_times_mean"`
	ErrorShare    float64 `json:"error_share"`
}
