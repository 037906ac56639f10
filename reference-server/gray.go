package refserver

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// group is the release group of a user. hash: SHA-256 of salt and uid, modulo
// 10,000, below the share; tail: the last two digits of the uid, as the article
// has it, where a uid without them counts as base.
func group(uid string, s *settings) string {
	if s.grayMode == "tail" {
		var tail int
		if n := len(uid); n >= 2 {
			if _, err := fmt.Sscanf(uid[n-2:], "%02d", &tail); err == nil && uid[n-1] >= '0' && uid[n-1] <= '9' && uid[n-2] >= '0' && uid[n-2] <= '9' && float64(tail) < 100*float64(s.grayShare) {
				return groupNames[1]
			}
		}
		return groupNames[0]
	}
	h := sha256.Sum256([]byte(s.graySalt + "\x00" + uid))
	if float64(binary.BigEndian.Uint64(h[:8])%10_000) < 10_000*float64(s.grayShare) {
		return groupNames[1]
	}
	return groupNames[0]
}
