package jobs

import (
	"strings"

	"github.com/cstest/cstest/reference-server/wire"
)

// State is where a job stands.
type State string

// The states. All but the first two are final.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Codes of jobs that failed without their turn having said why.
const (
	CodeInternal   = "internal"
	CodeDeadLetter = "dead-letter" // it was begun too often and never ended
	CodeExpired    = "expired"     // it was queued too long to begin it
)

// Final says whether the job has ended.
func (s State) Final() bool { return s == Done || s == Failed || s == Cancelled }

// Status is a job as its owner sees it.
type Status struct {
	State  State
	Result []byte // JSON; where State is Done
	Code   string // where State is Failed
}

// JSON is the status of the job with this id.
func (s Status) JSON(id string) []byte {
	j := wire.JSON(nil).Object("").String("job", id).String("status", string(s.State))
	switch s.State {
	case Done:
		j = j.Raw("result", s.Result)
	case Failed:
		j = j.Object("error").String("code", s.Code).EndObject()
	case Queued, Running, Cancelled:
	}
	return j.EndObject()
}

// encode is a final status as Redis keeps it: the state, a space, and what
// belongs to it.
func (s Status) encode() string {
	return string(s.State) + " " + s.Code + string(s.Result)
}

// decodeFinal reads what encode wrote. Anything else in its place has ended the
// job, too: a second end could not be written over it.
func decodeFinal(stored string) Status {
	state, rest, _ := strings.Cut(stored, " ")
	switch s := State(state); s {
	case Done:
		return Status{State: s, Result: []byte(rest)}
	case Failed:
		return Status{State: s, Code: rest}
	case Cancelled:
		return Status{State: s}
	case Queued, Running:
	}
	return Status{State: Failed, Code: CodeInternal}
}
