package hdrlog

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cstest/cstest/measure"
)

// span is a bucket of some histogram: 2^width values that count as the same, the
// first of which is a multiple of 2^width, as width<<spanBits | first>>width. At
// five digits first>>width has 18 bits.
type span uint32

const spanBits = 18

func newSpan(low int64, width int) span { return span(width)<<spanBits | span(low>>width) }

func (s span) low() int64 { return int64(s&(1<<spanBits-1)) << (s >> spanBits) }

func (s span) high() int64 { return s.low() + (1<<(s>>spanBits) - 1) }

// Series is what a log holds under one tag, over all its intervals. A bucket
// is known, not the values in it. It is read-only and safe for concurrent use.
type Series struct {
	Tag       string // empty where the log has none
	Intervals int
	From, To  time.Duration // what the intervals cover, from the log's start

	unit    int64
	n       int64
	buckets []bucket // ascending
}

type bucket struct{ low, high, count int64 }

// N is how many values there are.
func (s *Series) N() int64 { return s.n }

// AtRank is the k-th smallest value, k from 1: the upper edge of its bucket, at
// three digits at most 0.1 % too high. False when there is no such rank.
func (s *Series) AtRank(k int64) (time.Duration, bool) {
	if k < 1 || k > s.n {
		return 0, false
	}
	for i := range s.buckets {
		if k -= s.buckets[i].count; k <= 0 {
			return time.Duration(s.buckets[i].high * s.unit), true
		}
	}
	return 0, false
}

// Quantile is the value at the nearest rank ceil(q·n), never interpolated; false when empty.
func (s *Series) Quantile(q float64) (time.Duration, bool) { return s.AtRank(measure.Rank(q, s.n)) }

// Max is the upper edge of the last bucket; false when empty.
func (s *Series) Max() (time.Duration, bool) { return s.AtRank(s.n) }

// Mean is that of the middles of the buckets, as HdrHistogram computes it; false when empty.
func (s *Series) Mean() (time.Duration, bool) {
	if s.n == 0 {
		return 0, false
	}
	sum := 0.0
	for _, b := range s.buckets {
		sum += (float64(b.low) + float64((b.high-b.low+1)/2)) * float64(b.count) / float64(s.n)
	}
	return time.Duration(min(sum*float64(s.unit), math.MaxInt64/2)), true
}

// finish puts what was added up in order.
func (t *tally) finish(unit time.Duration) Series {
	s := Series{Tag: t.tag, Intervals: t.intervals, From: t.from, To: t.to, unit: int64(unit), n: t.n, buckets: make([]bucket, 0, len(t.counts))}
	for at, count := range t.counts {
		s.buckets = append(s.buckets, bucket{at.low(), at.high(), count})
	}
	slices.SortFunc(s.buckets, func(a, b bucket) int { return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low)) })
	return s
}

// add decodes one histogram and adds it to s.
func (l *reader) add(s *tally, payload string) error {
	if err := l.check(payload); err != nil {
		return err
	}
	h, err := hdrhistogram.DecodePacked([]byte(payload))
	if err != nil {
		return fmt.Errorf("the histogram is damaged: %w", err)
	}
	// The bucket of a value is as wide as the last of the bits that are kept: so
	// many as tell 2·10^digits values apart, above what the lowest value takes.
	kept := bits.Len64(2*uint64(math.Pow10(int(h.SignificantFigures()))) - 1)
	lowest := bits.Len64(uint64(max(h.LowestTrackableValue(), 1))) - 1
	most := math.MaxInt64 / int64(l.unit)
	for low, count := range h.ForEachBucket {
		at := newSpan(low, max(bits.Len64(uint64(low))-kept, lowest))
		high := at.high()
		if at.low() != low || high < low {
			return errors.New("the histogram is damaged: a value beyond 64 bits")
		}
		if high > most {
			return fmt.Errorf("a value of %d %s is more than 292 years: is that the unit?", high, unitName(l.unit))
		}
		if count > math.MaxInt64-s.n {
			return errors.New("the counts do not fit 64 bits")
		}
		before := s.counts[at]
		if before == 0 {
			if l.buckets++; l.buckets > maxBuckets {
				return fmt.Errorf("more than %d buckets: want a log of fewer tags or digits", maxBuckets)
			}
		}
		s.counts[at] = before + count
		s.n += count
	}
	return nil
}

func unitName(unit time.Duration) string {
	switch unit {
	case time.Nanosecond:
		return "ns"
	case time.Microsecond:
		return "us"
	case time.Millisecond:
		return "ms"
	}
	return "x " + unit.String()
}

// The first words of compressed histograms, without the bits that vary.
const (
	cookieV0 = 0x1c849309
	cookieV1 = 0x1c849302
	cookieV2 = 0x1c849304
)

// check looks at the head of a compressed histogram before it is inflated.
func (l *reader) check(payload string) error {
	packed, err := base64.StdEncoding.DecodeString(payload)
	if err != nil || len(packed) < 8 {
		return errors.New("the histogram is not base64: the log was cut off or changed here")
	}
	switch binary.BigEndian.Uint32(packed) &^ 0xf0 {
	case cookieV2:
	case cookieV0, cookieV1:
		return errors.New("the histogram is in an encoding of before 2015 (V0 or V1): have a newer HdrHistogram write the log")
	default:
		return errors.New("the histogram is of an unknown kind: want a compressed V2 histogram of whole numbers")
	}
	if err := l.inflate(packed[8:]); err != nil {
		return fmt.Errorf("the histogram is damaged: %w", err)
	}
	var head [hdrhistogram.ENCODING_HEADER_SIZE]byte
	if _, err := io.ReadFull(l.zlib, head[:]); err != nil {
		return fmt.Errorf("the histogram is damaged: %w", err)
	}
	n := int64(binary.BigEndian.Uint32(head[4:]))
	if n > maxPayload {
		return fmt.Errorf("a histogram of %d bytes: want at most %d: write it with fewer digits", n, maxPayload)
	}
	if l.inflated += n; l.inflated > freeInflation+inflation*l.bytes {
		return errors.New("the histograms inflate beyond all measure: this is no log of a measurement")
	}
	return nil
}

// inflate begins to inflate packed, with the memory of the time before.
func (l *reader) inflate(packed []byte) (err error) {
	if again, ok := l.zlib.(zlib.Resetter); ok {
		return again.Reset(bytes.NewReader(packed), nil)
	}
	l.zlib, err = zlib.NewReader(bytes.NewReader(packed))
	return err
}
