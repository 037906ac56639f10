package trial

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// clockwork is a target in this process; the n-th turn panics.
type clockwork struct {
	base  time.Time
	turns atomic.Int64
	panic int64
	kill  int64 // the n-th turn kills its process
	bad   bool  // every answer is a 500
}

func (c *clockwork) Open(*driver.User) driver.Channel { return &clockworkLine{c} }
func (c *clockwork) Prepare(int) error                { return nil }
func (c *clockwork) Interrupt()                       {}
func (c *clockwork) Connections() int                 { return 1 }
func (c *clockwork) Traffic() driver.Traffic          { return driver.Traffic{} }
func (c *clockwork) Close() error                     { return nil }

type clockworkLine struct{ c *clockwork }

func (l *clockworkLine) Do(_ *driver.Turn, reply *driver.Reply) {
	switch l.c.turns.Add(1) {
	case l.c.kill:
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
	case l.c.panic:
		panic("a bug in the driver")
	}
	at := time.Since(l.c.base)
	if l.c.bad {
		*reply = driver.Reply{Status: 500, ContextTurns: -1, Begun: at, Sent: at, FirstByte: at, Done: time.Since(l.c.base)}
		return
	}
	*reply = driver.Reply{Status: 200, OK: true, ContextTurns: -1, Answer: []byte("ok"), Begun: at, Sent: at, FirstByte: at, Done: time.Since(l.c.base)}
}
func (l *clockworkLine) Free(*driver.Reply) {}
func (l *clockworkLine) Close()             {}

// fiftyTurns is a scenario of 50 conversations of one turn, in a second.
func fiftyTurns(t *testing.T) *scenario.Scenario {
	t.Helper()
	s := parse(t, anyTarget+"}", "{arrivals: constant, stages: [{name: s, for: 1s, starts: 50/s}], drain: 1s}")
	s.Conversations[0].Turns = s.Conversations[0].Turns[:1]
	return s
}

// driven runs the load of fiftyTurns against target, with a journal, and gives
// what came of it.
func driven(t *testing.T, target *clockwork, change func(*attempt)) (*Done, *measure.Recovered) {
	t.Helper()
	return drivenBy(t, target, change, func(l *localLoader) loader { return l })
}

// drivenBy is driven with what by makes of the loader.
func drivenBy(t *testing.T, target *clockwork, change func(*attempt), by func(*localLoader) loader) (*Done, *measure.Recovered) {
	t.Helper()
	s := fiftyTurns(t)
	o := Options{Scenario: s, Journal: filepath.Join(t.TempDir(), "journal.cst"), RunID: "r"}
	a := newAttempt(&o)
	target.base = time.Now().Add(10 * time.Millisecond)
	a.base = target.base
	if change != nil {
		change(a)
	}
	var err error
	if a.journal, err = openJournal(&o, a.plan); err != nil {
		t.Fatal(err)
	}
	done := a.drive(load.Stops{Starting: context.Background(), Now: patient(t)}, by(a.newLocalLoader(target)))
	closeJournal(a.journal, &o, done)
	if done.JournalErr != nil {
		t.Fatal(done.JournalErr)
	}
	back, err := measure.OpenJournal(o.Journal)
	if err != nil {
		t.Fatal(err)
	}
	return done, back
}

// judged is the document that will be made of done.
func judged(s *scenario.Scenario, done *Done) *result.Document {
	return result.Build(s, nil, result.Recording{Snapshot: done.Snapshot, Facts: done.Facts, Started: done.Started, Warnings: done.Warnings})
}

func TestPanicInAWorkerKeepsTheRun(t *testing.T) {
	done, back := driven(t, &clockwork{panic: 30}, nil)
	if done.Crash == nil || done.Crash.Value != "a bug in the driver" || !strings.Contains(done.Crash.Stack, "clockworkLine") {
		t.Fatalf("crash %+v", done.Crash)
	}
	// The others ended their turns, and the journal has them all and its end.
	if n := done.Snapshot.Turns(); n < 29 || n > 49 {
		t.Errorf("%d turns, want those before the panic", n)
	}
	if back.Snapshot.Turns() != done.Snapshot.Turns() || !back.Closed || back.Lost != 0 {
		t.Errorf("the journal has %d of %d turns, closed %v", back.Snapshot.Turns(), done.Snapshot.Turns(), back.Closed)
	}
	if d := judged(fiftyTurns(t), done); d.Verdict != "incomplete" || !strings.Contains(d.Reasons[0], "cstest itself failed") {
		t.Errorf("%s %q", d.Verdict, d.Reasons)
	}
}

func TestPanicOfWhoWatchesCostsNothing(t *testing.T) {
	shown := 0
	done, back := driven(t, &clockwork{}, func(a *attempt) {
		a.observe = func(*Live) {
			shown++
			panic("a bug in the view")
		}
	})
	if done.Crash == nil || done.Crash.Value != "a bug in the view" || shown != 1 {
		t.Errorf("crash %+v, shown %d times", done.Crash, shown)
	}
	if n := done.Snapshot.Turns(); n != 50 || len(done.Facts.Interrupted) > 0 || back.Snapshot.Turns() != 50 {
		t.Errorf("%d turns, %d in the journal, interrupted %q", n, back.Snapshot.Turns(), done.Facts.Interrupted)
	}
}

