package main

import (
	"math"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/tui"
)

// frames between two seconds keep the clock and the counters moving.
const framesPerSecond = 2

// view shows a run while it is under way: the live view, a line a second, or nothing.
type view struct {
	observe func(*trial.Live)
	close   func()
}

func newView(j *job) view {
	if j.quiet {
		return view{observe: nil, close: func() {}}
	}
	in, out, able := canShow(j.s)
	b := newFrames(j.chosen.Scenario, j.signals, j.spread)
	if j.noTUI || j.json || j.verbose || !able {
		lines := tui.NewLines(j.s.err, j.lang)
		return view{
			observe: func(l *trial.Live) { lines.Update(b.build(l)) },
			close:   lines.Quit,
		}
	}
	return liveView(j, b, in, out)
}

// liveView draws on the terminal until closed.
func liveView(j *job, b *frames, in, out *os.File) view {
	ui := tui.New(tui.Options{
		Scenario: j.chosen.Scenario, Target: targetLine(j.chosen), Lang: j.lang, Color: !j.noColor,
		In: in, Out: out,
		OnStop: func(hard bool) { j.signals.end(syscall.SIGINT, hard) },
	})
	ui.Update(tui.Frame{Phase: tui.Starting, Total: j.chosen.TotalDuration(), Storms: sla.PlannedStorms(j.chosen.Scenario)})
	return view{
		observe: func(l *trial.Live) { ui.Update(b.build(l)) },
		close: drawn(ui, j.s, func() {
			if f, ok := b.between(); ok {
				ui.Update(f)
			}
		}),
	}
}

// liveUI is a view of package tui on the terminal.
type liveUI interface {
	Run() error
	Quit()
}

