package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/unit"
)

// Limits are quotas as vendors have them, of the server as a whole. A call
// takes one request and the tokens of its prompt and answer.
type Limits struct {
	Requests Quota `json:"requests,omitzero" yaml:"requests"`
	Tokens   Quota `json:"tokens,omitzero" yaml:"tokens"`
}

// Quota is N in every Per, written "500/m"; unlimited when zero. What was not
// used comes back evenly over the time, and never exceeds N.
type Quota struct {
	N   int64
	Per time.Duration
}

var periods = []struct {
	word string
	d    time.Duration
}{{"s", time.Second}, {"m", time.Minute}, {"min", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (q *Quota) UnmarshalText(b []byte) error {
	number, per, ok := strings.Cut(string(b), "/")
	n, err := unit.ParseCount(strings.TrimSpace(number))
	for _, p := range periods {
		if ok && err == nil && n > 0 && strings.TrimSpace(per) == p.word {
			*q = Quota{int64(n), p.d}
			return nil
		}
	}
	return fmt.Errorf("%q is not a quota: write for example 500/m or 200k/m, per s, m, h or d", b)
}

// MarshalText implements encoding.TextMarshaler.
func (q Quota) MarshalText() ([]byte, error) {
	for _, p := range periods {
		if p.d == q.Per {
			return fmt.Appendf(nil, "%d/%s", q.N, p.word), nil
		}
	}
	return nil, fmt.Errorf("a quota per %s cannot be written", q.Per)
}
