package driver

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// poll says when a step is to be sent again.
type poll struct {
	isAnswer, failed find.All
	wants            *wanted // what isAnswer tells
	every, atMost    time.Duration
	backoff          float64
}

func newPoll(own *scenario.Poll, paths *find.Paths) (*poll, error) {
	if own == nil {
		return nil, nil
	}
	p := &poll{every: time.Duration(own.Every), atMost: time.Duration(own.AtMost), backoff: max(own.Backoff, 1)}
	if p.every <= 0 {
		p.every = pollEvery
	}
	p.atMost = max(p.atMost, p.every)
	var err error
	if p.isAnswer, err = find.Conditions(own.IsAnswer, paths); err != nil {
		return nil, fmt.Errorf("is_answer: %w", err)
	}
	p.wants = wantedBy("poll.is_answer", p.isAnswer, "answer")
	if p.failed, err = find.Conditions(own.Failed, paths); err != nil {
		return nil, fmt.Errorf("failed: %w", err)
	}
	return p, nil
}

// ask sends the step until its answer is what is waited for, or one that will
// never be it. last tells that the turn's answer is waited for.
func (s *step) ask(ch *channel, x *exchange, last bool) (went bool, f wire.Fault) {
	x.transient = true
	defer func() { x.transient = false }()
	every := s.poll.every
	x.passed.forget()
	for {
		asked := ch.client.plan.Now()
		if f = ch.hold(x, &s.Request); f.Bad() {
			ch.present(x)
			return false, s.named(f)
		}
		s.read(x)
		s.keep(x, false)
		there, near := s.poll.isAnswer.Reach(&x.look)
		switch {
		case s.poll.failed.Hold(&x.look):
			ch.present(x)
			return false, s.named(wire.NewFault(Malformed, "failed holds"+ch.told(x)))
		case there, x.Head.Status >= 300 && x.Head.Status != http.StatusNotModified:
			if !last {
				ch.present(x)
			}
			x.passed.forget()
			return true, wire.Fault{}
		}
		ch.present(x)
		x.passed.note(s.poll.wants, near, x.Body)
		if f = ch.pause(x, asked, every); f.Bad() {
			return false, s.named(f)
		}
		every = min(time.Duration(float64(every)*s.poll.backoff), s.poll.atMost)
	}
}
