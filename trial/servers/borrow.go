package servers

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Borrowed is a mock LLM that runs already, for the length of a load.
type Borrowed struct {
	mock     *Mock
	scenario *scenario.Scenario
	traces   string
	former   json.RawMessage
}

// Borrow finds the mock that a scenario's llm.admin names, for a run whose trace ids begin
// so. Its error, an *Error, is of one that does not answer.
func Borrow(ctx context.Context, s *scenario.Scenario, owner, traces string) (*Borrowed, error) {
	token, err := s.Expand(s.LLM.Token)
	if err != nil {
		return nil, &Error{Why: reason.New(reason.MockUnreachable, s.LLM.Admin, err), Err: err}
	}
	b := &Borrowed{mock: NewMock(s.LLM.Admin, Access{Token: token, Owner: owner}), scenario: s, traces: traces}
	if b.former, err = b.mock.config(ctx); err != nil {
		return nil, &Error{Why: reason.New(reason.MockUnreachable, s.LLM.Admin, err), Err: err}
	}
	return b, nil
}

// Arm gives it the scenario's latency and faults for t = 0 at base. It forgets
// them after ttl by itself. One that is armed for another run is an *Error.
func (b *Borrowed) Arm(ctx context.Context, base time.Time, ttl time.Duration) error {
	return b.mock.Prepare(ctx, b.scenario, base, ttl, b.traces)
}

// Facts adds what it saw since t = 0.
func (b *Borrowed) Facts(ctx context.Context, f *measure.Facts) error { return b.mock.Facts(ctx, f) }

// Client adds how the target treated it, also when it has been given back.
func (b *Borrowed) Client(ctx context.Context, f *measure.Facts) error {
	return b.mock.Client(ctx, f, b.traces)
}

// Release gives it back as it was found; its time to live does the same, later.
func (b *Borrowed) Release() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = b.mock.restore(ctx, b.former)
}

// Prepare arms a mock for a run whose t = 0 is at base and whose trace ids begin so. Where it is armed for
// another run the error is an *Error.
func (m *Mock) Prepare(ctx context.Context, s *scenario.Scenario, base time.Time, ttl time.Duration, traces string) error {
	err := m.Reset(ctx)
	if err == nil {
		err = errors.Join(m.Arm(ctx, s.LLM, s.Seed, s.Checks.Memory == scenario.On, ttl), m.Epoch(ctx, base, traces))
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrOwned) {
		return &Error{Why: reason.New(reason.MockOwned, m.admin, err), Err: err}
	}
	return &Error{Why: reason.New(reason.MockNotArmed, m.admin, err), Err: err}
}
