package measure

import (
	"testing"
	"time"
)

// A login behind the intended start is no part of what a turn took.
func TestLoginIsNoPartOfATurn(t *testing.T) {
	turn := Turn{Intended: time.Second, Login: 300 * time.Millisecond, Sent: 1310 * time.Millisecond, FirstToken: 1350 * time.Millisecond, Done: 1400 * time.Millisecond}
	for of, want := range map[Timing]time.Duration{Response: 100 * time.Millisecond, Service: 90 * time.Millisecond, FirstToken: 50 * time.Millisecond} {
		if got, ok := turn.timing(of); got != want || !ok {
			t.Errorf("timing %d: %s, want %s", of, got, want)
		}
	}
}
