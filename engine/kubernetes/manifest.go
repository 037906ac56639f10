// Package kubernetes runs the shards of a load as the pods of one Indexed Job,
// through kubectl, so that every cluster's login works.
package kubernetes

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/cstest/cstest/engine/pack"
	"github.com/cstest/cstest/reason"
)

// Job is a load as Kubernetes is told of it.
type Job struct {
	Name      string // of the job, and value of the label cstest/run
	Namespace string // empty: kubectl's own
	Image     string
	Shards    int
	Cores     int
	Memory    string // as Kubernetes writes it
	Pack      *pack.Pack
	Args      []string          // of cstest in a pod, but for --start-at
	Env       map[string]string // values of the pack's variables; nil leaves the Secret to others
	Start     time.Duration     // how long pods may wait for t = 0
	Load      time.Duration     // plan and drain
	Drain     time.Duration
}

// Where things are in a pod.
const (
	planDir    = "/plan"
	infoDir    = "/podinfo"
	annotation = "cstest/start-at"
	runLabel   = "cstest/run"
	user       = 65532
	// mostConfig is what a ConfigMap or a Secret may hold.
	mostConfig = 1 << 20
)

// ScenarioPath is where a pod has the scenario.
const ScenarioPath = planDir + "/" + pack.ScenarioFile

type object = map[string]any

// Objects are the ConfigMap, the Secret where there are values for one, and the
// Job. It errs, with the reason, where a pack is larger than either may be.
func (j *Job) Objects() ([]any, error) {
	plan, err := j.configMap()
	if err != nil {
		return nil, err
	}
	all := []any{plan}
	if j.secretive() && j.Env != nil {
		secret, err := j.secret()
		if err != nil {
			return nil, err
		}
		all = append(all, secret)
	}
	return append(all, j.job()), nil
}

// YAML is the objects as documents of one file.
func (j *Job) YAML() ([]byte, error) {
	objects, err := j.Objects()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for i, o := range objects {
		text, err := yaml.Marshal(o)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

func (j *Job) meta(name string) object {
	m := object{"name": name, "labels": j.labels()}
	if j.Namespace != "" {
		m["namespace"] = j.Namespace
	}
	return m
}

func (j *Job) labels() object { return object{"app.kubernetes.io/name": "cstest", runLabel: j.Name} }

// PlanName and SecretName are what the Job finds its scenario and secrets by.
func (j *Job) PlanName() string { return j.Name + "-plan" }

// SecretName is PlanName's for secrets.
func (j *Job) SecretName() string { return j.Name + "-secrets" }

func (j *Job) secretive() bool { return len(j.Pack.Env)+len(j.Pack.Secrets) > 0 }

// key is the name of a file in a ConfigMap, which has no folders.
func key(i int, path string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, path)
	return fmt.Sprintf("%d-%s", i, name[max(0, len(name)-200):])
}

func (j *Job) configMap() (object, error) {
	text, binary, size := object{pack.ScenarioFile: string(j.Pack.Scenario)}, object{}, len(j.Pack.Scenario)
	for i, f := range j.Pack.Files {
		size += len(f.Data)
		if utf8.Valid(f.Data) {
			text[key(i, f.Path)] = string(f.Data)
		} else {
			binary[key(i, f.Path)] = base64.StdEncoding.EncodeToString(f.Data)
		}
	}
	if size > mostConfig {
		return nil, reason.Err(reason.New(reason.PackTooLarge, int64(size), int64(mostConfig)))
	}
	o := object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": j.meta(j.PlanName()), "data": text}
	if len(binary) > 0 {
		o["binaryData"] = binary
	}
	return o, nil
}

func (j *Job) secret() (object, error) {
	data, size := object{}, 0
	for _, name := range j.Pack.Env {
		size += len(j.Env[name])
		data[name] = base64.StdEncoding.EncodeToString([]byte(j.Env[name]))
	}
	for i, f := range j.Pack.Secrets {
		size += len(f.Data)
		data[key(i, f.Path)] = base64.StdEncoding.EncodeToString(f.Data)
	}
	if size > mostConfig {
		return nil, reason.Err(reason.New(reason.PackTooLarge, int64(size), int64(mostConfig)))
	}
	return object{"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": j.meta(j.SecretName()), "data": data}, nil
}

// SecretCommand creates the Secret that the Job reads, for who applies it from a repository.
func (j *Job) SecretCommand() string {
	if !j.secretive() {
		return ""
	}
	words := []string{"kubectl create secret generic", j.SecretName()}
	for _, name := range j.Pack.Env {
		words = append(words, fmt.Sprintf(`--from-literal=%s="$%s"`, name, name))
	}
	for i, f := range j.Pack.Secrets {
		words = append(words, fmt.Sprintf("--from-file=%s=%s", key(i, f.Path), f.Path))
	}
	return strings.Join(words, " ")
}
