package kubernetes

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// podList is what kubectl tells of pods, as far as it matters here.
type podList struct {
	Items []podItem `json:"items"`
}

type podItem struct {
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
		Deleted     string            `json:"deletionTimestamp"`
	} `json:"metadata"`
	Status struct {
		Phase      string `json:"phase"`
		Reason     string `json:"reason"`
		Message    string `json:"message"`
		Conditions []struct {
			Type    string `json:"type"`
			Status  string `json:"status"`
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"conditions"`
		Containers []struct {
			State struct {
				Running *struct{} `json:"running"`
				Waiting *struct {
					Reason  string `json:"reason"`
					Message string `json:"message"`
				} `json:"waiting"`
				Terminated *struct {
					Reason   string `json:"reason"`
					ExitCode int    `json:"exitCode"`
				} `json:"terminated"`
			} `json:"state"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// pod is one of them.
type pod struct {
	name    string
	shard   int
	started bool   // it has a log
	told    bool   // of t = 0
	ended   string // how, where it has
	waits   string // why it does not run yet, where that is told
}

// parsePods reads `kubectl get pods -o json`. Pods without an index of so many are left out.
func parsePods(text []byte, shards int) ([]pod, error) {
	var list podList
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("kubectl get pods: %w", err)
	}
	var pods []pod
	for i := range list.Items {
		item := &list.Items[i]
		index, err := strconv.Atoi(item.Metadata.Annotations["batch.kubernetes.io/job-completion-index"])
		if err != nil || index < 0 || index >= shards {
			continue
		}
		p := pod{name: item.Metadata.Name, shard: index, told: item.Metadata.Annotations[annotation] != ""}
		item.describe(&p)
		pods = append(pods, p)
	}
	return pods, nil
}

func (i *podItem) describe(p *pod) {
	for _, c := range i.Status.Conditions {
		if c.Type == "PodScheduled" && c.Status == "False" {
			p.waits = joined(c.Reason, c.Message)
		}
	}
	for _, c := range i.Status.Containers {
		switch {
		case c.State.Running != nil:
			p.started = true
		case c.State.Terminated != nil:
			p.started = true
			p.ended = fmt.Sprintf("%s, exit %d", orElse(c.State.Terminated.Reason, "ended"), c.State.Terminated.ExitCode)
		case c.State.Waiting != nil && c.State.Waiting.Reason != "ContainerCreating":
			p.waits = joined(c.State.Waiting.Reason, c.State.Waiting.Message)
		}
	}
	switch over := i.Status.Phase == "Failed" || i.Status.Phase == "Succeeded"; {
	case over && p.ended == "":
		p.ended = orElse(joined(i.Status.Reason, i.Status.Message), i.Status.Phase)
	case over:
		p.ended = joined(i.Status.Reason, p.ended) // Evicted, and the like
	}
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}
