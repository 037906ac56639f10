package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cstest/cstest/engine"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trial"
)

// mostProcesses bounds --processes: each drives a shard.
const mostProcesses = result.MostShards

// spread says which part of the load this run drives, over how many processes,
// and from when.
type spread struct {
	shard, shards int
	said          reason.Phrase // which shard this is, where the environment said so
	processes     int
	startAt       time.Time
}

// spread reads --processes and --shard.
func (o *runOptions) spread(c *chosen) (s spread, err error) {
	s.processes = 1
	if o.processes == "auto" {
		s.processes = trial.Processes(c.Scenario, runtime.NumCPU())
	} else if s.processes, err = strconv.Atoi(o.processes); err != nil || s.processes < 1 || s.processes > mostProcesses {
		return s, usagef("--processes %q: want a number from 1 to %d, or auto", o.processes, mostProcesses)
	}
	if o.shard != "" {
		part, said, err := readShard(o.shard)
		if err != nil {
			return s, usageError{err}
		}
		s.shard, s.shards, s.said = part.I, part.N, said
		if s.processes > 1 {
			return s, usagef("--shard is one part of a load and --processes spreads the whole of one: give one of them")
		}
		c.overrides = append(c.overrides, part.Override())
	}
	switch {
	case o.processes == "auto":
		c.overrides = append(c.overrides, fmt.Sprintf("processes=%d (auto)", s.processes))
	case s.processes > 1:
		c.overrides = append(c.overrides, fmt.Sprintf("processes=%d", s.processes))
	}
	if o.startAt == "" && s.shards > 1 && c.UsesRunID() {
		return s, usagef("${run.id} is the same for all shards only if they start together: give each the same --start-at")
	}
	return s, nil
}

// readShard reads --shard: i/N, or env.
func readShard(text string) (part result.Shard, said reason.Phrase, err error) {
	if text != "env" {
		part, err = result.ParseShard(text)
		return part, reason.Phrase{}, err
	}
	member, err := engine.FromEnvironment(os.LookupEnv)
	return member.Shard, member.Phrase(), err
}

// start reads --start-at, and waits for its file; zero where there is none.
func (o *runOptions) start(ctx context.Context) (time.Time, error) {
	if o.startAt == "" {
		return time.Time{}, nil
	}
	if o.startTimeout <= 0 {
		return time.Time{}, usagef("--start-timeout %s: want more than 0", o.startTimeout)
	}
	path, inFile := strings.CutPrefix(o.startAt, "@")
	if !inFile {
		at, err := engine.ParseStart(o.startAt)
		return at, wrongUsage(err)
	}
	at, err := engine.AwaitStart(ctx, path, o.startTimeout)
	if errors.Is(err, engine.ErrNoStart) || ctx.Err() != nil {
		return at, err
	}
	return at, wrongUsage(err)
}

// runID names the run. Shards that are given one instant to begin at name it
// alike.
func (s *spread) runID(name, resolved string) string {
	if s.shards > 0 && !s.startAt.IsZero() {
		return trial.RunIDOfShards(name, resolved, s.shards, s.startAt)
	}
	return trial.NewRunID(name, time.Now())
}

// newRunShardCmd is what --processes starts; it is of no use to a person.
func newRunShardCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:    "run-shard",
		Hidden: true,
		Args:   noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f, ok := s.raw.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				return usagef("run-shard is what cstest run --processes starts: its output is not for a person")
			}
			return trial.RunShard(cmd.Context(), s.in, s.raw, func(which []measure.Selection, send func(measure.Selection, []byte) error) trial.Relay {
				return output.NewRelay(which, send)
			})
		},
	}
}
