package chat

import (
	"errors"
	"time"

	"github.com/cstest/cstest/reference-server/model"
)

// judgeGroup counts the turn for or against its release group, if the model was asked
// for it. What all groups share, a lower tier or a Redis that is away, is no group's
// fault.
func (t *Turn) judgeGroup(err error) {
	if t.modelTime == 0 || errors.Is(err, ErrGone) || t.fault == model.FaultCancelled {
		return
	}
	took := time.Since(t.start)
	late := t.set.GrayLate > 0 && took > t.set.GrayLate.D() && t.pieces == nil
	bad := err != nil || t.fault != model.FaultNone || late
	i := 0
	if bad {
		i = 1
	}
	m := t.chat.metrics
	m.grouped[t.ans.group][i].Inc()
	m.took[t.ans.group].Observe(took.Seconds())
	t.chat.Gray.Saw(t.ans.group, bad)
}
