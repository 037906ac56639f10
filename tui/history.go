package tui

import (
	"math"
	"time"
)

// feed is the mailbox of a run: the newest frame, and the course of the run.
type feed struct {
	mailbox

	frame   Frame
	history history
}

func newFeed() *feed {
	return &feed{mailbox: mailbox{fresh: make(chan struct{}, 1)}, history: history{step: 1}}
}

// Update hands over the newest frame. It never blocks.
func (d *feed) Update(f Frame) {
	d.put(func() {
		d.frame = f
		// The frame at 12.3 s tells of the second from 11 s to 12 s.
		if second := int(f.Elapsed/time.Second) - 1; f.Phase != Starting {
			c := f.Last.classes()
			_, tail := f.Last.tail()
			d.history.record(second, point{starts: f.Achieved, tail: tail, p99: f.Last.P99, n: c.n, bad: c.bad})
		}
	})
}

// point is what the charts keep of a second.
type point struct {
	starts float64
	tail   time.Duration // the highest quantile known, see Window.tail; 0: none is
	p99    time.Duration // 0: too few answers
	n, bad int64
}

// maxPoints bounds the history: when it is full, pairs are merged and each
// point stands for twice as many seconds.
const maxPoints = 4096

// history is the whole run, a point for every `step` seconds.
type history struct {
	step   int
	points []tally
	second int // of latest, which is not in points yet; it may come again with better figures
	latest point
	begun  bool
}

// tally is the merged points of one step.
type tally struct {
	starts  float64 // sum
	seconds int     // merged; 0 where nothing is known
	tail    time.Duration
	p99     time.Duration
	n, bad  int64
}

func (t *tally) add(p point) {
	t.starts += p.starts
	t.seconds++
	t.tail, t.p99 = max(t.tail, p.tail), max(t.p99, p.p99)
	t.n += p.n
	t.bad += p.bad
}

func (t *tally) merge(o tally) {
	t.starts += o.starts
	t.seconds += o.seconds
	t.tail, t.p99 = max(t.tail, o.tail), max(t.p99, o.p99)
	t.n += o.n
	t.bad += o.bad
}

// record keeps a second's point. The same second replaces itself; an earlier
// one, or one beyond any run, is ignored.
func (h *history) record(second int, p point) {
	if second < 0 || second < h.second || second > 1<<26 {
		return
	}
	if h.begun && second > h.second {
		h.settle()
	}
	h.begun, h.second, h.latest = true, second, p
}

func (h *history) settle() {
	for h.second/h.step >= maxPoints {
		h.fold()
	}
	i := h.second / h.step
	for len(h.points) <= i {
		h.points = append(h.points, tally{})
	}
	h.points[i].add(h.latest)
}

func (h *history) fold() {
	half := (len(h.points) + 1) / 2
	for i := range half {
		t := h.points[2*i]
		if 2*i+1 < len(h.points) {
			t.merge(h.points[2*i+1])
		}
		h.points[i] = t
	}
	h.points = h.points[:half]
	h.step *= 2
}

// columns spreads the run over n columns, total from edge to edge, up to
// elapsed. A column wider than a second merges its seconds; one narrower
// repeats its second.
func (h *history) columns(n int, total, elapsed time.Duration) []tally {
	if n <= 0 || total <= 0 {
		return nil
	}
	width := total.Seconds() / float64(n)
	known := math.Floor(elapsed.Seconds())
	cols := make([]tally, 0, n)
	for c := range n {
		from := int(float64(c) * width)
		to := max(from+1, int(math.Ceil(float64(c+1)*width)))
		if float64(c)*width >= known {
			break
		}
		cols = append(cols, h.between(from, to))
	}
	return cols
}

// between merges the steps that begin in [from, to) or hold from.
func (h *history) between(from, to int) tally {
	var t tally
	for i := from / h.step; i < len(h.points) && (i*h.step < to); i++ {
		t.merge(h.points[i])
	}
	if h.begun && h.second >= from && h.second < to {
		t.add(h.latest)
	}
	return t
}