// drawn has ui draw, and calls tick as often as figures between two seconds are worth
// it, until close is called.
func drawn(ui liveUI, s streams, tick func()) (closeView func()) {
	var drawing, ticking sync.WaitGroup
	done := make(chan struct{})
	drawing.Go(func() {
		if err := ui.Run(); err != nil {
			s.say("live view: %s", err)
		}
	})
	ticking.Go(func() {
		clock := time.NewTicker(time.Second / framesPerSecond)
		defer clock.Stop()
		for {
			select {
			case <-clock.C:
				tick()
			case <-done:
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		ticking.Wait()
		ui.Quit()
		drawing.Wait()
	})
}

// frames builds what the view shows.
type frames struct {
	scenario *scenario.Scenario
	signals  *signals
	// level is how many users a closed load asks for at a time.
	level func(time.Duration) float64

	mu      sync.Mutex
	last    tui.Frame
	at      time.Time // when last was built
	live    *trial.Live
	counted int64 // conversations started until the last full second
	ready   bool
}

// newFrames builds the frames of one run of s, or of a part of it.
func newFrames(s *scenario.Scenario, ends *signals, part spread) *frames {
	return &frames{scenario: s, signals: ends, level: load.NewSchedule(&s.Load, s.Seed).Shard(part.shard, max(part.shards, 1)).Level}
}

// build makes the frame of a full second.
func (b *frames) build(l *trial.Live) tui.Frame {
	s := b.scenario
	facts := sla.SoFar(s, l.Facts)
	facts.Observed = l.Observed
	judged := sla.Evaluate(s, l.SoFar, facts)
	f := tui.Frame{
		Elapsed: l.Elapsed, Total: l.Total, Phase: tui.Loading, Stopping: b.signals.stopping(),
		Stages: l.Plan.Stages, Last: windowOf(l.Last), SoFar: windowOf(l.SoFar),
		Seconds: judged.Seconds, Storms: sla.PlannedStorms(s), Generator: generatorOf(l, judged),
		Failures: l.SoFar.Failures, Objectives: judged.Objectives, Turns: turnsOf(l.SoFar), Observed: observedOf(l.Observed),
	}
	counters := l.Counters()
	f.InFlight, f.Conversations = counters.InFlight, counters.Conversations
	f.CallsPerTurn, f.CallsKnown = callsOf(l, facts)
	if l.Elapsed >= l.Total || f.Stopping {
		f.Phase = tui.Draining // no conversation starts any more
	} else if i := l.Plan.StageAt(l.Elapsed); i >= 0 && i < len(l.Plan.Stages) {
		f.Stage = l.Plan.Stages[i].Name
	}
	for _, r := range sla.Burns(s, l.SoFar) {
		if r.Objective == availabilityOf(s) {
			f.Burn = append(f.Burn, tui.Burn{Over: r.Window, Rate: r.Rate})
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.Achieved = float64(counters.Started - b.counted)
	b.counted = counters.Started
	if second := int(l.Elapsed/time.Second) - 1; l.Planned != nil {
		if second >= 0 && second < len(l.Planned) {
			f.Planned = float64(l.Planned[second])
		}
	} else {
		f.Users, f.UsersPlanned = usersOf(f.Conversations, b.level(l.Elapsed))
	}
	b.last, b.at, b.live, b.ready = f, time.Now(), l, true
	return f
}

// between is the last frame with the clock and the live counters moved on.
func (b *frames) between() (tui.Frame, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ready {
		return tui.Frame{}, false
	}
	f := b.last
	f.Elapsed += time.Since(b.at)
	counters := b.live.Counters()
	f.InFlight, f.Conversations = counters.InFlight, counters.Conversations
	f.Stopping = b.signals.stopping()
	return f, true
}

// usersOf is how many users of a closed load are active, and how many are planned
// now, 0 once the plan is over. All of them have a conversation from the start,
// those too whose time has not come.
func usersOf(conversations int64, level float64) (active, planned int64) {
	if planned = int64(math.Round(level)); planned <= 0 {
		return conversations, 0
	}
	return min(conversations, planned), planned
}

// callsOf is the LLM calls per turn of the last second that the mock has told
// the whole of; false where it told of none.
func callsOf(l *trial.Live, facts *measure.Facts) (float64, bool) {
	second := int(l.Elapsed/time.Second) - 2 // the one before is told while it ends
	if !facts.LLMKnown || second < 0 {
		return 0, false
	}
	at := l.SoFar.At(second)
	if at == nil || at.Turns() == 0 {
		return 0, false
	}
	for _, c := range facts.Calls {
		if c.Second == second {
			return float64(c.Calls) / float64(at.Turns()), true
		}
	}
	return 0, true
}

// observedOf is what was seen last of each figure.
func observedOf(list []measure.Observed) (out []tui.Observed) {
	for _, o := range list {
		if n := len(o.Values); n > 0 {
			out = append(out, tui.Observed{Name: o.Name, Unit: o.Unit, Value: o.Values[n-1].Value})
		}
	}
	return out
}

func windowOf(s *measure.Snapshot) tui.Window {
	w := tui.Window{Turns: s.Turns(), Counts: s.Counts, Tiers: s.Tiers}
	h := s.Timings[measure.Response]
	w.P50, _ = sla.Shown(h, 0.50)
	w.P90, _ = sla.Shown(h, 0.90)
	w.P95, _ = sla.Shown(h, 0.95)
	w.P99, _ = sla.Shown(h, 0.99)
	return w
}

func turnsOf(s *measure.Snapshot) []tui.TurnLine {
	lines := make([]tui.TurnLine, len(s.Slots))
	for i := range s.Slots {
		slot, tally := &s.Plan.Slots[i], &s.Slots[i]
		lines[i] = tui.TurnLine{Conversation: slot.Conversation, Index: slot.Index, Say: slot.Say, Turns: tally.Turns, Answered: tally.Answered}
		lines[i].P50, _ = sla.Shown(tally.Response, 0.50)
		lines[i].P99, _ = sla.Shown(tally.Response, 0.99)
	}
	return lines
}

func generatorOf(l *trial.Live, judged sla.Result) tui.Generator {
	g := tui.Generator{Cores: runtime.NumCPU(), Tainted: len(judged.Generator.Tainted)}
	g.LagP99, _ = sla.Shown(l.Last.Timings[measure.Lag], 0.99)
	if n := len(l.Health); n > 0 {
		g.CPU = l.Health[n-1].CPU.Seconds()
	}
	if len(judged.Generator.Reasons) > 0 {
		g.Reason = judged.Generator.Reasons[:1]
	}
	return g
}

// availabilityOf names the objective whose burn is shown: the first of its kind.
func availabilityOf(s *scenario.Scenario) string {
	for _, o := range s.Objectives() {
		if o.Kind == scenario.KindAvailability {
			return o.Name
		}
	}
	return ""
}
