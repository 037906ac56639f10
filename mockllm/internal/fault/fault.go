// Package fault says which calls a fault strikes, and when its windows are open.
package fault

import (
	"cmp"
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/draw"
)

// Fault is a validated Fault with its defaults, as calls meet it.
type Fault struct {
	config.Fault
	Effect config.Kind // Kind
	salt   uint64
	began  time.Time // actual start; set before the fault is published
}

// CompileAll compiles a schedule; each fault draws apart from the others.
func CompileAll(list []config.Fault) []*Fault {
	out := make([]*Fault, len(list))
	for i, f := range list {
		out[i] = Compile(f)
		out[i].salt = draw.SaltFault + uint64(i)
	}
	return out
}

// Compile fills the defaults of a validated fault.
func Compile(f config.Fault) *Fault {
	k := config.KindOf(f.Kind)
	f.Name = cmp.Or(f.Name, f.Kind)
	f.Share = cmp.Or(f.Share, 1)
	f.Factor = cmp.Or(f.Factor, 10)
	f.BytesPerS = cmp.Or(f.BytesPerS, 10)
	f.Attempts = cmp.Or(f.Attempts, 1)
	f.Size = cmp.Or(f.Size, 64<<20)
	switch k {
	case config.KindHTML:
		f.Status = cmp.Or(f.Status, 200)
	case config.KindErrorInStream:
		f.Status = cmp.Or(f.Status, 500)
	default:
		f.Status = cmp.Or(f.Status, 503)
	}
	return &Fault{Fault: f, Effect: k}
}

// shareAt is the share of calls struck at an instant of the active window:
// growing during Ramp, zero in the off half of Flap.
func (f *Fault) shareAt(now time.Time) float64 {
	age := now.Sub(f.began)
	if f.Flap != nil && age%(f.Flap.On.D()+f.Flap.Off.D()) >= f.Flap.On.D() {
		return 0
	}
	if ramp := f.Ramp.D(); age < ramp {
		return float64(f.Share) * float64(age) / float64(ramp)
	}
	return float64(f.Share)
}

// Strikes decides whether the attempt meets this fault. The same attempt of
// another run with the seed meets it too. fail-first picks turns, not attempts.
func (f *Fault) Strikes(seed uint64, k draw.Key, ordinal uint32, now time.Time) bool {
	drawn := ordinal
	if f.Effect == config.KindFailFirst {
		if ordinal > uint32(f.Attempts) {
			return false
		}
		drawn = 0
	}
	share := f.shareAt(now)
	if share >= 1 {
		return true
	}
	return draw.Uniform(draw.Hash(seed, k, drawn, f.salt)) < share
}

// AtOnce tells the faults of what stands before the model (gateway, key check,
// network) and so take no latency and no capacity.
func (f *Fault) AtOnce() bool {
	switch f.Effect {
	case config.KindStatus, config.KindFailFirst, config.KindHang:
		return true
	case config.KindReset:
		return f.Chunks == 0
	case config.KindSlow, config.KindTruncate, config.KindGarbage, config.KindHTML, config.KindWrongContentType,
		config.KindEmpty, config.KindOversized, config.KindDrip, config.KindErrorInStream, config.KindLeak, config.KindEscape,
		config.KindCount:
	}
	return false
}
