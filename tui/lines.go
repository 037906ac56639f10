package tui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// Line is a frame in one line without escape codes or line end, for where there
// is no terminal:
//
//	00:35 peak  starts 150/s  turns 447/s  in flight 63  P50 118 ms  P99 402 ms  ok 96.1 %  degraded 3.9 %  bad 0 %  budget 3 of 4 s left  STORM storm
//
// It begins with the clock, and nothing in it can pass for a command to a CI
// system. lang is "en" or "zh". Pure.
func Line(f Frame, lang reason.Lang) string {
	w := wordsOf(lang)
	var b strings.Builder
	b.WriteString(unit.Clock(f.Elapsed) + " ")
	switch {
	case f.Phase != Loading && int(f.Phase) < len(w.phases):
		b.WriteString(w.phases[f.Phase])
	case f.Stage != "":
		b.WriteString(inert(f.Stage, 24))
	default:
		b.WriteString(w.phases[Loading])
	}
	put := func(format string, args ...any) { b.WriteString("  "); fmt.Fprintf(&b, format, args...) }
	if f.Phase != Starting {
		if f.Users > 0 {
			users := count(f.Users)
			if f.UsersPlanned > 0 {
				users += "/" + count(f.UsersPlanned)
			}
			put("%s %s", w.lineUsers, users)
		} else {
			put("%s %s", w.lineStarts, perSecond(f.Achieved))
		}
		put("%s %s/s", w.lineTurns, count(f.Last.Turns))
		put("%s %s", w.lineFlight, count(f.InFlight))
		put("P50 %s", millis(f.Last.P50))
		name, tail := f.Last.tail()
		put("%s %s", name, millis(tail))
		c := f.Last.classes()
		put("%s %s", w.ok, share(c.ok, c.n))
		put("%s %s", w.lesser, share(c.lesser, c.n))
		put("%s %s", w.bad, share(c.bad, c.n))
		switch s := f.Seconds; {
		case s.Bad > s.Budget:
			put(w.lineOver, s.Bad, s.Budget)
		case s.Budget > 0: // a short run allows none, and so long nothing is to be said of it
			put(w.lineBudget, s.Budget-s.Bad, s.Budget)
		}
	}
	for _, o := range f.Observed {
		put("%s %s", inert(o.Name, 24), inert(observedText(o), 40))
	}
	if s, when, ok := stormAt(f.Storms, f.Elapsed, 0); ok && when == stormOn && f.Phase != Starting {
		put("%s %s", w.lineStorm, inert(s.Name, 40))
	}
	if len(f.Generator.Reason) > 0 {
		put("%s %s", w.lineInvalid, inert(f.Generator.Reason.Text(w.lang), 80))
	}
	if f.Stopping {
		put("%s", w.lineStopping)
	}
	return b.String()
}

// inert is clean for a CI log: some systems obey "##[" and "##vso[" anywhere in a line.
func inert(s string, width int) string {
	s = clean(s, width)
	for strings.Contains(s, "##") {
		s = strings.ReplaceAll(s, "##", "# #")
	}
	return s
}

// Lines prints frames as lines, one for each second of the load at most. Its
// methods are safe for concurrent use.
type Lines struct {
	lang reason.Lang
	out  io.Writer
	next chan string
	quit chan struct{}
	done chan struct{}
	once sync.Once

	mu     sync.Mutex
	last   time.Duration // second of the newest line
	anyone bool
}

// NewLines starts a writer of lines; Quit ends it. A write error ends it too, quietly:
// the run goes on without.
func NewLines(out io.Writer, lang reason.Lang) *Lines {
	l := &Lines{lang: lang, out: out, next: make(chan string, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go l.write()
	return l
}

// Update hands over the newest frame. It never blocks: when the reader of the
// lines is slow, lines are left out.
func (l *Lines) Update(f Frame) {
	second := f.Elapsed / time.Second
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.anyone && second <= l.last {
		return
	}
	select {
	case l.next <- Line(f, l.lang):
		l.last, l.anyone = second, true
	default:
	}
}

// Quit writes the line still held and ends the writer, within a second even
// when nobody reads. Update may still be called and does nothing.
func (l *Lines) Quit() {
	l.once.Do(func() { close(l.quit) })
	grace := time.NewTimer(quitGrace)
	defer grace.Stop()
	select {
	case <-l.done:
	case <-grace.C:
	}
}

func (l *Lines) write() {
	defer close(l.done)
	for {
		select {
		case text := <-l.next:
			if _, err := io.WriteString(l.out, text+"\n"); err != nil {
				return
			}
		case <-l.quit:
			select {
			case text := <-l.next:
				_, _ = io.WriteString(l.out, text+"\n")
			default:
			}
			return
		}
	}
}
