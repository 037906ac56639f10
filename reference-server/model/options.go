package model

import "time"

// API is what the model's server speaks.
type API string

// The APIs.
const (
	Chat        API = "chat"        // /v1/chat/completions with messages
	Completions API = "completions" // /v1/completions with a prompt
)

// Options say how the model is called. They hold while the server runs.
type Options struct {
	API       API
	Keepalive bool // keep connections open
	MaxIdle   int  // idle connections kept
	MaxConns  int  // 0: unbounded
	DialLimit time.Duration

	Attempts        int  // for one turn, the first included
	LinearBackoff   bool // base times the attempt, and whatever failed is tried again; else jitter 0.5 to 1.5
	BackoffBase     time.Duration
	RetryBudget     float64 // retries in flight as a share of calls in flight; 1: unbounded
	Bulkhead        int     // calls in flight, above it FaultFull; 0: unbounded
	BlockingWorkers int     // threads held through a call; 0: a goroutine each

	Breaker            string // ratio, consecutive, off
	BreakerOpen        time.Duration
	BreakerFailures    float64 // share of failed calls in 10 s that opens the ratio breaker
	BreakerSlow        float64 // share of slow calls
	BreakerConsecutive int     // failures in a row that open the consecutive breaker
}

// Live are the options that may change while the server runs.
type Live struct {
	Timeout time.Duration // of one attempt
	Slow    time.Duration // a call longer than this is slow
	Starved bool          // this process does not get the CPU it needs: what takes long says nothing about the model
}
