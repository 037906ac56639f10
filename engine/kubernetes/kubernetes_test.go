package kubernetes

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/engine/pack"
)

var update = flag.Bool("update", false, "write the goldens")

func sale() *Job {
	return &Job{
		Name: "cstest-sale", Namespace: "load", Image: "registry.test/cstest:1", Shards: 8, Cores: 2, Memory: "256Mi",
		Args:  []string{"run", ScenarioPath, "--shard", "env", "--journal", "-", "--no-tui", "--quiet"},
		Start: 10 * time.Minute, Load: time.Minute, Drain: 30 * time.Second,
		Pack: &pack.Pack{
			Scenario: []byte("version: 1\nname: sale\n"), Env: []string{"SALE_KEY"},
			Files:   []pack.File{{Path: "data/users.csv", Data: []byte("name\n张三\n")}, {Path: "photo.jpg", Data: []byte{0xff, 0xd8}}},
			Secrets: []pack.File{{Path: "certs/me.key", Data: []byte("key")}},
		},
	}
}

func TestManifestIsTheGolden(t *testing.T) {
	for name, env := range map[string]map[string]string{"job.yaml": nil, "job-with-secret.yaml": {"SALE_KEY": "sesame"}} {
		j := sale()
		j.Env = env
		got, err := j.YAML()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not as it was (%v): go test ./engine/kubernetes -update writes it\n%s", name, err, got)
		}
		if env == nil && strings.Contains(string(got), "kind: Secret") {
			t.Error("a Secret without values")
		}
	}
	if got := sale().SecretCommand(); got != `kubectl create secret generic cstest-sale-secrets --from-literal=SALE_KEY="$SALE_KEY" --from-file=0-certs-me.key=certs/me.key` {
		t.Errorf("the Secret by hand: %s", got)
	}
}

func TestPackThatIsTooLargeIsRefused(t *testing.T) {
	j := sale()
	j.Pack.Files[0].Data = make([]byte, 1<<20)
	if _, err := j.YAML(); err == nil || !strings.HasPrefix(err.Error(), "scenario and data come to 1,048,600 bytes, and a ConfigMap or Secret holds 1,048,576") {
		t.Errorf("%v", err)
	}
}

func TestPodsAreDescribed(t *testing.T) {
	pods, err := parsePods([]byte(`{"items":[
		{"metadata":{"name":"a","annotations":{"batch.kubernetes.io/job-completion-index":"0","cstest/start-at":"x"}},"status":{"phase":"Running","containerStatuses":[{"state":{"running":{}}}]}},
		{"metadata":{"name":"b","annotations":{"batch.kubernetes.io/job-completion-index":"1"}},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes"}]}},
		{"metadata":{"name":"c","annotations":{"batch.kubernetes.io/job-completion-index":"2"}},"status":{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull","message":"no such image"}}}]}},
		{"metadata":{"name":"d","annotations":{"batch.kubernetes.io/job-completion-index":"3"}},"status":{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}},
		{"metadata":{"name":"e","annotations":{"batch.kubernetes.io/job-completion-index":"4"}},"status":{"phase":"Failed","reason":"Evicted","message":"low on memory"}},
		{"metadata":{"name":"f","annotations":{"batch.kubernetes.io/job-completion-index":"9"}},"status":{}},
		{"metadata":{"name":"g"},"status":{}},
		{"metadata":{"name":"h","annotations":{"batch.kubernetes.io/job-completion-index":"5"}},"status":{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}}]}}]}`), 6)
	if err != nil {
		t.Fatal(err)
	}
	want := []pod{
		{name: "a", shard: 0, started: true, told: true},
		{name: "b", shard: 1, waits: "Unschedulable: 0/1 nodes"},
		{name: "c", shard: 2, waits: "ErrImagePull: no such image"},
		{name: "d", shard: 3, started: true, ended: "OOMKilled, exit 137"},
		{name: "e", shard: 4, ended: "Evicted: low on memory"},
		{name: "h", shard: 5},
	}
	if !slices.Equal(pods, want) {
		t.Errorf("%+v\nwant %+v", pods, want)
	}
	if _, err := parsePods([]byte("<html>"), 1); err == nil {
		t.Error("a proxy's page is taken for pods")
	}
}
