package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/engine/conduct"
	"github.com/cstest/cstest/engine/kubernetes"
	"github.com/cstest/cstest/engine/pack"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

type collectOptions struct {
	conductOptions
	kubectlOptions
}

func newCollectCmd(s streams) *cobra.Command {
	var o collectOptions
	cmd := &cobra.Command{
		Use:   "collect RUN",
		Short: "Drive a Kubernetes Job that was applied from a repository; exit with its verdict",
		Long: `Drive the load of a Job that cstest render k8s wrote and somebody else applied: wait for its
pods, arm the mock LLM, give all the same instant to begin, follow their logs, judge the sum
and exit with its verdict. The Job is left where it is. RUN is the Job's name.`,
		Example: `  cstest collect cstest-sale
  cstest collect cstest-sale --namespace load --results-dir results/sale`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runCollect(cmd.Context(), s, &o, args[0]) },
	}
	o.registerResult(cmd)
	o.registerKubectl(cmd)
	return cmd
}

func runCollect(ctx context.Context, s streams, o *collectOptions, run string) error {
	cluster := &kubernetes.Cluster{Kubectl: o.command(), Job: &kubernetes.Job{Name: run, Namespace: o.namespace}}
	text, shards, err := cluster.Attach(ctx)
	if err != nil {
		return err
	}
	if len(text) == 0 || shards < 1 {
		return refused(reason.NothingToCollect, run)
	}
	sc, err := scenario.Parse(pack.ScenarioFile, text, scenario.Options{Recorded: true})
	if err != nil {
		return err
	}
	o.shards, cluster.Job.Shards = shards, shards
	x, err := newJobOf(s, &o.conductOptions, &chosen{Scenario: sc, scale: 1, dir: "."})
	if err != nil {
		return err
	}
	if err := pack.Refuse(sc, shards); err != nil {
		return usageError{err}
	}
	return x.drive(ctx, func(string) (conduct.Cluster, error) { return cluster, nil })
}
