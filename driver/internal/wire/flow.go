package wire

import (
	"errors"
	"io"
	"iter"
)

// flow undoes the coding of a stream as it comes: each piece gives at once what
// can be read of it. The decoder is a coroutine that is left where it would wait
// for more.
type flow struct {
	x     *Exchange
	in    []byte // come and not read yet
	over  bool   // no more comes
	yield func(struct{}) bool
	next  func() (struct{}, bool)
	stop  func()
	fault Fault
	cut   bool // it ended before its coding did

	taken, given int
	limits       *Limits
	kept         bool // the plain stream is kept in x.plain, for a person to see
}

// leastRatio is what a stream may grow to whatever its ratio.
const leastRatio = 4 << 10

func newFlow(x *Exchange, t *Target) *flow {
	f := &flow{x: x, limits: &t.Limits, kept: t.Verbatim}
	f.next, f.stop = iter.Pull(f.run)
	return f
}

// feed takes a piece.
func (f *flow) feed(piece []byte) Fault {
	f.in = piece
	f.taken += len(piece)
	f.next()
	return f.fault
}

// end says that no more comes.
func (f *flow) end() Fault {
	f.over = true
	f.next()
	return f.fault
}

var errStopped = errors.New("nobody listens any more")

// Read gives the decoder what came, and waits for more.
func (f *flow) Read(p []byte) (int, error) {
	for len(f.in) == 0 {
		if f.over {
			return 0, io.EOF
		}
		if !f.yield(struct{}{}) {
			return 0, errStopped
		}
	}
	n := copy(p, f.in)
	f.in = f.in[n:]
	return n, nil
}

// run is the coroutine.
func (f *flow) run(yield func(struct{}) bool) {
	f.yield = yield
	c := &f.x.Head.codings
	var sum [maxCodings]int
	h, err := c.open(f, func(stage, n int) bool {
		sum[stage] += n
		return sum[stage] <= min(f.limits.Body, max(f.limits.Ratio*f.taken, leastRatio))
	})
	if err == nil {
		err = f.pump(h.out)
		h.close()
	}
	f.cut = !errors.Is(err, io.EOF)
	switch {
	case f.fault.Bad(), f.x.Events.Ended(), err == errStopped, ended(err, f.given > 0), f.taken == 0: //nolint:errorlint // as in undo
	case err == errBomb: //nolint:errorlint // as in undo
		f.fault = NewFault(Oversized, "the stream is larger than the limit once decompressed")
	default:
		f.fault = NewFault(Malformed, "the stream is not valid "+c.list[c.n-1].String())
	}
}

// pump hands on what the decoder gives.
func (f *flow) pump(out io.Reader) error {
	var room [4 << 10]byte
	for {
		n, err := out.Read(room[:])
		if n > 0 {
			f.given += n
			if f.kept {
				f.x.plain = append(f.x.plain, room[:n]...)
			}
			if f.fault = f.x.Events.Feed(room[:n]); f.fault.Bad() {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}
