package selftest

import (
	"context"
	"errors"

	"github.com/cstest/cstest/reason"
)

// run is a selftest under way.
type run struct {
	executable string
	mock       *mock
	dir        string // for what servers write
	report     Report
}

// Run runs every group in about 45 s. It needs nothing but the program itself,
// for the bundled mock LLM; without nginx the last group is skipped. dir is for
// logs. notice is told what comes next. What was found so far is given with an error.
func Run(ctx context.Context, executable, dir string, notice func(reason.Phrase)) (*Report, error) {
	m, err := startMock(ctx, executable, dir)
	if err != nil {
		return &Report{}, err
	}
	defer m.child.Stop(ctx)
	s := &run{executable: executable, mock: m, dir: dir}
	for _, group := range []struct {
		title reason.Phrase
		run   func(context.Context) ([]Check, error)
	}{
		{reason.Say("truth: 2,000 turns/s for 10 s, log-normal latency, against the mock LLM's journal"), s.truth},
		{reason.Say("freeze: 1,000 turns/s for 10 s, the mock LLM stopped for 1 s in the middle"), s.freeze},
		{reason.Say("release: 5,000 starts/s for 6 s, against the plan and the mock LLM's clock"), s.release},
		{reason.Say("outcomes: every fault the mock LLM can play at one turn, 200 turns/s for 9 s"), s.outcomes},
		{reason.Say("foreign: 1,000 turns/s for 3 s at nginx, against its log"), s.foreign},
	} {
		notice(group.title)
		checks, err := group.run(ctx)
		if errors.Is(err, errNoNginx) {
			s.report.Skipped = append(s.report.Skipped, err)
			continue
		}
		if err != nil {
			return &s.report, err
		}
		s.report.Checks = append(s.report.Checks, checks...)
	}
	return &s.report, nil
}
