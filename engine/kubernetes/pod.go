package kubernetes

import (
	"strconv"
	"time"

	"github.com/cstest/cstest/engine/pack"
)

// job is the Indexed Job: a pod for each shard, none of which is started again
// once it has driven something.
func (j *Job) job() object {
	return object{
		"apiVersion": "batch/v1", "kind": "Job", "metadata": j.meta(j.Name),
		"spec": object{
			"completionMode": "Indexed", "completions": j.Shards, "parallelism": j.Shards,
			"backoffLimitPerIndex": 2, "maxFailedIndexes": j.Shards,
			// A pod that goes has its place taken once it has ended: no two of a shard.
			"podReplacementPolicy": "Failed",
			"podFailurePolicy": object{"rules": []any{
				object{"action": "FailIndex", "onExitCodes": object{"containerName": "cstest", "operator": "In", "values": []int{11, 12, 64, 69, 70, 74}}},
				object{"action": "Ignore", "onPodConditions": []any{object{"type": "DisruptionTarget", "status": "True"}}},
			}},
			"activeDeadlineSeconds":   seconds(j.Start + j.Load + 5*time.Minute),
			"ttlSecondsAfterFinished": 24 * 3600,
			"template":                object{"metadata": object{"labels": j.labels()}, "spec": j.pod()},
		},
	}
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (j *Job) pod() object {
	return object{
		"restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
		"terminationGracePeriodSeconds": seconds(j.Drain + 15*time.Second),
		"topologySpreadConstraints": []any{object{
			"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
			"labelSelector": object{"matchLabels": object{runLabel: j.Name}},
		}},
		"securityContext": object{
			"runAsNonRoot": true, "runAsUser": user, "runAsGroup": user, "fsGroup": user, "seccompProfile": object{"type": "RuntimeDefault"},
		},
		"containers": []any{j.container()},
		"volumes":    j.volumes(),
	}
}

func (j *Job) container() object {
	resources := object{"cpu": strconv.Itoa(max(j.Cores, 1)), "memory": j.Memory}
	env := []any{object{"name": "CSTEST_SHARDS", "value": strconv.Itoa(j.Shards)}}
	for _, name := range j.Pack.Env {
		env = append(env, object{"name": name, "valueFrom": object{"secretKeyRef": object{"name": j.SecretName(), "key": name}}})
	}
	mount := func(name, path string, readOnly bool) object {
		m := object{"name": name, "mountPath": path}
		if readOnly {
			m["readOnly"] = true
		}
		return m
	}
	return object{
		"name": "cstest", "image": j.Image,
		"command":   []string{"/cstest"},
		"args":      append(append([]string{}, j.Args...), "--start-at", "@"+infoDir+"/start-at"),
		"env":       env,
		"resources": object{"requests": resources, "limits": resources}, // the same: of the class that is evicted last
		"securityContext": object{
			"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": []string{"ALL"}},
		},
		"volumeMounts": []any{mount("plan", planDir, true), mount("podinfo", infoDir, true), mount("tmp", "/tmp", false)},
	}
}

// volumes are the plan with its secrets in one folder, the pod's annotation as a
// file, and a place for temporary ones.
func (j *Job) volumes() []any {
	items := []any{object{"key": pack.ScenarioFile, "path": pack.ScenarioFile}}
	for i, f := range j.Pack.Files {
		items = append(items, object{"key": key(i, f.Path), "path": f.Path})
	}
	sources := []any{object{"configMap": object{"name": j.PlanName(), "items": items}}}
	if len(j.Pack.Secrets) > 0 {
		items = nil
		for i, f := range j.Pack.Secrets {
			items = append(items, object{"key": key(i, f.Path), "path": f.Path, "mode": 0o440})
		}
		sources = append(sources, object{"secret": object{"name": j.SecretName(), "items": items}})
	}
	return []any{
		object{"name": "plan", "projected": object{"sources": sources}},
		object{"name": "podinfo", "downwardAPI": object{"items": []any{
			object{"path": "start-at", "fieldRef": object{"fieldPath": "metadata.annotations['" + annotation + "']"}},
		}}},
		object{"name": "tmp", "emptyDir": object{"sizeLimit": "256Mi"}},
	}
}
