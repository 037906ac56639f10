package sla

import (
	"math"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// Claim is a set of figures that somebody states of a closed-loop test.
type Claim struct {
	Name  reason.Phrase
	Users int
	Rate  float64 // requests per second
	Mean  time.Duration
	P99   time.Duration // 0: not stated
	CPU   float64       // share of the machine's; 0: not stated
}

// Audited is a claim held against Little's law.
type Audited struct {
	Claim
	// InFlight is rate x mean: the requests that must have been in flight on average.
	InFlight float64
	// Most is the highest rate that so many users reach at that mean, without any think time.
	Most float64
	// Possible: no more in flight than there are users.
	Possible bool
	Reason   reason.Reason
}

// Audit holds claimed figures against Little's law: users who wait for each
// answer before they ask again have at most one request in flight each, so rate
// x mean is at most their number. J. D. C. Little, Operations Research 9 (1961).
func Audit(c Claim) Audited {
	a := Audited{Claim: c, InFlight: c.Rate * c.Mean.Seconds()}
	if c.Mean > 0 {
		a.Most = float64(c.Users) / c.Mean.Seconds()
	}
	// Figures are stated to two or three digits.
	a.Possible = a.InFlight <= float64(c.Users)*1.005
	switch {
	case a.Possible:
		think := float64(c.Users)/max(c.Rate, 1e-9) - c.Mean.Seconds()
		a.Reason = reason.New(reason.ClaimPossible, a.InFlight, c.Users, time.Duration(max(think, 0)*float64(time.Second)))
	default:
		a.Reason = reason.New(reason.ClaimImpossible, unit.Rate(c.Rate), c.Mean, a.InFlight, c.Users, unit.Rate(math.Floor(a.Most)))
	}
	return a
}

// ArticleClaims is the article's table: 200 closed-loop users, one replica.
func ArticleClaims() []Claim {
	return []Claim{
		{reason.Say("0 synchronous, short connections"), 200, 520, 380 * time.Millisecond, 1200 * time.Millisecond, 0.95},
		{reason.Say("1 + connection pooling"), 200, 1100, 220 * time.Millisecond, 600 * time.Millisecond, 0.80},
		{reason.Say("2 + asynchronous LLM call"), 200, 1800, 150 * time.Millisecond, 400 * time.Millisecond, 0.75},
		{reason.Say("3 + Redis pipeline + local cache of hot answers"), 200, 3200, 90 * time.Millisecond, 220 * time.Millisecond, 0.65},
	}
}
