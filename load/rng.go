package load

import (
	"math"
	"math/bits"
)

// purpose keeps the random streams of one conversation apart, so that drawing
// once more for one thing never shifts another.
type purpose uint64

const (
	forArrival purpose = iota + 1
	forChoice
	forRow
	forCanary
	forTrace
	forSpan
	forThink
	forPatience
)

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014; constants by Stafford, variant 13).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

const golden = 0x9e3779b97f4a7c15 // 2^64 / the golden ratio, SplitMix64's increment

// draw is the number of conversation k for purpose p: a pure function, so that
// every shard computes the same without having drawn anything before.
func draw(seed uint64, k int64, p purpose) uint64 {
	h := mix(seed + golden)
	h = mix(h ^ (uint64(k)+1)*golden)
	return mix(h + uint64(p)*golden)
}

// unitOpen maps random bits to (0, 1): never 0, so that its logarithm is finite.
func unitOpen(random uint64) float64 {
	return (float64(random>>11) + 0.5) / (1 << 53)
}

// exponential is a draw of mean 1 by inversion.
func exponential(random uint64) float64 { return -math.Log(unitOpen(random)) }

// gamma is a draw of mean shape (Marsaglia, Tsang: A Simple Method for Generating
// Gamma Variables, ACM TOMS 26, 2000), its further draws taken from random. The
// conversions are those of ramp.when.
func gamma(random uint64, shape float64) float64 {
	boost := 1.0
	if shape < 1 {
		boost = math.Pow(unitOpen(random), 1/shape)
		shape++
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for i := uint64(1); ; i += 2 {
		x := normal(mix(random + i*golden))
		v := 1 + float64(c*x)
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := unitOpen(mix(random + (i+1)*golden))
		if math.Log(u) < float64(0.5*x*x)+d-float64(d*v)+float64(d*math.Log(v)) {
			return d * v * boost
		}
	}
}

// normal is a standard normal draw by inversion: Φ⁻¹(u) = √2·erf⁻¹(2u − 1).
func normal(random uint64) float64 {
	return math.Sqrt2 * math.Erfinv(2*unitOpen(random)-1)
}

// below maps random bits to [0, n) (Lemire: Fast Random Integer Generation in an
// Interval, 2019; the bias of n/2^64 is below notice). n must be positive.
func below(random uint64, n int) int {
	hi, _ := bits.Mul64(random, uint64(n))
	return int(hi)
}
