package load

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/usage"
)

// clocked answers every turn after a fixed time, on the real clock.
type clocked struct {
	base  time.Time
	after time.Duration
}

func (d *clocked) Open(*driver.User) driver.Channel { return d.line() }
func (d *clocked) Prepare(int) error                { return nil }
func (d *clocked) Interrupt()                       {}
func (d *clocked) Connections() int                 { return 0 }
func (d *clocked) Traffic() driver.Traffic          { return driver.Traffic{} }
func (d *clocked) Close() error                     { return nil }
func (d *clocked) line() driver.Channel             { return (*clockedLine)(d) }

type clockedLine clocked

func (l *clockedLine) Free(*driver.Reply) {}
func (l *clockedLine) Close()             {}
func (l *clockedLine) Do(_ *driver.Turn, reply *driver.Reply) {
	begun := time.Since(l.base)
	if l.after > 0 {
		time.Sleep(l.after)
	}
	*reply = driver.Reply{Status: 200, OK: true, ContextTurns: -1, Answer: okAnswer, Begun: begun, Sent: begun, Done: time.Since(l.base)}
}

var okAnswer = []byte("好的")

// lags is a lane that keeps the generator's lateness.
type lags struct {
	book
	mu  sync.Mutex
	lag []time.Duration
}

func (l *lags) Started(time.Duration)                          {}
func (l *lags) Ended(measure.ConversationEnd, *measure.Dialog) {}
func (l *lags) Record(t *measure.Turn) {
	l.mu.Lock()
	l.lag = append(l.lag, t.Lag)
	l.mu.Unlock()
}

// BenchmarkLag reports how late the generator is at a rate, and what a turn
// costs, on the real clock: two seconds of Poisson starts.
func BenchmarkLag(b *testing.B) {
	for name, rate := range map[string]float64{"200": 200, "2000": 2000, "5000": 5000, "20000": 20000} {
		b.Run(name+"/s", func(b *testing.B) {
			for b.Loop() {
				sc := open(rate, 2*time.Second)
				sc.Load.Arrivals = "poisson"
				base := time.Now()
				l := &lags{lag: make([]time.Duration, 0, 50000)}
				before, _ := usage.Own()
				s, err := Run(always(), Options{Scenario: sc, Seed: 1, Driver: &clocked{base: base, after: time.Millisecond}, Lanes: []Lane{l}, Base: base})
				if err != nil {
					b.Fatal(err)
				}
				after, _ := usage.Own()
				slices.Sort(l.lag)
				n := len(l.lag)
				b.ReportMetric(float64(l.lag[n/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(l.lag[n*99/100].Microseconds()), "p99-µs")
				b.ReportMetric(float64((after-before).Microseconds())/float64(n), "cpu-µs/turn")
				b.ReportMetric(float64(s.Started-s.Planned), "missing")
			}
		})
	}
}
