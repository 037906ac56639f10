package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cstest/cstest/engine/pack"
	"github.com/cstest/cstest/reason"
)

func sortReasons(list reason.Reasons) { slices.SortFunc(list, reason.Compare) }

// Attach finds a load that somebody else applied: its scenario as its pods have
// it, and how many they are.
func (c *Cluster) Attach(ctx context.Context) (scenario []byte, shards int, err error) {
	var job struct {
		Spec struct {
			Completions int `json:"completions"`
		} `json:"spec"`
	}
	var plan struct {
		Data map[string]string `json:"data"`
	}
	for name, to := range map[string]any{"job/" + c.Job.Name: &job, "configmap/" + c.Job.PlanName(): &plan} {
		text, err := c.call(ctx, nil, "get", name, "-o", "json")
		if err != nil {
			return nil, 0, err
		}
		if err := json.Unmarshal(text, to); err != nil {
			return nil, 0, fmt.Errorf("kubectl get %s: %w", name, err)
		}
	}
	c.Applied = true
	return []byte(plan.Data[pack.ScenarioFile]), job.Spec.Completions, nil
}
