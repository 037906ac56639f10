package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// What cstest render k8s writes is what Kubernetes reads: every field is known to
// its own types, and means what was meant.
func TestManifestsDecodeStrictly(t *testing.T) {
	files, err := filepath.Glob("../*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, doc := range bytes.Split(text, []byte("\n---\n")) {
			var kind struct{ Kind string }
			if err := yaml.Unmarshal(doc, &kind); err != nil {
				t.Fatal(err)
			}
			kinds[kind.Kind]++
			into := map[string]any{"ConfigMap": &corev1.ConfigMap{}, "Secret": &corev1.Secret{}, "Job": &batchv1.Job{}}[kind.Kind]
			if into == nil {
				t.Fatalf("%s: kind %q", file, kind.Kind)
			}
			if err := yaml.UnmarshalStrict(doc, into); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if job, ok := into.(*batchv1.Job); ok {
				checkJob(t, job)
			}
		}
		if kinds["Job"] != 1 || kinds["ConfigMap"] != 1 {
			t.Errorf("%s: %v", file, kinds)
		}
	}
}

func checkJob(t *testing.T, j *batchv1.Job) {
	t.Helper()
	if *j.Spec.CompletionMode != batchv1.IndexedCompletion || *j.Spec.Completions != *j.Spec.Parallelism || *j.Spec.PodReplacementPolicy != batchv1.Failed || *j.Spec.BackoffLimitPerIndex < 1 {
		t.Errorf("no gang: %+v", j.Spec)
	}
	pod := j.Spec.Template.Spec
	c := pod.Containers[0]
	if !c.Resources.Requests.Cpu().Equal(*c.Resources.Limits.Cpu()) || c.Resources.Limits.Cpu().MilliValue()%1000 != 0 || !c.Resources.Requests.Memory().Equal(*c.Resources.Limits.Memory()) {
		t.Errorf("resources: %+v", c.Resources)
	}
	if *pod.AutomountServiceAccountToken || !*pod.SecurityContext.RunAsNonRoot || !*c.SecurityContext.ReadOnlyRootFilesystem || *c.SecurityContext.AllowPrivilegeEscalation || c.SecurityContext.Capabilities.Drop[0] != "ALL" {
		t.Errorf("rights: %+v %+v", pod.SecurityContext, c.SecurityContext)
	}
	if len(c.Command) != 1 || c.Command[0] != "/cstest" || pod.TopologySpreadConstraints[0].WhenUnsatisfiable != corev1.ScheduleAnyway {
		t.Errorf("pod: %q %+v", c.Command, pod.TopologySpreadConstraints)
	}
}
