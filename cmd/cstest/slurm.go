package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/engine/conduct"
	"github.com/cstest/cstest/engine/slurm"
	"github.com/cstest/cstest/report/escape"
)

func newSlurmCmd(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "slurm",
		Short: "Run a load as the tasks of one Slurm step",
		Example: `  cstest slurm run sale.yaml --shards 8
  cstest slurm run --help`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSlurmRunCmd(s))
	return cmd
}

type slurmOptions struct {
	conductOptions
	executable string
}

func newSlurmRunCmd(s streams) *cobra.Command {
	var o slurmOptions
	cmd := &cobra.Command{
		Use:   "run SCENARIO --shards N [-- SRUN-ARGUMENT...]",
		Short: "Spread a load over Slurm, show it live, judge the sum, exit with its verdict",
		Long: `Run a scenario as N tasks of one srun, inside an allocation (salloc, sbatch) or with one
of its own. All tasks wait until every one is ready, and begin at the same instant; their
journals come back through srun. The result directory must lie where every node sees it,
and so must cstest. What follows -- goes to srun.

A task that is killed and a node that is lost leave the others going: the report says what
is missing and whether it could matter. The first Ctrl-C drains all of them.`,
		Example: `  cstest slurm run sale.yaml --shards 8
  cstest slurm run sale.yaml --shards 8 --results-dir /shared/results/sale -- --partition=load --time=30`,
		RunE: func(cmd *cobra.Command, args []string) error {
			at := cmd.ArgsLenAtDash()
			var more []string
			if at >= 0 {
				args, more = args[:at], args[at:]
			}
			if len(args) > 1 {
				return usagef("slurm run takes one scenario, and %q besides: arguments of srun go behind --", args[1])
			}
			return runSlurm(cmd.Context(), s, &o, args, more)
		},
	}
	o.registerConduct(cmd)
	cmd.Flags().StringVar(&o.executable, "executable", "", "cstest as the nodes have it (default: this one's path)")
	return cmd
}

func runSlurm(ctx context.Context, s streams, o *slurmOptions, args, more []string) error {
	x, err := newSpreadJob(s, &o.conductOptions, args)
	if err != nil {
		return err
	}
	executable := o.executable
	if executable == "" {
		if executable, err = os.Executable(); err != nil {
			return err
		}
	}
	return x.drive(ctx, func(dir string) (conduct.Cluster, error) {
		plan := filepath.Join(dir, "plan")
		path, err := x.pack.Write(plan)
		if err != nil {
			return nil, errors.Join(resultsError{err}, os.RemoveAll(plan))
		}
		return &slurm.Step{
			Name: "cstest-" + escape.Slug(x.chosen.Name), Shards: o.shards, Cores: x.needs.Cores, More: more,
			Command: x.command(executable, path), Dir: plan,
		}, nil
	})
}
