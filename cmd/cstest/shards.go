package main

import (
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trial"
)

// mostProcesses bounds --processes: each drives a shard.
const mostProcesses = result.MostShards

// spread says which part of the load this run drives, over how many processes,
// and from when.
type spread struct {
	shard, shards int
	processes     int
	startAt       time.Time
}

// spread reads --processes, --shard and --start-at.
func (o *runOptions) spread(c *chosen) (s spread, err error) {
	s.processes = 1
	if o.processes == "auto" {
		s.processes = trial.Processes(c.Scenario, runtime.NumCPU())
	} else if s.processes, err = strconv.Atoi(o.processes); err != nil || s.processes < 1 || s.processes > mostProcesses {
		return s, usagef("--processes %q: want a number from 1 to %d, or auto", o.processes, mostProcesses)
	}
	if o.shard != "" {
		part, err := result.ParseShard(o.shard)
		if err != nil {
			return s, usageError{err}
		}
		s.shard, s.shards = part.I, part.N
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
	if o.startAt != "" {
		if s.startAt, err = time.Parse(time.RFC3339Nano, o.startAt); err != nil {
			return s, usagef("--start-at %q: want a time such as 2026-11-11T00:00:00+08:00", o.startAt)
		}
		if wait := time.Until(s.startAt); wait < 0 || wait > 24*time.Hour {
			return s, usagef("--start-at %s is not within the next 24 h", o.startAt)
		}
	}
	if s.shards > 1 && s.startAt.IsZero() && c.UsesRunID() {
		return s, usagef("${run.id} is the same for all shards only if they start together: give each the same --start-at")
	}
	return s, nil
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
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return trial.RunShard(cmd.Context(), s.in, s.out)
		},
	}
}
