package load

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// fake is a target that answers at once or as answer says, and remembers what
// it was sent.
type fake struct {
	base time.Time
	// answer says how long a turn takes and what comes back; nil: at once, ok.
	answer func(at time.Duration, user *driver.User, turn *driver.Turn, reply *driver.Reply) time.Duration

	// deal is how long Do takes beyond the turn's end.
	deal time.Duration

	stop sync.Once
	gone chan struct{}

	mu   sync.Mutex
	sent []sent
	open atomic.Int64
	most int
	now  int
}

type sent struct {
	at                  time.Duration
	user                string
	text, dialog, trace string
	turn                int
}

func newFake() *fake { return &fake{base: time.Now(), gone: make(chan struct{})} }

func (f *fake) Open(user *driver.User) driver.Channel {
	f.open.Add(1)
	return &fakeLine{f: f, user: user}
}
func (f *fake) Prepare(int) error       { return nil }
func (f *fake) Interrupt()              { f.stop.Do(func() { close(f.gone) }) }
func (f *fake) Connections() int        { return int(f.open.Load()) }
func (f *fake) Traffic() driver.Traffic { return driver.Traffic{} }
func (f *fake) Close() error            { return nil }

type fakeLine struct {
	f    *fake
	user *driver.User
}

func (l *fakeLine) Free(*driver.Reply) {}
func (l *fakeLine) Close()             { l.f.open.Add(-1) }

func (l *fakeLine) Do(turn *driver.Turn, reply *driver.Reply) {
	f := l.f
	at := time.Since(f.base)
	f.mu.Lock()
	f.sent = append(f.sent, sent{at, l.user.ID, string(turn.Text), string(turn.DialogID), fmt.Sprintf("%x", turn.TraceID), turn.Index})
	f.now++
	f.most = max(f.most, f.now)
	f.mu.Unlock()
	*reply = driver.Reply{
		Status: 200, OK: true, ContextTurns: -1, Answer: []byte("好的"), Tier: []byte("llm"),
		DialogID: []byte(fmt.Sprintf("%032x", turn.TraceID[8:])), Begun: at, Sent: at,
	}
	if len(turn.DialogID) > 0 {
		reply.DialogID = append([]byte(nil), turn.DialogID...)
	}
	var latency time.Duration
	if f.answer != nil {
		latency = f.answer(at, l.user, turn, reply)
	}
	left := turn.Leave > 0 && at+latency > turn.Leave
	if left {
		latency = max(turn.Leave-at, 0)
	}
	if latency > 0 {
		timer := time.NewTimer(latency)
		select {
		case <-timer.C:
		case <-f.gone:
			timer.Stop()
			*reply = driver.Reply{Reason: driver.Interrupted, ContextTurns: -1, Begun: at, Sent: at}
		}
	}
	if left && reply.Reason != driver.Interrupted {
		*reply = driver.Reply{Reason: driver.TimedOut, Left: true, Message: "the customer left", ContextTurns: -1, Begun: at, Sent: at}
	}
	reply.Done = time.Since(f.base)
	time.Sleep(f.deal)
	reply.Over = time.Since(f.base)
	f.mu.Lock()
	f.now--
	f.mu.Unlock()
}

// book is a lane that keeps everything.
type book struct {
	mu       sync.Mutex
	started  []time.Duration
	dropped  [measure.Outcomes]int
	unasked  int // turns of dropped starts
	turns    []measure.Turn
	failures []measure.Failure
	ends     [measure.ConversationEnds]int
}

func (b *book) Started(intended time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.started = append(b.started, intended)
}

func (b *book) Dropped(_ time.Duration, turns int, o measure.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unasked += turns
	b.dropped[o]++
}

func (b *book) Record(t *measure.Turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns = append(b.turns, *t)
}

func (b *book) Failed(f *measure.Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = append(b.failures, *f)
}

func (b *book) Ended(end measure.ConversationEnd, _ *measure.Dialog) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ends[end]++
}

