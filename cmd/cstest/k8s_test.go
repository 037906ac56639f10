package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// kubernetesRun is a command that speaks to a cluster of a test, under way.
type kubernetesRun struct {
	*running
	cluster fakeCluster
	talker  *talker
	dir     string
	path    string
}

func onKubernetes(t *testing.T, length string, prepare func(c fakeCluster), command func(r *kubernetesRun) []string) *kubernetesRun {
	t.Helper()
	r := &kubernetesRun{cluster: fakeCluster{t.TempDir()}, talker: &talker{}, dir: filepath.Join(t.TempDir(), "sum")}
	home := t.TempDir()
	text := strings.Replace(direct(r.talker.start(t), ", headers: {x-key: \"${env:SALE_KEY}\", x-file: \"${file:key.txt}\"}", "{arrivals: constant, drain: 5s, stages: [{name: steady, for: "+length+", starts: 40/s}]}"),
		"say: 你好", `say: "${users.name}，你好"`, 1) + "data: {users: {csv: data/users.csv}}\n"
	for name, content := range map[string]string{"s.yaml": text, "data/users.csv": "name\n张三\n李四\n", "key.txt": "hidden"} {
		r.path = filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.path = filepath.Join(home, "s.yaml")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := "#!/bin/sh\n" + asKubectl + "=" + r.cluster.dir + " exec " + self + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(r.cluster)
	}
	cmd := commandOf(t, r, bin, command)
	t.Cleanup(func() { r.cluster.each(func(pod string) { r.cluster.signal(pod, syscall.SIGKILL) }) })
	r.running = underWay(t, cmd)
	return r
}

func commandOf(t *testing.T, r *kubernetesRun, bin string, args func(r *kubernetesRun) []string) *exec.Cmd {
	t.Helper()
	cmd := command(t, args(r)...)
	cmd.Env = append(cmd.Env, "SALE_KEY=sesame", "PATH="+bin+":"+os.Getenv("PATH"))
	return cmd
}

func k8sRun(more ...string) func(*kubernetesRun) []string {
	return func(r *kubernetesRun) []string {
		return append([]string{"k8s", "run", r.path, "--shards", "3", "--image", "x/cstest:1", "--no-tui", "--results-dir", r.dir}, more...)
	}
}

func (r *kubernetesRun) drives(t *testing.T, turns int) {
	t.Helper()
	until(t, strconv.Itoa(turns)+" turns", func() bool {
		n, _ := r.talker.counts()
		select {
		case <-r.done:
			t.Fatalf("it ended first\n%s", &r.stderr)
		default:
		}
		return n.Turns >= turns
	})
}

