package chat

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cstest/cstest/reference-server/knobs"
)

// group is a release group.
type group uint8

const (
	base group = iota
	gray
)

var groupNames = [...]string{base: "base", gray: "gray"}

func (g group) String() string { return groupNames[g] }

// groupOf is the release group of a user. hash: SHA-256 of salt and uid, modulo
// 10,000, below the share; tail: the last two digits of the uid, as the article
// has it, where a uid without them counts as base.
func groupOf(uid string, s *knobs.Settings) group {
	if s.GrayMode == "tail" {
		var tail int
		if n := len(uid); n >= 2 {
			if _, err := fmt.Sscanf(uid[n-2:], "%02d", &tail); err == nil && uid[n-1] >= '0' && uid[n-1] <= '9' && uid[n-2] >= '0' && uid[n-2] <= '9' && float64(tail) < 100*float64(s.GrayShare) {
				return gray
			}
		}
		return base
	}
	h := sha256.Sum256([]byte(s.GraySalt + "\x00" + uid))
	if float64(binary.BigEndian.Uint64(h[:8])%10_000) < 10_000*float64(s.GrayShare) {
		return gray
	}
	return base
}
