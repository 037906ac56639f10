package crew

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Shard processes talk to their parent in frames: length (u32, little endian,
// of what follows), kind (one byte), payload.
const (
	frameReady    = 'r' // child: it can start
	frameInterval = 'i' // child: an interval, measure.Snapshot's binary form
	frameCounters = 'c' // child: Counters, JSON
	frameTurns    = 't' // child: a measure.Selection, and turns of it in measure's binary form
	frameEnding   = 'f' // child: its Ending, JSON
	frameError    = 'e' // child: it cannot, and why
	frameJob      = 'j' // parent: the Job, JSON
	frameStop     = 's' // parent: start no more conversations
	frameNow      = 'n' // parent: end at once
)

// mostFrame bounds a frame; intervals of a long run are some 100 KiB.
const mostFrame = 64 << 20

// Job is what a shard process is to do.
type Job struct {
	Scenario string          `json:"scenario"` // resolved YAML
	Dir      string          `json:"dir"`
	Target   scenario.Target `json:"target"` // as the driver is to use it, credentials and all
	RunID    string          `json:"run_id"`
	Shard    int             `json:"shard"`
	Shards   int             `json:"shards"`
	StartsAt int64           `json:"starts_at_unix_ns"`
	Local    bool            `json:"local"` // the target runs on this machine
	// Turns are the selections of turns that are told one by one.
	Turns []measure.Selection `json:"turns,omitempty"`
}

// Ending is what a shard process knows when its load is over, beside the turns.
// Stops that its parent passed on interrupted nothing.
type Ending struct {
	Facts    *measure.Facts `json:"facts"`
	Warnings reason.Reasons `json:"warnings,omitempty"`
	Crash    *load.Crash    `json:"crash,omitempty"`
	// Untold is how many turns of each selection were to be told and could not be.
	Untold map[measure.Selection]int64 `json:"untold,omitempty"`
}

// Counters are a load's live ones.
type Counters struct {
	InFlight      int64 `json:"in_flight"`
	Conversations int64 `json:"conversations"`
	Started       int64 `json:"started"`
}

// Plus is the sum of both.
func (c Counters) Plus(o Counters) Counters {
	return Counters{c.InFlight + o.InFlight, c.Conversations + o.Conversations, c.Started + o.Started}
}

// framer writes frames, whole ones, from any goroutine.
type framer struct {
	mu sync.Mutex
	w  io.Writer
}

func (f *framer) send(kind byte, payload []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	head := binary.LittleEndian.AppendUint32(make([]byte, 0, 5), uint32(len(payload)+1))
	if _, err := f.w.Write(append(head, kind)); err != nil {
		return err
	}
	_, err := f.w.Write(payload)
	return err
}

func (f *framer) sendJSON(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return f.send(kind, b)
}

// readFrame gives the next frame; io.EOF at a clean end.
func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n == 0 || n > mostFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return b[0], b[1:], nil
}

// pending adds up the intervals that arrived since the last cut.
type pending struct {
	mu   sync.Mutex
	plan *measure.Plan
	sum  *measure.Snapshot
	errs []error
	told []time.Duration // by member: up to when it told
	news chan struct{}   // somebody told
}

func newPending(plan *measure.Plan, members int) *pending {
	return &pending{plan: plan, sum: measure.NewInterval(plan), told: make([]time.Duration, members), news: make(chan struct{}, 1)}
}

// add takes an interval of member i.
func (p *pending) add(i int, s *measure.Snapshot) {
	defer p.hear(i, s.Elapsed)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.sum.Add(s); err != nil {
		p.errs = append(p.errs, err)
	}
}

// hear notes up to when member i told.
func (p *pending) hear(i int, until time.Duration) {
	p.mu.Lock()
	p.told[i] = max(p.told[i], until)
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default: // it is known that there is some
	}
}

// gone notes that nothing more comes from member i.
func (p *pending) gone(i int) { p.hear(i, math.MaxInt64) }

// whole tells whether every member told up to a time.
func (p *pending) whole(until time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Min(p.told) >= until
}

// await returns when every member told up to a time, or within has passed. It
// is for one goroutine.
func (p *pending) await(until, within time.Duration) {
	late := time.NewTimer(within)
	defer late.Stop()
	for !p.whole(until) {
		select {
		case <-p.news:
		case <-late.C:
			return
		}
	}
}

// cut gives the sum and begins a new one.
func (p *pending) cut() (*measure.Snapshot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := p.sum, errors.Join(p.errs...)
	p.sum, p.errs = measure.NewInterval(p.plan), nil
	return s, err
}
