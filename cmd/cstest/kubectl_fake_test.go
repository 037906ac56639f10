package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// asKubectl makes the test binary be kubectl for a cluster that is a folder: pods
// are processes of this machine, what the cluster knows is in files.
const asKubectl = "TEST_BINARY_IS_KUBECTL"

type fakeCluster struct{ dir string }

func beKubectl(dir string, args []string) int {
	c := fakeCluster{dir}
	var words []string
	for _, a := range args {
		if !strings.HasPrefix(a, "--namespace") && !strings.HasPrefix(a, "--context") {
			words = append(words, a)
		}
	}
	line := strings.Join(words, " ")
	var err error
	switch {
	case line == "apply -f -":
		err = c.apply(os.Stdin)
	case strings.HasPrefix(line, "get pods"):
		err = c.pods(os.Stdout)
	case strings.HasPrefix(line, "get "):
		err = c.get(os.Stdout, strings.Fields(words[1])[0])
	case strings.HasPrefix(line, "annotate "):
		err = c.annotate(words[2:])
	case strings.HasPrefix(line, "logs -f "):
		err = c.logs(os.Stdout, words[len(words)-1])
	case strings.HasPrefix(line, "delete "):
		c.each(func(pod string) { c.signal(pod, syscall.SIGTERM) })
		err = os.WriteFile(filepath.Join(dir, "deleted"), []byte(line), 0o600)
	default:
		err = fmt.Errorf("no such call: %s", line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

func (c fakeCluster) path(parts ...string) string {
	return filepath.Join(append([]string{c.dir}, parts...)...)
}

func (c fakeCluster) text(parts ...string) string {
	b, _ := os.ReadFile(c.path(parts...)) // what is not there is empty
	return strings.TrimSpace(string(b))
}

func (c fakeCluster) each(do func(pod string)) {
	pods, _ := filepath.Glob(c.path("pod-*"))
	for _, p := range pods {
		do(filepath.Base(p))
	}
}

func (c fakeCluster) signal(pod string, s syscall.Signal) {
	if pid, err := strconv.Atoi(c.text(pod, "pid")); err == nil && c.text(pod, "code") == "" {
		_ = syscall.Kill(pid, s) // it may have ended
	}
}

// applied is what the fake reads of a manifest.
type applied struct {
	Items []struct {
		Kind string
		Data map[string]string
		Spec struct {
			Completions int
			Template    struct {
				Spec struct {
					Containers []struct {
						Args []string
						Env  []struct {
							Name, Value string
							ValueFrom   struct{ SecretKeyRef struct{ Key string } }
						}
					}
					Volumes []struct {
						Projected struct {
							Sources []struct {
								ConfigMap, Secret struct{ Items []struct{ Key, Path string } }
							}
						}
					}
				}
			}
		}
	}
}

func (c fakeCluster) apply(in io.Reader) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var m applied
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	if err := os.WriteFile(c.path("applied.json"), text, 0o600); err != nil {
		return err
	}
	data := map[string]string{}
	for _, o := range m.Items {
		for k, v := range o.Data {
			if o.Kind == "Secret" {
				b, err := base64.StdEncoding.DecodeString(v)
				if err != nil {
					return err
				}
				v = string(b)
			}
			data[k] = v
		}
	}
	for _, o := range m.Items {
		if o.Kind != "Job" {
			continue
		}
		spec := o.Spec.Template.Spec
		for _, s := range spec.Volumes[0].Projected.Sources {
			for _, i := range append(s.ConfigMap.Items, s.Secret.Items...) {
				to := c.path("plan", i.Path)
				if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
					return err
				}
				if err := os.WriteFile(to, []byte(data[i.Key]), 0o600); err != nil {
					return err
				}
			}
		}
		for i := range o.Spec.Completions {
			env := []string{fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i)}
			for _, e := range spec.Containers[0].Env {
				if e.ValueFrom.SecretKeyRef.Key != "" {
					e.Value = data[e.ValueFrom.SecretKeyRef.Key]
				}
				env = append(env, e.Name+"="+e.Value)
			}
			if err := c.start(i, spec.Containers[0].Args, env); err != nil {
				return err
			}
		}
	}
	return nil
}

// start runs a pod, which outlives this process.
func (c fakeCluster) start(i int, args, env []string) error {
	pod := fmt.Sprintf("pod-%d", i)
	if err := os.MkdirAll(c.path(pod), 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	words := []string{"-c", `"$@" >log 2>&1 & echo $! >pid; wait $!; echo $? >code`, "sh", self}
	for _, a := range args {
		a = strings.ReplaceAll(a, "/plan/", c.path("plan")+"/")
		words = append(words, strings.ReplaceAll(a, "/podinfo/", c.path(pod)+"/"))
	}
	cmd := exec.Command("sh", words...)
	cmd.Dir = c.path(pod)
	cmd.Env = append(append(os.Environ(), asKubectl+"=", asCstest+"=1"), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

func (c fakeCluster) pods(out io.Writer) error {
	var items []any
	c.each(func(pod string) {
		if c.text("deleted") != "" && c.text(pod, "code") != "" {
			return
		}
		state := map[string]any{"running": map[string]any{}}
		if code := c.text(pod, "code"); code != "" {
			n, _ := strconv.Atoi(code)
			state = map[string]any{"terminated": map[string]any{"reason": map[bool]string{true: "Completed", false: "Error"}[n == 0], "exitCode": n}}
		}
		status := map[string]any{"phase": "Running", "containerStatuses": []any{map[string]any{"state": state}}}
		if why := c.text("pending"); why != "" {
			status = map[string]any{"phase": "Pending", "conditions": []any{map[string]any{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}}}
		}
		annotations := map[string]string{"batch.kubernetes.io/job-completion-index": strings.TrimPrefix(pod, "pod-")}
		if at := c.text(pod, "start-at"); at != "" {
			annotations["cstest/start-at"] = at
		}
		items = append(items, map[string]any{"metadata": map[string]any{"name": pod, "annotations": annotations}, "status": status})
	})
	return json.NewEncoder(out).Encode(map[string]any{"items": items})
}

func (c fakeCluster) get(out io.Writer, what string) error {
	text, err := os.ReadFile(c.path("applied.json"))
	if err != nil {
		return fmt.Errorf("%s not found", what)
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	for _, o := range list.Items {
		kind, _, _ := strings.Cut(what, "/")
		if strings.EqualFold(fmt.Sprint(o["kind"]), kind) {
			return json.NewEncoder(out).Encode(o)
		}
	}
	return fmt.Errorf("%s not found", what)
}

func (c fakeCluster) annotate(words []string) (err error) {
	_, at, _ := strings.Cut(words[len(words)-1], "=")
	c.each(func(pod string) {
		if words[0] != "pods" && words[1] != pod {
			return
		}
		if e := os.WriteFile(c.path(pod, "start-at.new"), []byte(at), 0o600); e != nil {
			err = e
		}
		if e := os.Rename(c.path(pod, "start-at.new"), c.path(pod, "start-at")); e != nil {
			err = e
		}
	})
	return err
}

func (c fakeCluster) logs(out io.Writer, pod string) error {
	f, err := os.Open(c.path(pod, "log"))
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	for {
		if os.Remove(c.path(pod, "breaks")) == nil {
			_, err := io.CopyN(out, f, 100) // within a line, as it may be
			return errors.Join(err, errors.New("the connection to the server was lost"))
		}
		over := c.text(pod, "code") != ""
		if _, err := io.Copy(out, f); err != nil || over {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}
