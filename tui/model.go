package tui

import (
	"cmp"
	"strings"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// The pages of a run.
const (
	overview = iota
	turnsPage
	objectivesPage

	runPages = 3
)

// model draws a run. It is only ever touched by the program's own goroutine.
type model struct {
	live

	feed  *feed
	frame Frame
}

func newModel(opts Options, d *feed) *model {
	m := &model{live: live{canvas: newCanvas(opts.Lang), opts: opts, box: &d.mailbox}, feed: d}
	m.subject, m.pages, m.keyHelp = m, m.words.pages[:], m.words.help
	m.draw()
	return m
}

func (m *model) take() {
	m.feed.mu.Lock()
	m.frame = m.feed.frame
	m.feed.mu.Unlock()
}

func (m *model) clock() (time.Duration, bool) { return m.frame.Elapsed, m.frame.Stopping }

// columns reads the run's course under the feed's lock.
func (m *model) columns(n int) []tally {
	m.feed.mu.Lock()
	defer m.feed.mu.Unlock()
	return m.feed.history.columns(n, m.frame.Total, m.frame.Elapsed)
}

// recovery is how long after a storm things may take to be well again.
func (m *model) recovery() time.Duration {
	const unasked = 10 * time.Second
	var asked time.Duration
	for _, o := range m.objectives() {
		if o.Kind == scenario.KindRecoveryLatency || o.Kind == scenario.KindRecoveryQuality {
			asked = max(asked, o.Limit.D(), time.Second)
		}
	}
	return cmp.Or(asked, unasked)
}

// limit is the shortest latency budget of a quantile; 0: none.
func (m *model) limit(quantile string) time.Duration {
	share, err := unit.ParseShare(strings.TrimPrefix(quantile, "p") + "%")
	if err != nil {
		return 0
	}
	var shortest time.Duration
	for _, o := range m.objectives() {
		if o.Kind == scenario.KindLatency && o.Target == share && (shortest == 0 || o.Limit.D() < shortest) {
			shortest = o.Limit.D()
		}
	}
	return shortest
}

// allowed is the least share of bad turns that an availability allows; 0: none is asked.
func (m *model) allowed() (least float64) {
	for _, o := range m.objectives() {
		if bad := 1 - float64(o.Target); o.Kind == scenario.KindAvailability && (least == 0 || bad < least) {
			least = bad
		}
	}
	return least
}

// objectives are what the run is judged by, of both forms of the SLA.
func (m *model) objectives() []scenario.Objective {
	if m.opts.Scenario == nil {
		return nil
	}
	return m.opts.Scenario.Objectives()
}
