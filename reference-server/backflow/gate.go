package backflow

import "time"

// World is how things stand around the backflow.
type World struct {
	Model    time.Time // since when everybody has had the model; zero: not everybody has
	Breaker  bool      // the model's breaker lets nothing pass
	Turns    int64     // of users, so far
	InFlight int       // turns of users
	Limit    int       // and how many there may be
	Waiting  int       // turns that wait to be let in
	Leaving  bool      // the server is going down
}

// Why nothing is asked at the moment.
const (
	openGate     = ""
	pausedOff    = "off"     // by knob
	pausedModel  = "model"   // it is ill, or was a moment ago
	pausedBusy   = "traffic" // users need it
	pausedFault  = "fault"   // it did not answer the last question
	pausedBudget = "budget"  // of this hour
	pausedLeave  = "draining"
	pausedRedis  = "redis"
)

// Pauses are all of them.
var Pauses = []string{pausedOff, pausedModel, pausedBusy, pausedFault, pausedBudget, pausedLeave, pausedRedis}

const (
	busyShare   = 0.5 // of the turns that may be in flight: users need the room
	rateWindow  = time.Second
	faultFirst  = 5 * time.Second // without questions after one that the model did not answer, doubled by the next
	faultLonger = 5 * time.Minute
)

// gate decides whether the model may be asked. One goroutine uses it, but for failed.
type gate struct {
	turns    int64
	measured time.Time
	rate     float64 // of users' turns, a second
}

// closed is why nothing may be asked; empty: it may.
func (g *gate) closed(w World, live Live, now time.Time) string {
	if since := now.Sub(g.measured); since >= rateWindow {
		if !g.measured.IsZero() {
			g.rate = float64(w.Turns-g.turns) / since.Seconds()
		}
		g.turns, g.measured = w.Turns, now
	}
	switch {
	case live.Rate <= 0 || live.Max <= 0 || live.AtOnce <= 0:
		return pausedOff
	case w.Leaving:
		return pausedLeave
	case w.Model.IsZero() || w.Breaker || now.Sub(w.Model) < live.Hold:
		return pausedModel
	case w.Waiting > 0 || w.Limit > 0 && float64(w.InFlight) > busyShare*float64(w.Limit) || live.LiveMax > 0 && g.rate > live.LiveMax:
		return pausedBusy
	}
	return openGate
}
