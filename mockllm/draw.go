package mockllm

import (
	"encoding/binary"
	"math"

	"github.com/cespare/xxhash/v2"
)

// key identifies a turn: its trace id, or a hash of the request body.
type key [16]byte

// Salts separate the draws made for one attempt.
const (
	saltLatency = iota + 1
	saltToken
	saltLeak
	saltFault = 1 << 16
)

// draw is a uniform 64-bit hash of (seed, key, ordinal, salt): the finaliser of
// SplitMix64 (Steele, Lea, Flood 2014) chained over the words. Nothing else
// decides what a call gets, so the order of arrival cannot.
func draw(seed uint64, k key, ordinal uint32, salt uint64) uint64 {
	h := mix(seed ^ 0x9e3779b97f4a7c15)
	h = mix(h ^ binary.LittleEndian.Uint64(k[:8]))
	h = mix(h + binary.LittleEndian.Uint64(k[8:]))
	h = mix(h ^ uint64(ordinal)<<32 ^ salt)
	return h
}

func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// uniform maps a hash to the open interval (0, 1).
func uniform(h uint64) float64 { return (float64(h>>11) + 0.5) / (1 << 53) }

// normal maps a hash to a standard normal deviate by the inverse distribution
// function, so that the tail is as exact as the hash.
func normal(h uint64) float64 { return math.Sqrt2 * math.Erfinv(2*uniform(h)-1) }

// bodyKey identifies a call without a usable trace id.
func bodyKey(body []byte) key {
	var k key
	binary.LittleEndian.PutUint64(k[8:], xxhash.Sum64(body))
	return k
}

// parseTraceparent reads the trace id of a W3C traceparent header. Anything
// malformed, upper-case or all-zero is no trace id.
func parseTraceparent(h []byte) (key, bool) {
	var k key
	if len(h) < 55 || h[2] != '-' || h[35] != '-' || h[52] != '-' {
		return k, false
	}
	if len(h) > 55 && (h[0] == '0' && h[1] == '0' || h[55] != '-') {
		return k, false
	}
	var version [1]byte
	if !hexInto(version[:], h[0:2]) || version[0] == 0xff {
		return k, false
	}
	var parent [8]byte
	var flags [1]byte
	if !hexInto(k[:], h[3:35]) || !hexInto(parent[:], h[36:52]) || !hexInto(flags[:], h[53:55]) {
		return key{}, false
	}
	if k == (key{}) || parent == ([8]byte{}) {
		return key{}, false
	}
	return k, true
}

// hexInto decodes lower-case hexadecimal, as the traceparent grammar demands.
func hexInto(dst, src []byte) bool {
	for i := range dst {
		hi, ok1 := hexDigit(src[2*i])
		lo, ok2 := hexDigit(src[2*i+1])
		if !ok1 || !ok2 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
