package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/engine/conduct"
	"github.com/cstest/cstest/engine/kubernetes"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
)

// kubernetesOptions say how a load is put on Kubernetes.
type kubernetesOptions struct {
	conductOptions
	kubectlOptions
	image, memory, name string
}

// kubectlOptions say which cluster.
type kubectlOptions struct{ namespace, context, kubeconfig string }

func (o *kubectlOptions) registerKubectl(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.namespace, "namespace", "", "namespace (default: kubectl's)")
	f.StringVar(&o.context, "context", "", "context of kubectl's configuration (default: the current one)")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubectl's configuration (default: kubectl's)")
}

// command is kubectl for that cluster.
func (o *kubectlOptions) command() []string {
	words := []string{"kubectl"}
	if o.context != "" {
		words = append(words, "--context="+o.context)
	}
	if o.kubeconfig != "" {
		words = append(words, "--kubeconfig="+o.kubeconfig)
	}
	return words
}

func (o *kubernetesOptions) registerKubernetes(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.image, "image", "", "image that holds cstest, as pods pull it (needed)")
	f.StringVar(&o.memory, "memory", "256Mi", "memory of each shard, as Kubernetes writes it")
	f.StringVar(&o.name, "name", "", "name of the job (default cstest-<scenario>)")
}

func newK8sCmd(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "k8s",
		Short: "Run a load as the pods of one Kubernetes Job",
		Example: `  cstest k8s run sale.yaml --shards 8 --image registry.test/cstest:1
  cstest k8s run --help`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var o kubernetesOptions
	run := &cobra.Command{
		Use:   "run SCENARIO --shards N --image IMAGE",
		Short: "Spread a load over Kubernetes, show it live, judge the sum, exit with its verdict",
		Long: `Run a scenario as an Indexed Job of N pods, through kubectl. All pods wait until every one
is ready, and begin at the same instant; their journals come back in their logs. What was
applied is removed at the end. A pod that is deleted, evicted or out of memory leaves the
others going: the report says what is missing and whether it could matter. The first Ctrl-C
drains all of them.`,
		Example: `  cstest k8s run sale.yaml --shards 8 --image registry.test/cstest:1
  cstest k8s run sale.yaml --shards 8 --image registry.test/cstest:1 --namespace load --context staging`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runK8s(cmd.Context(), s, &o, args) },
	}
	o.registerConduct(run)
	o.registerKubernetes(run)
	o.registerKubectl(run)
	cmd.AddCommand(run)
	return cmd
}

// job is the load as Kubernetes is told of it; withSecrets puts their values in.
func (o *kubernetesOptions) job(x *spreadJob, withSecrets bool) (*kubernetes.Job, error) {
	if o.image == "" {
		return nil, refused(reason.ImageMissing)
	}
	name := o.name
	if name == "" {
		name = "cstest-" + dnsName(x.chosen.Name)
	}
	j := &kubernetes.Job{
		Name: name, Namespace: o.namespace, Image: o.image, Shards: o.shards, Cores: x.needs.Cores, Memory: o.memory, Pack: x.pack,
		Args:  x.command("", kubernetes.ScenarioPath)[1:],
		Start: o.startTimeout, Load: x.chosen.TotalDuration() + x.chosen.Load.Drain.D(), Drain: x.chosen.Load.Drain.D(),
	}
	if !withSecrets {
		return j, nil
	}
	j.Env = map[string]string{}
	for _, v := range x.pack.Env {
		value, err := x.chosen.Secret("env:" + v)
		if err != nil {
			return nil, usageError{err}
		}
		j.Env[v] = value
	}
	return j, nil
}

// dnsName is a scenario's name as Kubernetes takes one.
func dnsName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, escape.Slug(name))
	name = strings.Trim(name[:min(len(name), 40)], "-")
	if name == "" {
		return "run"
	}
	return name
}

func runK8s(ctx context.Context, s streams, o *kubernetesOptions, args []string) error {
	x, err := newSpreadJob(s, &o.conductOptions, args)
	if err != nil {
		return err
	}
	if o.name == "" { // a former run of the same name may still be ending
		o.name = "cstest-" + dnsName(x.chosen.Name) + "-" + time.Now().UTC().Format("150405")
	}
	job, err := o.job(x, true)
	if err != nil {
		return err
	}
	return x.drive(ctx, func(string) (conduct.Cluster, error) {
		return &kubernetes.Cluster{Kubectl: o.command(), Job: job}, nil
	})
}
