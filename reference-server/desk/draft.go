package desk

import (
	"context"
	"fmt"

	"github.com/cstest/cstest/reference-server/dialog"
)

// Answered says whether a person has replied to a ticket; there is false where no such
// ticket is kept. The error wraps dialog.ErrState.
func (d *Desk) Answered(ctx context.Context, id string) (answered, there bool, err error) {
	t, ok, err := d.tickets.get(ctx, id)
	return t.State == stateClosed, ok, err
}

// Draft puts what the model would answer, masked, beside a ticket that nobody has
// answered, and shows it to those who may: all agents of its queue, or the one who
// claimed it. The user does not see it. open is false where it is too late, or the
// ticket waits in a journal. The error wraps dialog.ErrState.
func (d *Desk) Draft(ctx context.Context, id, text string) (open bool, err error) {
	state, err := d.tickets.scripts.draft.Run(ctx, d.tickets.redis, []string{ticketKey(id)}, text).Text()
	if err != nil {
		return false, fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	if s := State(state); s != stateOpen && s != stateClaimed {
		return false, nil
	}
	t, ok, err := d.tickets.get(ctx, id)
	if err != nil || !ok {
		return false, err
	}
	d.deliver(t, true)
	d.bus.send(t, true)
	return true, nil
}
