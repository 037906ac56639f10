package load

import (
	"iter"
	"math"
	"sync"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Schedule says when conversations are meant to start: pure mathematics, fixed
// before the run. In the open model starts arrive at the rate λ(t) of the
// stages, linear within each. With Λ(t) = ∫₀ᵗ λ, start k is intended at
//
//	constant:  Λ⁻¹(k)                 k = 0, 1, … while k < Λ(T)
//	poisson:   Λ⁻¹(E₀ + … + E_k)      E_i exponential of mean 1, from hash(seed, i)
//
//	gamma:     the same with E_i gamma distributed, of mean 1 and the shape given:
//	           below 1 starts come in bursts, 1 is poisson, far above constant
//
// The second is the inversion of the integrated rate function, exact for any
// rate (Çinlar: Introduction to Stochastic Processes, 1975, ch. 4.7).
//
//	Λ │        ╭───      each start is one step up;
//	k ┤- - - -╱          its time is read off below
//	  │   ___╱│
//	  └───────┴── t
//
// With a number of conversations it ends with that start, and has as many.
// In the closed model there are no arrivals: users loop, see Users.
//
// A Schedule is a value, read-only and safe for concurrent use.
type Schedule struct {
	seed    uint64
	open    bool
	shape   float64 // of the increments, see gamma; 0: none are drawn
	ramps   []ramp
	stages  []measure.Stage
	shard   int
	shards  int
	limit   int64 // starts in all, or of users conversations; 0: as many as there is room for
	count   *count
	stretch *stretch // the same for all shards
}

// ramp is a stage as the mathematics sees it: a level that goes from from to to.
type ramp struct {
	start, length float64 // seconds
	from, to      float64 // starts per second, or users
	before        float64 // ∫ of all ramps before
	area          float64 // ∫ of this one
}

// count is computed at most once per schedule: an hour of Poisson arrivals has
// to be walked to be counted.
type count struct {
	once sync.Once
	n    int64
}

// stretch is computed at most once per schedule as well.
type stretch struct {
	once   sync.Once
	factor float64
}

// slack forgives the rounding of Λ: 5/s for 10 s are 50 starts, not 51.
const slack = 1e-6

// NewSchedule computes the schedule of load under seed, unsharded. The load
// must have passed validation: at least one stage, all of one kind.
func NewSchedule(load *scenario.Load, seed uint64) Schedule {
	s := Schedule{seed: seed, open: load.Open(), shape: shapeOf(load), shards: 1, limit: int64(load.Conversations), count: new(count), stretch: new(stretch)}
	var at time.Duration
	sum := 0.0
	for i := range load.Stages {
		stage := &load.Stages[i]
		r := ramp{start: at.Seconds(), length: time.Duration(stage.For).Seconds(), before: sum}
		switch {
		case stage.Starts != nil:
			r.from, r.to = float64(stage.Starts.From), float64(stage.Starts.To)
		case stage.Users != nil:
			r.from, r.to = float64(stage.Users.From), float64(stage.Users.To)
		}
		r.area = (r.from + r.to) / 2 * r.length
		sum += r.area
		end := at + time.Duration(stage.For)
		s.stages = append(s.stages, measure.Stage{Name: stage.Name, Start: at, End: end, Judged: stage.Judged == nil || *stage.Judged})
		s.ramps = append(s.ramps, r)
		at = end
	}
	return s
}

// Shard gives shard i of n: the starts k with k mod n == i, the users u with
// u mod n == i. The union of all shards is the schedule itself.
func (s Schedule) Shard(i, n int) Schedule {
	s.shard, s.shards, s.count = i, max(n, 1), new(count)
	return s
}

// Open tells whether conversations arrive at a rate; else users loop.
func (s Schedule) Open() bool { return s.open }

// Stages are the stages in intended time, as the recorder wants them.
func (s Schedule) Stages() []measure.Stage { return s.stages }

// Total is how long the stages last together.
func (s Schedule) Total() time.Duration {
	if len(s.stages) == 0 {
		return 0
	}
	return s.stages[len(s.stages)-1].End
}

// Len is how many starts Starts yields. 0 in the closed model.
func (s Schedule) Len() int64 {
	s.count.once.Do(func() {
		for range s.Starts() {
			s.count.n++
		}
	})
	return s.count.n
}

// Starts yields this shard's conversations with the offset at which each is
// intended to start, in order of time. Nothing in the closed model.
func (s Schedule) Starts() iter.Seq2[int64, time.Duration] {
	return func(yield func(int64, time.Duration) bool) {
		for c := s.cursor(); ; {
			k, at, ok := c.next()
			if !ok || !yield(k, at) {
				return
			}
		}
	}
}

// PerSecond is how many starts the schedule intends in each second (open), or
// how many users loop at its start (closed): the preview of a plan.
func (s Schedule) PerSecond() []int64 {
	seconds := make([]int64, int(math.Ceil(s.Total().Seconds())))
	if !s.open {
		for t := range seconds {
			seconds[t] = int64(s.users(float64(t)))
		}
		return seconds
	}
	for _, at := range s.Starts() {
		seconds[min(int(at/time.Second), len(seconds)-1)]++
	}
	return seconds
}

// Level is the rate of starts per second (open) or the number of users (closed)
// intended at offset t, of the whole schedule; 0 outside of it.
func (s Schedule) Level(t time.Duration) float64 {
	sec := t.Seconds()
	for _, r := range s.ramps {
		if sec >= r.start && sec < r.start+r.length {
			return r.level(sec - r.start)
		}
	}
	return 0
}

func (s Schedule) area() float64 {
	if len(s.ramps) == 0 {
		return 0
	}
	last := s.ramps[len(s.ramps)-1]
	return last.before + last.area
}

func (r *ramp) level(sec float64) float64 {
	return r.from + (r.to-r.from)*sec/r.length
}

// when inverts the area: the seconds into the ramp after which it is x.
// from·t + a·t²/2 = x solved for t, in the form that neither cancels nor
// divides by a slope of zero.
func (r *ramp) when(x float64) float64 {
	if x <= 0 {
		return 0
	}
	slope := (r.to - r.from) / r.length
	// The conversions keep a compiler from fusing multiply and add: every
	// machine must compute the same schedule.
	root := math.Sqrt(math.Max(float64(r.from*r.from)+float64(2*slope*x), 0))
	if r.from+root == 0 {
		return r.length
	}
	return math.Min(2*x/(r.from+root), r.length)
}

// cursor walks the starts of one shard. Not safe for concurrent use.
type cursor struct {
	s      Schedule
	k      int64
	sum    float64 // of increments
	ramp   int
	end    float64
	factor float64 // on sum
}

func (s Schedule) cursor() *cursor {
	c := &cursor{s: s, factor: 1}
	if s.open {
		c.end = s.area() - slack
		c.factor = s.stretched()
		if c.factor != 1 {
			// The limit ends it: a last increment of nearly 0, which small shapes
			// have often, puts the last start on the end itself.
			c.end = math.Inf(1)
		}
	}
	return c
}

// stretched is by what the sums of increments are multiplied so that a limited
// number of starts fits into the stages. Of n arrivals that are known to fall into
// (0, A) the times in Λ are A·S_k/S_{n+1} with S the sums of n + 1 exponentials:
// where chance has too few starts, it is asked for those of a Poisson process that
// has as many.
func (s Schedule) stretched() float64 {
	s.stretch.once.Do(func() {
		s.stretch.factor = 1
		if s.limit == 0 || !s.random() {
			return
		}
		sum, end := 0.0, s.area()-slack
		for k := range s.limit {
			sum += s.increment(k)
		}
		if sum >= end {
			s.stretch.factor = end / (sum + s.increment(s.limit))
		}
	})
	return s.stretch.factor
}

// random tells whether the starts are drawn.
func (s Schedule) random() bool { return s.shape > 0 }

// increment is the draw between start k − 1 and start k, of mean 1.
func (s Schedule) increment(k int64) float64 {
	random := draw(s.seed, k, forArrival)
	if s.shape == 1 {
		return exponential(random)
	}
	return gamma(random, s.shape) / s.shape
}

// shapeOf is the shape of the increments: exponential ones have 1.
func shapeOf(load *scenario.Load) float64 {
	switch load.Arrivals {
	case scenario.ArrivalsConstant:
		return 0
	case scenario.ArrivalsGamma:
		return load.Shape
	case scenario.ArrivalsPoisson:
	}
	return 1
}

// next gives the next start of the shard.
func (c *cursor) next() (k int64, at time.Duration, ok bool) {
	for {
		x := float64(c.k)
		if c.s.random() {
			c.sum += c.s.increment(c.k)
			x = c.sum * c.factor
		}
		if x >= c.end || c.s.limit > 0 && c.k >= c.s.limit {
			c.end = 0 // stays ended
			return 0, 0, false
		}
		k = c.k
		c.k++
		if k%int64(c.s.shards) == int64(c.s.shard) {
			return k, c.at(x), true
		}
	}
}

// at is Λ⁻¹(x), for x that never decreases from call to call.
func (c *cursor) at(x float64) time.Duration {
	ramps := c.s.ramps
	for c.ramp < len(ramps)-1 && x >= ramps[c.ramp].before+ramps[c.ramp].area {
		c.ramp++
	}
	r := &ramps[c.ramp]
	at := c.s.stages[c.ramp].Start + time.Duration(math.Round(r.when(x-r.before)*1e9))
	// A start belongs to its stage, [Start, End), whatever rounding says.
	return min(at, c.s.stages[c.ramp].End-1)
}