func (b *book) outcomes() (counts [measure.Outcomes]int) {
	for i := range b.turns {
		counts[b.turns[i].Outcome]++
	}
	return counts
}

// quantile is the response time of rank ceil(q·n).
func (b *book) quantile(perMille int) time.Duration {
	var all []time.Duration
	for i := range b.turns {
		all = append(all, b.turns[i].Done-b.turns[i].Intended)
	}
	slices.Sort(all)
	return all[(perMille*len(all)+999)/1000-1]
}

// open is a scenario of one stage of constant starts.
func open(rate float64, length time.Duration, turns ...scenario.Turn) *scenario.Scenario {
	if len(turns) == 0 {
		turns = []scenario.Turn{{Say: "你好"}}
	}
	return &scenario.Scenario{
		Target: scenario.Target{API: "reference", Connections: "per-user"},
		Load: scenario.Load{
			Arrivals: "constant", Drain: unit.Duration(30 * time.Second), MaxInFlight: 20000,
			Stages: []scenario.Stage{{Name: "load", For: unit.Duration(length), Starts: &scenario.RateRamp{From: unit.Rate(rate), To: unit.Rate(rate)}}},
		},
		Conversations: []scenario.Conversation{{Name: "c", Weight: 1, Turns: turns}},
	}
}

// closed is a scenario of users that loop.
func closed(users int, length time.Duration, turns ...scenario.Turn) *scenario.Scenario {
	sc := open(1, length, turns...)
	sc.Load.Stages[0].Starts = nil
	sc.Load.Stages[0].Users = &scenario.CountRamp{From: unit.Count(users), To: unit.Count(users)}
	return sc
}

func say(texts ...string) []scenario.Turn {
	var turns []scenario.Turn
	for _, t := range texts {
		turns = append(turns, scenario.Turn{Say: t})
	}
	return turns
}

func always() Stops { return Stops{Starting: context.Background(), Now: context.Background()} }

// drive runs sc against f in fake time.
func drive(t *testing.T, stops Stops, sc *scenario.Scenario, f *fake, change func(*Options)) (*book, *Summary) {
	t.Helper()
	b := &book{}
	o := Options{Scenario: sc, Seed: 7, Driver: f, Lanes: []Lane{b}, Base: f.base, plain: true}
	if change != nil {
		change(&o)
	}
	summary, err := Run(stops, o)
	if err != nil {
		t.Fatal(err)
	}
	if n := f.open.Load(); n != 0 {
		t.Errorf("%d lines left open", n)
	}
	conserve(t, b, summary)
	return b, summary
}

// conserve checks what must hold for every load that has ended.
func conserve(t *testing.T, b *book, s *Summary) {
	t.Helper()
	ends := 0
	for _, n := range b.ends {
		ends += n
	}
	dropped := b.dropped[measure.DroppedTarget] + b.dropped[measure.DroppedGenerator]
	if ends != len(b.started) {
		t.Errorf("%d conversations started, %d ended", len(b.started), ends)
	}
	if int64(len(b.started)) != s.Started || int64(len(b.started)+dropped) != s.Planned {
		t.Errorf("lanes have %d started and %d dropped, the summary %d of %d", len(b.started), dropped, s.Started, s.Planned)
	}
}

// echoing answers like a server whose model lists the canaries it saw.
func echoing(latency time.Duration) func(time.Duration, *driver.User, *driver.Turn, *driver.Reply) time.Duration {
	return func(_ time.Duration, _ *driver.User, turn *driver.Turn, reply *driver.Reply) time.Duration {
		text := string(turn.Text)
		i := strings.LastIndex(text, "⟦c:")
		who := text[i+len("⟦c:") : i+len("⟦c:")+8]
		answer := "好的⟦seen"
		for n := range turn.Index + 1 {
			answer += fmt.Sprintf(" c:%s.%d", who, n+1)
		}
		reply.Answer = []byte(answer + "⟧")
		reply.ContextTurns = turn.Index + 1
		return latency
	}
}