// wasTold holds an output of all shards to the result: the last second has every turn,
// and the seconds have all of it once.
func (r *kubernetesRun) wasTold(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := open(t, r.dir)
	var turns, total, seconds int64
	var verdict string
	for line := range strings.Lines(string(text)) {
		var l struct {
			Type     string
			Turns    int64
			Verdict  string
			InFlight *int64 `json:"in_flight"`
			Total    struct{ Turns int64 }
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Type == "second" {
			turns, total, seconds = turns+l.Turns, l.Total.Turns, seconds+1
		}
		if l.InFlight != nil {
			t.Error("turns in flight are told, which journals do not have")
		}
		verdict = l.Verdict
	}
	if want := doc.Counts.Turns; turns != want || total != want || seconds < 2 || verdict != doc.Verdict {
		t.Errorf("%d turns in %d seconds, %d in all, %q; the result has %d, %q", turns, seconds, total, verdict, want, doc.Verdict)
	}
	if o := doc.Outputs; len(o) != 1 || o[0].Seconds != seconds || o[0].SecondsDropped+o[0].Failed > 0 {
		t.Errorf("outputs %+v of %d seconds", o, seconds)
	}
}

func TestKubernetesRun(t *testing.T) {
	t.Parallel()
	t.Run("pass", func(t *testing.T) {
		t.Parallel()
		var notices atomic.Int64
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
			if body, err := io.ReadAll(q.Body); err == nil && strings.Contains(string(body), `"verdict":"pass"`) {
				notices.Add(1)
			}
		}))
		t.Cleanup(receiver.Close)
		told := filepath.Join(t.TempDir(), "seconds.jsonl")
		r := onKubernetes(t, "3s", nil, k8sRun("--out", "json="+told, "--namespace", "load", "--set", "notify=[{kind: webhook, url: \""+receiver.URL+"\"}]"))
		if code := r.ends(t); code != exitPass {
			t.Fatalf("exit %d\n%s", code, &r.stderr)
		}
		if notices.Load() != 1 {
			t.Errorf("told of the verdict %d times: shards tell nobody, who adds them up does once\n%s", notices.Load(), &r.stderr)
		}
		if doc := open(t, r.dir); doc.Verdict != "pass" || doc.Counts.Turns != 240 {
			t.Errorf("%s of %d turns", doc.Verdict, doc.Counts.Turns)
		}
		r.wasTold(t, told)
		if n, twice := r.talker.counts(); n.Turns != 243 || twice > 2 {
			t.Errorf("the target saw %d turns, %d of them twice", n.Turns, twice)
		}
		if got := r.cluster.text("deleted"); !strings.Contains(got, "delete job,configmap,secret -l cstest/run=cstest-direct-") {
			t.Errorf("cleaned up by %q", got)
		}
		if strings.Contains(r.cluster.text("applied.json"), "sesame") || strings.Contains(r.stderr.String(), "sesame") {
			t.Error("a secret stands in the open")
		}
	})
	t.Run("pod killed", func(t *testing.T) {
		t.Parallel()
		r := onKubernetes(t, "4s", nil, k8sRun())
		r.drives(t, 100)
		r.cluster.signal("pod-2", syscall.SIGKILL)
		code := r.ends(t)
		if doc := open(t, r.dir); code != 11 || doc.Verdict != "incomplete" || !strings.HasPrefix(doc.Reasons[0], "shard 2/3 is cut off after ") ||
			!slices.Contains(doc.Warnings, "of the end of shard 2/3 the engine says: Error, exit 137") {
			t.Errorf("exit %d, %s %q\n%s", code, doc.Verdict, doc.Reasons, &r.stderr)
		}
	})
	// A connection that is lost while the load lasts costs nothing of what was recorded.
	t.Run("a log breaks off", func(t *testing.T) {
		t.Parallel()
		told := filepath.Join(t.TempDir(), "seconds.jsonl")
		r := onKubernetes(t, "4s", nil, k8sRun("--out", "json="+told))
		r.drives(t, 100)
		for _, pod := range []string{"pod-0", "pod-2"} {
			if err := os.WriteFile(r.cluster.path(pod, "breaks"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code := r.ends(t)
		if doc := open(t, r.dir); code != exitPass || doc.Counts.Turns != 320 {
			t.Errorf("exit %d, %d turns, %q\n%s", code, doc.Counts.Turns, doc.Reasons, &r.stderr)
		}
		r.wasTold(t, told)
		if _, err := os.Stat(r.cluster.path("pod-2", "breaks")); err == nil {
			t.Error("nobody followed the log")
		}
	})
	t.Run("a secret is missing", func(t *testing.T) {
		t.Parallel()
		r := onKubernetes(t, "4s", nil, k8sRun("--set", "target.auth.bearer=${file:none}"))
		if code := r.ends(t); code != exitUsage || !strings.Contains(r.stderr.String(), "${file:none}") && !strings.Contains(r.stderr.String(), "none, which the scenario reads") || r.cluster.text("applied.json") != "" {
			t.Errorf("exit %d\n%s", code, &r.stderr)
		}
	})
	t.Run("pending", func(t *testing.T) {
		t.Parallel()
		r := onKubernetes(t, "4s", func(c fakeCluster) {
			if err := os.WriteFile(c.path("pending"), []byte("0/4 nodes are available: 4 Insufficient cpu."), 0o600); err != nil {
				t.Fatal(err)
			}
		}, k8sRun("--start-timeout", "3s"))
		code := r.ends(t)
		if said := r.stderr.String(); code != exitTarget || !strings.Contains(said, "nothing was sent: 3 pods: Unschedulable: 0/4 nodes are available: 4 Insufficient cpu.") {
			t.Errorf("exit %d\n%s", code, said)
		}
		if n, _ := r.talker.counts(); n.Turns != 0 {
			t.Errorf("%d turns were sent", n.Turns)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		r := onKubernetes(t, "20s", nil, k8sRun())
		r.drives(t, 100)
		if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		code := r.ends(t)
		if doc := open(t, r.dir); code != exitInterrupt || doc.Verdict != "incomplete" || slices.ContainsFunc(doc.Reasons, func(s string) bool { return strings.Contains(s, "cut off") }) {
			t.Errorf("exit %d, %s %q\n%s", code, doc.Verdict, doc.Reasons, &r.stderr)
		}
	})
	t.Run("collect", func(t *testing.T) {
		t.Parallel()
		var job fakeCluster
		r := onKubernetes(t, "3s", func(c fakeCluster) { job = c }, func(r *kubernetesRun) []string {
			// Somebody else applies what is rendered.
			cmd := command(t, "k8s", "run", r.path, "--shards", "3", "--image", "x/cstest:1", "--results-dir", filepath.Join(t.TempDir(), "x"), "--start-timeout", "1ms")
			bin := t.TempDir()
			script := "#!/bin/sh\ncase \"$1\" in apply) cat > " + job.path("list.json") + ";; esac\n"
			if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd.Env = append(cmd.Env, "SALE_KEY=sesame", "PATH="+bin+":"+os.Getenv("PATH"))
			_ = finished(t, cmd)
			f, err := os.Open(job.path("list.json"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := job.apply(f); err != nil {
				t.Fatal(err)
			}
			return []string{"collect", "cstest-direct", "--no-tui", "--results-dir", r.dir}
		})
		if code := r.ends(t); code != exitPass {
			t.Fatalf("exit %d\n%s", code, &r.stderr)
		}
		if doc := open(t, r.dir); doc.Counts.Turns != 240 || job.text("deleted") != "" {
			t.Errorf("%d turns; deleted: %q", doc.Counts.Turns, job.text("deleted"))
		}
	})
}
