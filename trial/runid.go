package trial

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// NewRunID names a run of a scenario: ASCII, the scenario's name as far as it
// is, when it was begun, and 8 random hexadecimal digits, so that no other run
// has it.
func NewRunID(name string, now time.Time) string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return runID(name, now, random)
}

// RunIDOfShards names a run that several machines begin at the same instant,
// each knowing no more than what it was told: the resolved scenario, how many
// shards there are, and when.
func RunIDOfShards(name, resolved string, shards int, startAt time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", shards, startAt.UnixNano(), resolved))
	return runID(name, startAt, [4]byte(sum[:4]))
}

func runID(name string, at time.Time, tail [4]byte) string {
	ascii := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return -1
	}, name)
	id := at.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(tail[:])
	if ascii = strings.Trim(ascii, "-_."); ascii != "" {
		id = ascii + "-" + id
	}
	return id
}
