package measure

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
	"unicode/utf8"
)

// errDamaged is the error of bytes that no snapshot encodes to.
var errDamaged = errors.New("not a snapshot of this plan")

// The largest counts that are believed: far above any run, and so far below
// 2^63 that the intervals of a run cannot overflow a sum.
const (
	mostCounted = 1 << 44
	mostTime    = int64(math.MaxInt64)
)

// decoder reads what appendSnapshot wrote. After the first error it reads zeros.
type decoder struct {
	b   []byte
	bad bool
	// old: written before there were turns that had to be refused.
	old bool
}

func (d *decoder) fail() {
	d.bad = true
	d.b = nil
}

// int reads a value of at most limit.
func (d *decoder) int(limit int64) int64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > uint64(limit) {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return int64(v)
}

func (d *decoder) byte(limit byte) byte {
	if len(d.b) == 0 || d.b[0] > limit {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) text() string {
	n := d.int(messageLimit + 2)
	if n > int64(len(d.b)) || !utf8.Valid(d.b[:n]) {
		d.fail()
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// length reads how many items follow that take at least a byte each.
func (d *decoder) length(limit int) int {
	n := d.int(int64(limit))
	if n > int64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

// decodeSnapshot reads a snapshot of a plan. What it reads has been through
// appendSnapshot, or it errs; it never allocates much more than b holds.
func decodeSnapshot(b []byte, plan *Plan) (*Snapshot, error) {
	return (&decoder{b: b}).snapshot(plan)
}

// snapshot reads all that is left.
func (d *decoder) snapshot(plan *Plan) (*Snapshot, error) {
	s := NewSnapshot(plan)
	s.Elapsed = time.Duration(d.int(mostTime))
	seconds := plan.Seconds() + 1
	s.First = int(d.int(int64(seconds)))
	s.Seconds = make([]Second, d.length(seconds-s.First))
	for i := range s.Seconds {
		d.second(&s.Seconds[i], len(plan.Budgets))
	}
	if len(s.Seconds) == 0 {
		s.Seconds = nil
	}
	for i := range s.Timings[:FirstReasoning] {
		s.Timings[i] = d.histogram()
	}
	for i := range d.outcomes() {
		if h := d.histogram(); h.N() > 0 {
			s.ByOutcome[d.outcome(i)] = h
		}
	}
	for i := range s.Slots {
		s.Slots[i] = SlotTally{d.int(mostCounted), d.int(mostCounted), d.histogram()}
		if d.bad {
			return nil, errDamaged
		}
	}
	var rest [7]int64
	decodeOutcomes(d, &s.Counts, mostCounted)
	for _, list := range [][]int64{s.Tiers[:], s.Conversations[:], rest[:]} {
		decodeSparse(d, list, mostCounted)
	}
	s.Excluded, s.Planned, s.Started, s.Planted = rest[0], rest[1], rest[2], rest[3]
	s.Verified, s.NotVerified, s.Unlisted = rest[4], rest[5], rest[6]
	if n := d.length(Outcomes * FailuresPerOutcome); n > 0 {
		s.Failures = make([]FailureCount, n)
	}
	for i := range s.Failures {
		d.failure(&s.Failures[i])
	}
	if len(d.b) > 0 { // else it was written before there were times by tier
		for i := range s.TierTimes {
			s.TierTimes[i] = d.sketch()
		}
	}
	if len(d.b) > 0 { // likewise
		s.Timings[FirstReasoning] = d.histogram()
	}
	if len(d.b) > 0 { // else before it was counted how bad turns fall together
		d.clusters(&s.Clusters, plan)
	}
	if len(d.b) > 0 { // else before response times had phases
		d.bands(&s.AnsweredBands)
		d.bands(&s.FailedBands)
		s.Server = d.server()
	}
	if len(d.b) > 0 { // else before turns were told apart over time
		d.positions(s.Seconds)
	}
	if len(d.b) > 0 { // else before models' tokens were counted
		s.Timings[TokenTime] = d.histogram()
		d.usage(&s.Usage)
	}
	for i := range plan.Groups { // a plan that has some was written with them
		decodeOutcomes(d, &s.Groups[i].Outcomes, mostCounted)
		s.Groups[i].Response = d.sketch()
	}
	if d.bad || len(d.b) != 0 {
		return nil, errDamaged
	}
	return s, nil
}

func decodeSparse[T int64 | uint32](d *decoder, values []T, limit int64) {
	set, n := binary.Uvarint(d.b)
	if n <= 0 || set>>len(values) != 0 {
		d.fail()
		return
	}
	d.b = d.b[n:]
	for i := range values {
		if set&(1<<i) != 0 {
			values[i] = T(d.int(limit))
		}
	}
}

// outcomes is how many there were when d was written.
func (d *decoder) outcomes() int {
	if d.old {
		return Outcomes - 2
	}
	return Outcomes
}

// outcome gives the one that was the i-th when d was written.
func (d *decoder) outcome(i int) Outcome {
	if d.old && i >= int(Refused) {
		i += 2
	}
	return Outcome(i)
}

func decodeOutcomes[T int64 | uint32](d *decoder, values *[Outcomes]T, limit int64) {
	var written [Outcomes]T
	decodeSparse(d, written[:d.outcomes()], limit)
	for i, n := range written[:d.outcomes()] {
		values[d.outcome(i)] = n
	}
}

func (d *decoder) second(s *Second, budgets int) {
	s.Starts = uint32(d.int(math.MaxUint32))
	var flow [5]uint32
	decodeSparse(d, flow[:], math.MaxUint32)
	s.Flow = Flow{flow[0], flow[1], flow[2], flow[3], flow[4]}
	decodeOutcomes(d, &s.Outcomes, math.MaxUint32)
	decodeSparse(d, s.Tiers[:], math.MaxUint32)
	switch n := d.length(budgets); n {
	case 0:
	case budgets:
		s.Budgets = make([]BudgetCount, n)
	default:
		d.fail()
	}
	for i := range s.Budgets {
		s.Budgets[i].N = uint32(d.int(math.MaxUint32))
		s.Budgets[i].Bad = uint32(d.int(int64(s.Budgets[i].N)))
	}
	s.Response, s.Lag = d.sketch(), d.sketch()
}

func (d *decoder) sketch() (s Sketch) {
	n := d.length(sketchCells)
	if n == 0 {
		return s
	}
	s.cells = make([]uint64, n)
	last := int64(-1)
	for i := range s.cells {
		step := d.int(sketchCells)
		cell := max(last, 0) + step
		count := d.int(math.MaxUint32)
		if cell <= last || cell >= sketchCells || count == 0 {
			d.fail()
			return Sketch{}
		}
		s.cells[i] = uint64(cell)<<32 | uint64(count)
		last = cell
	}
	s.n = s.count()
	return s
}

func (d *decoder) histogram() *Histogram {
	h := NewHistogram()
	n := d.int(mostCounted)
	if n == 0 {
		return h
	}
	h.exact = exact{n: n, sum: d.int(mostTime), min: d.int(mostTime), max: d.int(mostTime)}
	h.clamped = d.int(n)
	buckets := d.length(1 << 16)
	last := int64(-1)
	for range buckets {
		index := max(last, 0) + d.int(1<<16)
		count := d.int(n)
		if index <= last || count == 0 || h.packed.RecordValues(bucketValue(uint64(index)), count) != nil {
			d.fail()
			break
		}
		last = index
	}
	if d.bad || h.packed.TotalCount() != n || h.exact.min > h.exact.max {
		d.fail()
		return NewHistogram()
	}
	return h
}

func (d *decoder) failure(f *FailureCount) {
	f.Outcome = d.outcome(int(d.byte(byte(d.outcomes() - 1))))
	f.Message = d.text()
	f.Count = d.int(mostCounted)
	f.First.Outcome = d.outcome(int(d.byte(byte(d.outcomes() - 1))))
	f.First.Message = d.text()
	f.First.At = time.Duration(d.int(mostTime))
	f.First.Conversation = d.text()
	f.First.Turn = int(d.int(math.MaxInt32))
	f.First.Status = int(d.int(math.MaxInt32))
	f.First.TraceID = d.text()
}
