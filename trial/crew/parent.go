package crew

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/cstest/cstest/measure"
)

// Parent is the shard's side of the talk with the process that started it. Safe
// for concurrent use, but for Stops.
type Parent struct {
	in io.Reader
	f  *framer
}

// NewParent is the parent that writes in and reads out.
func NewParent(in io.Reader, out io.Writer) *Parent { return &Parent{in, &framer{w: out}} }

// Job waits for what is to be done.
func (p *Parent) Job() (job Job, err error) {
	kind, payload, err := readFrame(p.in)
	if err == nil && kind != frameJob {
		err = fmt.Errorf("a frame of kind %q", kind)
	}
	if err != nil {
		return job, fmt.Errorf("no job: %w", err)
	}
	return job, json.Unmarshal(payload, &job)
}

// Stops gives the contexts of a load: graceful is done when no conversation may
// start any more, now when everything must end, for the parent says so or is
// gone. It reads on until then; release ends the contexts.
func (p *Parent) Stops(ctx context.Context) (now, graceful context.Context, release func()) {
	now, end := context.WithCancel(ctx)
	graceful, stop := context.WithCancel(now)
	go func() {
		for {
			switch kind, _, err := readFrame(p.in); {
			case err != nil || kind == frameNow:
				end()
				return
			case kind == frameStop:
				stop()
			}
		}
	}()
	return now, graceful, func() { stop(); end() }
}

// Ready says that the load can start.
func (p *Parent) Ready() error { return p.f.send(frameReady, nil) }

// Second tells of an interval. The counters go first: the interval has the parent cut.
func (p *Parent) Second(c Counters, last *measure.Snapshot) error {
	b, err := last.AppendBinary(nil)
	return errors.Join(err, p.f.sendJSON(frameCounters, c), p.f.send(frameInterval, b))
}

// Turns tells of turns of a selection, in measure's binary form.
func (p *Parent) Turns(which measure.Selection, turns []byte) error {
	return p.f.send(frameTurns, append([]byte{byte(which)}, turns...))
}

// End says how it ended.
func (p *Parent) End(e Ending) error { return p.f.sendJSON(frameEnding, e) }

// Fail says that the job cannot be done, and why.
func (p *Parent) Fail(why error) error { return p.f.send(frameError, []byte(why.Error())) }