// The clocks of a run are looked at every second, and what is seen is journalled.
func TestIncidentsOfARunAreJournalled(t *testing.T) {
	var at atomic.Int64
	done, back := driven(t, &clockwork{}, func(a *attempt) {
		a.clocks = func() (reading, bool) {
			n := time.Duration(at.Add(1))
			r := reading{n * time.Second, n * time.Second, n * time.Second}
			if n > 1 {
				r.wall += time.Hour
			}
			return r, true
		}
	})
	if len(done.Facts.Incidents) != 1 || done.Facts.Incidents[0].Kind != measure.ClockStep || done.Facts.Incidents[0].By != time.Hour {
		t.Errorf("incidents %+v", done.Facts.Incidents)
	}
	if !reflect.DeepEqual(back.Facts.Incidents, done.Facts.Incidents) {
		t.Errorf("the journal has %+v", back.Facts.Incidents)
	}
	if done.Snapshot.Elapsed > 5*time.Second || done.Snapshot.Turns() != 50 {
		t.Errorf("an hour went by: %s, %d turns", done.Snapshot.Elapsed, done.Snapshot.Turns())
	}
}

// What a run keeps grows with its seconds, not with its turns.
func TestJournalDoesNotGrowWithTurns(t *testing.T) {
	s := parse(t, anyTarget+"}", tenSeconds)
	size := func(perSecond int) (journal int64, snapshot int) {
		plan := Plan(s)
		path := filepath.Join(t.TempDir(), "journal.cst")
		j, err := measure.CreateJournal(path, measure.Header{}, plan)
		if err != nil {
			t.Fatal(err)
		}
		r := measure.NewRecorder(plan, 1)
		snap := measure.NewSnapshot(plan)
		lane := r.Lane(0)
		for second := range 10 {
			for i := range perSecond {
				at := time.Duration(second)*time.Second + time.Duration(i)*time.Second/time.Duration(perSecond)
				lane.Started(at)
				lane.Record(&measure.Turn{Intended: at, Sent: at, FirstByte: at + time.Millisecond, Done: at + time.Millisecond + time.Duration(i%1000)*10*time.Microsecond})
				lane.Failed(&measure.Failure{Outcome: measure.ServerError, Message: "HTTP 500", At: at})
				lane.Ended(measure.Complete, nil)
			}
			cut, err := r.Cut(time.Duration(second+1) * time.Second)
			if err = errors.Join(err, snap.Add(cut), j.AppendInterval(cut)); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := snap.AppendBinary(nil)
		if err != nil || snap.Turns() != int64(10*perSecond) {
			t.Fatalf("%d turns, %v", snap.Turns(), err)
		}
		return info.Size(), len(b)
	}
	few, fewSnap := size(1000)
	many, manySnap := size(50_000)
	t.Logf("10 s of 1,000 turns/s: journal %d, snapshot %d bytes; of 50,000: %d and %d", few, fewSnap, many, manySnap)
	// Counters of fifty times as much take a byte more here and there.
	if many > few*3/2 || manySnap > fewSnap*3/2 {
		t.Errorf("fifty times the turns: the journal grew from %d to %d bytes, the snapshot from %d to %d", few, many, fewSnap, manySnap)
	}
}

// An interval whose cut fails is in the snapshot and in the journal alike, without
// secrets.
func TestFailedCutIsKeptAndRedacted(t *testing.T) {
	done, back := drivenBy(t, &clockwork{}, func(a *attempt) { a.redact = noCanary }, func(l *localLoader) loader { return torn{l} })
	if done.Snapshot.Turns() != 50 || back.Snapshot.Turns() != 50 {
		t.Errorf("%d turns, %d in the journal, want 50", done.Snapshot.Turns(), back.Snapshot.Turns())
	}
	for what, s := range map[string]*measure.Snapshot{"snapshot": done.Snapshot, "journal": back.Snapshot} {
		if len(s.Failures) != 1 || s.Failures[0].Message != "the [redacted] sang" {
			t.Errorf("%s: %+v", what, s.Failures)
		}
	}
	if !strings.Contains(done.Warnings.String(), "counts lost") {
		t.Errorf("warnings %q", done.Warnings)
	}
}

// torn is a loader whose cuts fail, and know of a failure that names a secret.
type torn struct{ *localLoader }

func (s torn) Cut(elapsed time.Duration) (*measure.Snapshot, error) {
	last, err := s.localLoader.Cut(elapsed)
	last.Failures = append(last.Failures, measure.FailureCount{Outcome: measure.ServerError, Message: "the canary sang", Count: 1})
	return last, errors.Join(err, errors.New("counts lost"))
}

// A note that cannot be encoded is told as what it is.
func TestNoteThatCannotBeEncodedIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.cst")
	s := parse(t, anyTarget+"}", tenSeconds)
	o := Options{Scenario: s, Journal: path, About: &result.About{RunID: "x"}}
	j, err := openJournal(&o, Plan(s))
	if err != nil {
		t.Fatal(err)
	}
	done := &Done{Facts: &measure.Facts{Generator: measure.Generator{InFlightMean: math.NaN()}}}
	closeJournal(j, &o, done)
	if done.JournalErr == nil || done.JournalErr.Error() != path+": journal: json: unsupported value: NaN" {
		t.Errorf("error %v", done.JournalErr)
	}
	var refused *ResultsError
	o.Journal, o.About = path+"2", &result.About{Scale: math.NaN()}
	if _, err := openJournal(&o, Plan(s)); !errors.As(err, &refused) || err.Error() != `journal: note "about": json: unsupported value: NaN` {
		t.Errorf("error %v", err)
	}
}
