package measure

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// The binary form of a snapshot: unsigned varints throughout, arrays that are
// mostly zero as a bit set and the rest, histograms as populated buckets.

// appendSnapshot appends what s holds, less its plan.
func appendSnapshot(b []byte, s *Snapshot) []byte {
	b = appendInt(b, int64(s.Elapsed))
	b = appendInt(b, int64(s.First))
	b = appendInt(b, int64(len(s.Seconds)))
	for i := range s.Seconds {
		b = appendSecond(b, &s.Seconds[i])
	}
	for _, h := range s.Timings[:FirstReasoning] {
		b = appendHistogram(b, h)
	}
	for _, h := range s.ByOutcome {
		b = appendHistogram(b, h)
	}
	for _, slot := range s.Slots {
		b = appendInt(b, slot.Turns)
		b = appendInt(b, slot.Answered)
		b = appendHistogram(b, slot.Response)
	}
	for _, list := range [][]int64{
		s.Counts[:], s.Tiers[:], s.Conversations[:],
		{s.Excluded, s.Planned, s.Started, s.Planted, s.Verified, s.NotVerified, s.Unlisted},
	} {
		b = appendSparse(b, list)
	}
	b = appendInt(b, int64(len(s.Failures)))
	for i := range s.Failures {
		b = appendFailure(b, &s.Failures[i])
	}
	for i := range s.TierTimes {
		b = appendSketch(b, &s.TierTimes[i])
	}
	b = appendHistogram(b, s.Timings[FirstReasoning])
	b = s.Clusters.appendTo(b, s.Plan)
	b = s.AnsweredBands.appendTo(b)
	b = s.FailedBands.appendTo(b)
	b = appendServer(b, s.Server)
	b = appendPositions(b, s.Seconds)
	b = appendHistogram(b, s.Timings[TokenTime])
	b = s.Usage.appendTo(b)
	for i := range s.Plan.Groups {
		b = appendSparse(b, s.Groups[i].Outcomes[:])
		b = appendSketch(b, &s.Groups[i].Response)
	}
	return b
}

func appendInt(b []byte, v int64) []byte { return binary.AppendUvarint(b, uint64(max(v, 0))) }

func appendText(b []byte, s string) []byte {
	s = plain(s)
	return append(appendInt(b, int64(len(s))), s...)
}

// appendSparse appends which of at most 64 values are not zero, and those.
func appendSparse[T int64 | uint32](b []byte, values []T) []byte {
	var set uint64
	for i, v := range values {
		if v > 0 {
			set |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, set)
	for _, v := range values {
		if v > 0 {
			b = binary.AppendUvarint(b, uint64(v))
		}
	}
	return b
}

func appendSecond(b []byte, s *Second) []byte {
	b = binary.AppendUvarint(b, uint64(s.Starts))
	b = appendSparse(b, []uint32{s.Flow.Answers, s.Flow.Lost, s.Flow.LostEnd, s.Flow.Late, s.Flow.LateEnd})
	b = appendSparse(b, s.Outcomes[:])
	b = appendSparse(b, s.Tiers[:])
	b = appendInt(b, int64(len(s.Budgets)))
	for _, c := range s.Budgets {
		b = binary.AppendUvarint(b, uint64(c.N))
		b = binary.AppendUvarint(b, uint64(c.Bad))
	}
	b = appendSketch(b, &s.Response)
	return appendSketch(b, &s.Lag)
}

func appendSketch(b []byte, s *Sketch) []byte {
	b = appendInt(b, int64(len(s.cells)))
	last := uint64(0)
	for _, c := range s.cells {
		b = binary.AppendUvarint(b, c>>32-last)
		b = binary.AppendUvarint(b, uint64(uint32(c)))
		last = c >> 32
	}
	return b
}

func appendHistogram(b []byte, h *Histogram) []byte {
	b = appendInt(b, h.N())
	if h.N() == 0 {
		return b
	}
	b = appendInt(b, h.exact.sum)
	b = appendInt(b, h.exact.min)
	b = appendInt(b, h.exact.max)
	b = appendInt(b, h.clamped)
	b = appendInt(b, int64(h.packed.Populated()))
	last := uint64(0)
	for v, n := range h.Buckets {
		i := bucketIndex(v)
		b = binary.AppendUvarint(b, i-last)
		b = appendInt(b, n)
		last = i
	}
	return b
}

// An HdrHistogram of 1 µs at 3 digits counts in units of 512 ns: 2048 buckets of
// one unit, then 1024 buckets for every doubling.
const (
	unitBits   = 9
	bucketBits = 11
)

// bucketIndex numbers the buckets, ascending and without holes.
func bucketIndex(v time.Duration) uint64 {
	u := uint64(v) >> unitBits
	if u < 1<<bucketBits {
		return u
	}
	shift := bits.Len64(u) - bucketBits
	return uint64(shift)<<(bucketBits-1) + u>>shift
}

// bucketValue is the least value of a bucket.
func bucketValue(i uint64) int64 {
	if i < 1<<bucketBits {
		return int64(i << unitBits)
	}
	shift := i>>(bucketBits-1) - 1
	return int64((i - shift<<(bucketBits-1)) << shift << unitBits)
}

func appendFailure(b []byte, f *FailureCount) []byte {
	b = append(b, byte(f.Outcome))
	b = appendText(b, f.Message)
	b = appendInt(b, f.Count)
	b = append(b, byte(f.First.Outcome))
	b = appendText(b, f.First.Message)
	b = appendInt(b, int64(f.First.At))
	b = appendText(b, f.First.Conversation)
	b = appendInt(b, int64(f.First.Turn))
	b = appendInt(b, int64(f.First.Status))
	return appendText(b, f.First.TraceID)
}
