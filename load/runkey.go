package load

import (
	"crypto/sha256"
	"encoding/binary"
)

// runKey is what the ids of a run's conversations derive from. Seed and number
// alone would give them to the next run as well.
type runKey struct {
	id   string
	high uint64
	low  uint64
}

func newRunKey(id string) runKey {
	sum := sha256.Sum256([]byte(id))
	return runKey{id, binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])}
}

// appendConversation appends the UUID (version 8, RFC 9562) of conversation k: a
// hash of run and k, so that every shard knows its own.
func (r *runKey) appendConversation(b []byte, k int64) []byte {
	var raw [16]byte
	step := (uint64(k) + 1) * golden
	binary.BigEndian.PutUint64(raw[:], mix(mix(r.high+step)))
	binary.BigEndian.PutUint64(raw[8:], mix(r.low+step))
	raw[6] = raw[6]&0x0f | 0x80
	raw[8] = raw[8]&0x3f | 0x80
	for i, part := range [][]byte{raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = appendHex(b, part)
	}
	return b
}

// turnID is the idempotency key of the turn of this trace. It begins as every trace
// of the run does; the rest is the run's own, or a server that remembers answers
// would give those of an earlier run with the same seed.
func (r *runKey) turnID(trace [16]byte) [16]byte {
	binary.BigEndian.PutUint64(trace[8:], mix(binary.BigEndian.Uint64(trace[8:])^r.high))
	return trace
}
