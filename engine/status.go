package engine

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/cstest/cstest/result"
)

// A shard with --journal - says in lines of its own, among any others, how far it is:
//
//	cstest-shard SHARD ready
//	cstest-shard SHARD ended CODE
//
// What an engine puts before a line does no harm.
const statusMark = "cstest-shard "

// Status is how far a shard says it is.
type Status struct {
	Shard result.Shard
	Ready bool // it has read its plan and waits for the instant to start at
	Ended bool // with Code
	Code  int  // of its exit
}

// Line is the status as a shard says it.
func (s Status) Line() string {
	if s.Ended {
		return fmt.Sprintf("%s%s ended %d\n", statusMark, s.Shard, s.Code)
	}
	return fmt.Sprintf("%s%s ready\n", statusMark, s.Shard)
}

// ParseStatus reads the status that a line holds; false where it holds none.
func ParseStatus(line []byte) (s Status, ok bool) {
	_, rest, found := bytes.Cut(line, []byte(statusMark))
	f := bytes.Fields(rest)
	if !found || len(f) < 2 || len(f[0]) > 16 {
		return s, false
	}
	shard, err := result.ParseShard(string(f[0]))
	if err != nil {
		return s, false
	}
	s.Shard = shard
	switch string(f[1]) {
	case "ready":
		s.Ready = true
		return s, len(f) == 2
	case "ended":
		if len(f) != 3 {
			return s, false
		}
		s.Ended = true
		s.Code, err = strconv.Atoi(string(f[2]))
		return s, err == nil && s.Code >= 0 && s.Code <= 255
	}
	return s, false
}
