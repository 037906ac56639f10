package measure

import (
	"cmp"
	"slices"
	"time"
)

// Client is how the target treated the model, as the mock LLM saw it: attempts for
// users' turns. Those of one trace id are a turn, those of one body in it the same
// request. What carries no trace id of the run belongs to no turn.
type Client struct {
	Turns      int64  `json:"turns"`
	Calls      int64  `json:"calls"`
	MaxCalls   int64  `json:"max_calls"`
	MaxCallsOf string `json:"max_calls_trace_id,omitempty"`
	Untraced   int64  `json:"untraced"`
	Foreign    int64  `json:"foreign"`
	// Open had not ended when it told. Late and More are counted and were not looked at.
	Open    int64 `json:"open"`
	Late    int64 `json:"late"`
	More    int64 `json:"more"`
	Failed  int64 `json:"failed"`
	Retries int64 `json:"retries"`
	// Retried4xx: of refusals that no retry can mend, those that were followed by one.
	Retried4xx Finding `json:"retried_4xx"`
	// RetriedEarly: of answers with a Retry-After, those followed by the same request too
	// early; EarlyUnclear are those that another request of the turn followed too early.
	RetriedEarly Finding `json:"retried_early"`
	EarlyUnclear int64   `json:"early_unclear"`
	// Broken calls got a truncated, empty or senseless answer. Damaged: of all turns, those for which the model gave no answer but a broken one.
	Broken  int64   `json:"broken"`
	Damaged Finding `json:"damaged_kept"`
	// AfterLeft: of turns that their users left, those with a call that began afterwards
	// or was open a second later.
	AfterLeft Finding `json:"after_user_left"`
	// PassedOn: of good turns among Damaged, those whose answer was the broken one; of
	// PassedOnUnclear that cannot be told.
	PassedOn        Finding `json:"passed_on"`
	PassedOnUnclear int64   `json:"passed_on_unclear"`
	Known           float64 `json:"known"`
	// FirstWaits and SecondWaits are before the first and second retry of a request where
	// no Retry-After was told; NotLonger: of those with both, whose second was no longer.
	FirstWaits  []WaitBucket `json:"first_waits"`
	SecondWaits []WaitBucket `json:"second_waits"`
	NotLonger   Finding      `json:"wait_not_longer"`
}

// Finding is how often something was seen, of how many, with some of the turns.
type Finding struct {
	N        int64         `json:"n"`
	Of       int64         `json:"of"`
	Examples []TurnExample `json:"examples,omitempty"`
}

// TurnExample is a turn by its trace id, and when it was seen.
type TurnExample struct {
	TraceID string        `json:"trace_id"`
	At      time.Duration `json:"t_ns"`
}

// WaitBucket counts waits up to a bound, above that of the bucket before.
type WaitBucket struct {
	UpTo time.Duration `json:"up_to_ns"`
	N    int64         `json:"n"`
}

// mostTurnExamples are kept of a finding.
const mostTurnExamples = 5

// Bound cuts what a mock LLM told, which may be anybody, to what is kept.
func (c *Client) Bound() {
	id := func(s string) string { return s[:min(len(s), longestTrace)] }
	c.MaxCallsOf = id(c.MaxCallsOf)
	for _, f := range []*Finding{&c.Retried4xx, &c.RetriedEarly, &c.Damaged, &c.AfterLeft, &c.PassedOn, &c.NotLonger} {
		f.Examples = f.Examples[:min(len(f.Examples), mostTurnExamples)]
		for i := range f.Examples {
			f.Examples[i].TraceID = id(f.Examples[i].TraceID)
		}
	}
	c.FirstWaits, c.SecondWaits = c.FirstWaits[:min(len(c.FirstWaits), mostWaits)], c.SecondWaits[:min(len(c.SecondWaits), mostWaits)]
}

// longestTrace is how long a trace id is, mostWaits how many buckets of waits there are.
const (
	longestTrace = 32
	mostWaits    = 80
)

// Tied is the share of the calls that belong to a turn of the run; false without calls.
func (c *Client) Tied() (share float64, ok bool) {
	if all := c.Calls + c.Untraced + c.Foreign; all > 0 {
		return float64(c.Calls) / float64(all), true
	}
	return 0, false
}

// MedianWait is by nearest rank, known to a fifth; false of none.
func MedianWait(list []WaitBucket) (d time.Duration, n int64) {
	for _, b := range list {
		n += b.N
	}
	rank := (n + 1) / 2
	for _, b := range list {
		if rank -= b.N; rank <= 0 && n > 0 {
			return b.UpTo, n
		}
	}
	return 0, n
}

// mergeClients adds up what the mock LLMs of two shards saw; the order does not matter.
func mergeClients(a, b *Client) *Client {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	if c := cmp.Compare(b.MaxCalls, a.MaxCalls); c > 0 || c == 0 && b.MaxCallsOf < a.MaxCallsOf {
		a, b = b, a
	}
	return &Client{
		Turns: a.Turns + b.Turns, Calls: a.Calls + b.Calls, MaxCalls: a.MaxCalls, MaxCallsOf: a.MaxCallsOf,
		Untraced: a.Untraced + b.Untraced, Foreign: a.Foreign + b.Foreign, Open: a.Open + b.Open, Late: a.Late + b.Late,
		More: a.More + b.More, Broken: a.Broken + b.Broken, Failed: a.Failed + b.Failed, Retries: a.Retries + b.Retries,
		Retried4xx: a.Retried4xx.plus(b.Retried4xx), RetriedEarly: a.RetriedEarly.plus(b.RetriedEarly),
		EarlyUnclear: a.EarlyUnclear + b.EarlyUnclear, Damaged: a.Damaged.plus(b.Damaged), AfterLeft: a.AfterLeft.plus(b.AfterLeft),
		PassedOn: a.PassedOn.plus(b.PassedOn), PassedOnUnclear: a.PassedOnUnclear + b.PassedOnUnclear, Known: min(a.Known, b.Known),
		FirstWaits: mergeWaits(a.FirstWaits, b.FirstWaits), SecondWaits: mergeWaits(a.SecondWaits, b.SecondWaits),
		NotLonger: a.NotLonger.plus(b.NotLonger),
	}
}

func (f Finding) plus(o Finding) Finding {
	sum := Finding{N: f.N + o.N, Of: f.Of + o.Of, Examples: slices.Concat(f.Examples, o.Examples)}
	slices.SortFunc(sum.Examples, func(a, b TurnExample) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.TraceID, b.TraceID))
	})
	sum.Examples = sum.Examples[:min(len(sum.Examples), mostTurnExamples)]
	return sum
}

func mergeWaits(a, b []WaitBucket) (sum []WaitBucket) {
	n := map[time.Duration]int64{}
	for _, w := range slices.Concat(a, b) {
		if n[w.UpTo] == 0 {
			sum = append(sum, WaitBucket{UpTo: w.UpTo})
		}
		n[w.UpTo] += w.N
	}
	for i := range sum {
		sum[i].N = n[sum[i].UpTo]
	}
	slices.SortFunc(sum, func(a, b WaitBucket) int { return cmp.Compare(a.UpTo, b.UpTo) })
	return sum
}
