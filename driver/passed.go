package driver

import (
	"strconv"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// wanted is what a turn, or a step of it, waits for among what comes.
type wanted struct {
	all  find.All // the conditions that tell it; none where something else does
	none string   // says that nothing of what came was it
	noun string   // what comes
	end  bool     // it ends an answer whose pieces came before
}

// wantedBy is what the conditions of a field tell.
func wantedBy(field string, all find.All, noun string) *wanted {
	return &wanted{all: all, none: field + " holds for none", noun: noun}
}

// wants are what a turn may wait for; nil where nothing that comes is passed over.
type wants struct {
	answer *wanted // of a socket's messages
	end    *wanted // of a stream's events
	job    *wanted // of a job's states
}

// newWants tells what the turns of a target wait for.
func (p *plan) newWants(target *scenario.Target) (w wants) {
	own, noun := p.read.own, "event"
	switch {
	case p.socket != nil:
		noun = "message"
	case p.dialect.lines:
		noun = "line"
	}
	switch {
	case own == nil || p.socket == nil:
	case own.answers.Named():
		w.answer = wantedBy("response.is_answer", own.answers, noun)
	case p.socket.turn.ack:
		w.answer = &wanted{none: "none is the acknowledgement", noun: noun}
	}
	switch d := &p.dialect; {
	case own == nil || !d.custom:
	case d.whole:
		w.end = wantedBy("response.is_answer", own.answers, noun)
	case own.endOfBody:
		w.end = &wanted{none: "the body did not end", noun: noun}
	case d.done != "":
		w.end = &wanted{none: "response.stream.done holds for none: there is no " + wire.Visible([]byte(d.done)), noun: noun}
	default:
		w.end = wantedBy("response.stream.done", own.done, noun)
	}
	if w.end != nil {
		w.end.end = true
	}
	if p.mode == scenario.ModeAsync {
		w.job = &wanted{noun: "answer", none: "all have status 202"}
		if job := jobOf(target); job != nil && job.Status != "" {
			w.job.none = "none says at " + job.Status + " that the job is done"
			if job.Done != "" {
				w.job.none = "there is no " + wire.Visible([]byte(job.Done)) + " at " + job.Status
			}
		}
	}
	return w
}

// shownPassed is how much is kept of what was passed over, to be shown.
const shownPassed = 2 << 10

// passed is what came while something else was waited for: a condition that is mistyped
// shows in nothing else.
type passed struct {
	wants   *wanted
	n       int
	near    find.Reach
	example []byte // the begin of the last of those that came nearest
}

// note notes that data came, and is not what w waits for.
func (p *passed) note(w *wanted, near find.Reach, data []byte) {
	switch {
	case w == nil, p.wants != nil && p.wants.end && !w.end:
		return // a piece of the answer came already
	case p.wants != w:
		p.forget()
		p.wants = w
	}
	if p.n++; p.n == 1 || near >= p.near {
		p.near, p.example = near, append(p.example[:0], data[:min(len(data), shownPassed)]...)
	}
}

func (p *passed) forget() { *p = passed{example: p.example[:0]} }

// shows tells whether a fault is one of waiting for what did not come among what did.
func (p *passed) shows(f wire.Fault) bool {
	return p.n > 0 && (f.Reason == TimedOut || f.Reason == Truncated || f.Reason == Broken)
}

// tell says in a fault of waiting what was waited for, and what came instead. It says the
// same for the same cause, so not exactly how much came where that is much.
func (p *passed) tell(f wire.Fault) wire.Fault {
	if !p.shows(f) {
		return f
	}
	const exactly = 3
	came := "more than " + strconv.Itoa(exactly)
	if p.n <= exactly {
		came = strconv.Itoa(p.n)
	}
	came += " " + p.wants.noun
	if p.n > 1 {
		came += "s"
	}
	f.Message += "; " + came + " came, " + p.wants.none
	if why := p.wants.all.WhyAt(p.near); why != "" {
		f.Message += ": " + why
	}
	return f
}
