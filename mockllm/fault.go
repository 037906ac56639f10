package mockllm

import (
	"cmp"
	"slices"
	"time"
)

// kind is what a fault does to a call it strikes.
type kind uint8

const (
	kindNone kind = iota
	kindStatus
	kindSlow
	kindHang
	kindReset
	kindTruncate
	kindGarbage
	kindHTML
	kindWrongContentType
	kindEmpty
	kindOversized
	kindDrip
	kindErrorInStream
	kindLeak
	kindEscape
	kindFailFirst
	kindCount
)

// kindNames spells the kinds as configuration, journal and facts do.
var kindNames = [kindCount]string{
	"", "status", "slow", "hang", "reset", "truncate", "garbage", "html", "wrong-content-type",
	"empty", "oversized", "drip", "error-in-stream", "leak", "escape", "fail-first",
}

// Kinds lists the fault kinds by name.
func Kinds() []string { return slices.Clone(kindNames[1:]) }

// kindOf finds a kind by name; kindNone when there is none.
func kindOf(name string) kind {
	return kind(max(slices.Index(kindNames[:], name), 0))
}

// fault is a validated Fault with its defaults, as calls meet it.
type fault struct {
	Fault
	kind  kind
	salt  uint64
	began time.Time // actual start; set before the fault is published
}

func compileFaults(list []Fault) []*fault {
	out := make([]*fault, len(list))
	for i, f := range list {
		out[i] = compileFault(f)
		out[i].salt = saltFault + uint64(i)
	}
	return out
}

func compileFault(f Fault) *fault {
	k := kindOf(f.Kind)
	f.Name = cmp.Or(f.Name, f.Kind)
	f.Share = cmp.Or(f.Share, 1)
	f.Factor = cmp.Or(f.Factor, 10)
	f.BytesPerS = cmp.Or(f.BytesPerS, 10)
	f.Attempts = cmp.Or(f.Attempts, 1)
	f.Size = cmp.Or(f.Size, 64<<20)
	switch k {
	case kindHTML:
		f.Status = cmp.Or(f.Status, 200)
	case kindErrorInStream:
		f.Status = cmp.Or(f.Status, 500)
	default:
		f.Status = cmp.Or(f.Status, 503)
	}
	return &fault{Fault: f, kind: k}
}

// shareAt is the share of calls struck at an instant of the active window:
// growing during Ramp, zero in the off half of Flap.
func (f *fault) shareAt(now time.Time) float64 {
	age := now.Sub(f.began)
	if f.Flap != nil && age%(f.Flap.On.D()+f.Flap.Off.D()) >= f.Flap.On.D() {
		return 0
	}
	if ramp := f.Ramp.D(); age < ramp {
		return float64(f.Share) * float64(age) / float64(ramp)
	}
	return float64(f.Share)
}

// strikes decides whether the attempt meets this fault. The same attempt of
// another run with the seed meets it too. fail-first picks turns, not attempts.
func (f *fault) strikes(seed uint64, k key, ordinal uint32, now time.Time) bool {
	drawn := ordinal
	if f.kind == kindFailFirst {
		if ordinal > uint32(f.Attempts) {
			return false
		}
		drawn = 0
	}
	share := f.shareAt(now)
	if share >= 1 {
		return true
	}
	return uniform(draw(seed, k, drawn, f.salt)) < share
}
