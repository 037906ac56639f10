package load

import (
	"math"
	"math/bits"
	"sync"
	"time"
)

// contract judges refusals against a published rate. Its bucket fills at the
// rate and is drawn by the turns the target accepted; a refusal is bad when the
// bucket held a token as the turn was sent, and takes that token: one that is
// owed is owed once.
//
// What cannot be seen from here counts for the target: how full its own bucket
// was, its burst, where its seconds begin, how long a turn was on its way. So a
// turn in flight counts as accepted until it is refused; what is saved up is
// bounded by the margin; and what the target gave beyond the rate is held for it
// for a second, as for one that counts by the second, and then forgotten.
//
// Safe for concurrent use; a nil contract draws and judges nothing.
type contract struct {
	perSecond float64
	spread    float64 // margin for each root of a turn sent

	mu      sync.Mutex
	sent    int64   // turns so far: the next one's number
	back    int64   // of them refused, or not sent after all
	shift   float64 // what the level differs from rate × time − accepted
	returns [backBits / 64]uint64
	begun   time.Duration // of the second of refusals under way; below 0: none
	peak    float64       // the highest level in it
}

const (
	// onTheWay is how long a turn may take from here to where it is admitted.
	onTheWay = 50 * time.Millisecond
	// backBits is how many of the last turns are told apart by whether they came back.
	backBits = 1 << 16
)

// newContract gives nil for no contract. Of several shards each sees a part of
// what was accepted only, and parts differ by the root of their size.
func newContract(perSecond float64, shards int) *contract {
	if perSecond <= 0 {
		return nil
	}
	b := &contract{perSecond: perSecond, begun: -1}
	if shards > 1 {
		b.spread = 3
	}
	return b
}

// margin is what the level must reach before a refusal is held against the target.
func (b *contract) margin() float64 {
	return 2 + b.perSecond*onTheWay.Seconds() + b.spread*math.Sqrt(float64(b.sent))
}

// level is what the bucket held for turn n, sent at the instant at, when back of
// those before it had come back.
func (b *contract) level(n int64, at time.Duration, back int64) float64 {
	return b.perSecond*at.Seconds() - float64(n-back) + b.shift
}

// send counts a turn as accepted, and gives its number.
func (b *contract) send(at time.Duration) int64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.sent
	b.shift -= max(b.level(n, at, b.back)-2*b.margin(), 0)
	b.returns[n%backBits/64] &^= 1 << (n % 64)
	b.sent++
	return n
}

// recall takes back turn n, which was not sent after all.
func (b *contract) recall(n int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.giveBack(n)
	b.mu.Unlock()
}

func (b *contract) giveBack(n int64) {
	b.back++
	b.returns[n%backBits/64] |= 1 << (n % 64)
}

// refuse takes back turn n, which was sent at the instant at and refused, and
// tells whether the contract covered it.
func (b *contract) refuse(n int64, at time.Duration) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begun < 0 || at >= b.begun+time.Second {
		if b.begun >= 0 && b.peak < 0 {
			b.shift -= b.peak
		}
		b.begun, b.peak = at, math.Inf(-1)
	}
	level := b.level(n, at, b.back-b.backAfter(n))
	b.giveBack(n)
	b.peak = max(b.peak, level)
	if level < b.margin() {
		return false
	}
	b.shift--
	return true
}

// backAfter is how many turns sent after n came back before it.
func (b *contract) backAfter(n int64) (count int64) {
	if b.sent-n > backBits {
		return 0
	}
	for n++; n < b.sent; {
		word, from := b.returns[n%backBits/64], n%64
		count += int64(bits.OnesCount64(word >> from << from & mask(b.sent-n+from)))
		n += 64 - from
	}
	return count
}

// mask has the lowest n bits set, all from 64 on.
func mask(n int64) uint64 {
	if n >= 64 {
		return math.MaxUint64
	}
	return 1<<n - 1
}
