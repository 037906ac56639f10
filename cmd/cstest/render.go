package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cstest/cstest/engine/github"
	"github.com/cstest/cstest/engine/slurm"
	"github.com/cstest/cstest/reason"
)

func newRenderCmd(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Write what an engine is given to run a load: a manifest, a batch script, a workflow",
		Example: `  cstest render k8s sale.yaml --shards 8 --image registry.test/cstest:1 > sale-job.yaml
  cstest render slurm sale.yaml --shards 8 > sale.sbatch`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRenderK8sCmd(s), newRenderSlurmCmd(s), newRenderGithubCmd(s))
	return cmd
}

// rendered reads the scenario, refuses what cannot be spread, and says what each
// shard needs on standard error.
func rendered(s streams, o *conductOptions, args []string) (*spreadJob, error) {
	x, err := newSpreadJobUnchecked(s, o, args)
	if err == nil {
		x.tellNeeds()
	}
	return x, err
}

func newRenderK8sCmd(s streams) *cobra.Command {
	var o kubernetesOptions
	cmd := &cobra.Command{
		Use:   "k8s SCENARIO --shards N --image IMAGE",
		Short: "Write a ConfigMap and an Indexed Job; cstest collect drives it once it is applied",
		Example: `  cstest render k8s sale.yaml --shards 8 --image registry.test/cstest:1 > sale-job.yaml
  cstest render k8s sale.yaml --shards 8 --image registry.test/cstest:1 --namespace load | kubectl apply -f -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			x, err := rendered(s, &o.conductOptions, args)
			if err != nil {
				return err
			}
			job, err := o.job(x, false)
			if err != nil {
				return err
			}
			text, err := job.YAML()
			if err != nil {
				return usageError{err}
			}
			if line := job.SecretCommand(); line != "" {
				x.notice(reason.New(reason.SecretByHand, line))
			}
			return written(s, string(text))
		},
	}
	o.registerRender(cmd)
	o.registerKubernetes(cmd)
	cmd.Flags().StringVar(&o.namespace, "namespace", "", "namespace to write into the objects")
	return cmd
}

func newRenderSlurmCmd(s streams) *cobra.Command {
	var o conductOptions
	cmd := &cobra.Command{
		Use:   "slurm SCENARIO --shards N",
		Short: "Write a batch script that runs the load in one allocation",
		Example: `  cstest render slurm sale.yaml --shards 8 > sale.sbatch && sbatch sale.sbatch
  cstest render slurm sale.yaml --shards 8 --cores 4 --scale 50%`,
		Args: cobra.ExactArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		x, err := rendered(s, &o, args)
		if err != nil {
			return err
		}
		flags, err := given(cmd)
		if err != nil {
			return err
		}
		minutes := int((o.startTimeout + x.chosen.TotalDuration() + x.chosen.Load.Drain.D()).Minutes()) + 3
		b := slurm.Batch{Name: "cstest-" + dnsName(x.chosen.Name), Shards: o.shards, Cores: x.needs.Cores, Minutes: minutes, Scenario: args[0], Flags: flags}
		return written(s, b.Script())
	}
	o.registerRender(cmd)
	return cmd
}

func newRenderGithubCmd(s streams) *cobra.Command {
	var o conductOptions
	var lead, runner, version string
	cmd := &cobra.Command{
		Use:   "github SCENARIO --shards N",
		Short: "Write a GitHub workflow: a matrix that drives, and a job that judges",
		Example: `  cstest render github sale.yaml --shards 8 > .github/workflows/sale.yml
  cstest render github sale.yaml --shards 8 --lead=+5min --runner self-hosted`,
		Args: cobra.ExactArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		x, err := rendered(s, &o, args)
		if err != nil {
			return err
		}
		if err := github.Refuse(x.chosen.Scenario, o.shards); err != nil {
			return usageError{err}
		}
		flags, err := given(cmd)
		if err != nil {
			return err
		}
		for i := range flags {
			flags[i] = slurm.Quote(flags[i])
		}
		w := github.Workflow{
			Name: "cstest-" + dnsName(x.chosen.Name), Shards: o.shards, Lead: lead, Scenario: slurm.Quote(args[0]), Flags: flags,
			Env: x.pack.Env, Runner: runner, Version: version,
		}
		for _, word := range []string{lead, runner, version} {
			if strings.ContainsAny(word, "\n\r'\"`$\\") {
				return usagef("--lead, --runner and --version-of-cstest stand in a script: %q is no plain word", word)
			}
		}
		return written(s, w.YAML())
	}
	o.registerRender(cmd)
	f := cmd.Flags()
	f.StringVar(&lead, "lead", "+3min", "how long after the first job the load begins, for every runner to be there")
	f.StringVar(&runner, "runner", "ubuntu-latest", "runs-on of every job")
	f.StringVar(&version, "version-of-cstest", "latest", "version of cstest that jobs install")
	return cmd
}

// given are the flags that change the scenario, as they were given. What --env
// says may be secret and goes into no file.
func given(cmd *cobra.Command) (flags []string, err error) {
	probe := &cobra.Command{}
	(&scenarioFlags{}).register(probe)
	ours := probe.Flags()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case ours.Lookup(f.Name) == nil:
		case f.Name == "env":
			err = refused(reason.FlagsNotRendered)
		default:
			if list, ok := f.Value.(pflag.SliceValue); ok {
				for _, v := range list.GetSlice() {
					flags = append(flags, "--"+f.Name+"="+v)
				}
				return
			}
			flags = append(flags, "--"+f.Name+"="+f.Value.String())
		}
	})
	return flags, err
}

func written(s streams, text string) error {
	if _, err := io.WriteString(s.out, text); err != nil {
		return resultsError{fmt.Errorf("standard output: %w", err)}
	}
	return nil
}
