// Package draw makes every random decision a function of (seed, turn, attempt).
package draw

import (
	"encoding/binary"
	"math"
)

// Key identifies a turn: its trace id, or a hash of the request body.
type Key [16]byte

// Salts separate the draws made for one attempt.
const (
	saltLatency = iota + 1
	saltToken
	SaltLeak
	SaltFault = 1 << 16
)

// Hash is a uniform 64-bit hash of (seed, key, ordinal, salt): the finaliser of
// SplitMix64 (Steele, Lea, Flood 2014) chained over the words. Nothing else
// decides what a call gets, so the order of arrival cannot.
func Hash(seed uint64, k Key, ordinal uint32, salt uint64) uint64 {
	h := Mix(seed ^ 0x9e3779b97f4a7c15)
	h = Mix(h ^ binary.LittleEndian.Uint64(k[:8]))
	h = Mix(h + binary.LittleEndian.Uint64(k[8:]))
	h = Mix(h ^ uint64(ordinal)<<32 ^ salt)
	return h
}

// Mix is the finaliser of SplitMix64.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uniform maps a hash to the open interval (0, 1).
func Uniform(h uint64) float64 { return (float64(h>>11) + 0.5) / (1 << 53) }

// Normal maps a hash to a standard normal deviate by the inverse distribution
// function, so that the tail is as exact as the hash.
func Normal(h uint64) float64 { return math.Sqrt2 * math.Erfinv(2*Uniform(h)-1) }

// HashKey identifies a call without a usable trace id by the hash of its body (xxHash64).
func HashKey(hash uint64) (k Key) {
	binary.LittleEndian.PutUint64(k[8:], hash)
	return k
}
