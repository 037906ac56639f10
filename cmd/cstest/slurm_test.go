package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/scenario"
)

// slurmRun is `cstest slurm run` of four shards, under way.
type slurmRun struct {
	*running
	talker *talker
	dir    string
}

func (c *slurmCluster) run(t *testing.T, name, length, nodes string, args ...string) *slurmRun {
	t.Helper()
	r := &slurmRun{talker: &talker{}, dir: filepath.Join(t.TempDir(), "sum")}
	url := r.talker.start(t)
	home := t.TempDir()
	text := strings.Replace(direct(url, "", "{arrivals: constant, drain: 5s, stages: [{name: steady, for: "+length+", starts: 40/s}]}"), "say: 你好", `say: "${users.name}，你好"`, 1) +
		"data: {users: {csv: users.csv}}\n"
	text = strings.Replace(text, "name: direct", "name: "+name, 1)
	for name, content := range map[string]string{"s.yaml": text, "users.csv": "name\n张三\n李四\n"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := command(t, append([]string{"slurm", "run", filepath.Join(home, "s.yaml"), "--shards", "4", "--no-tui", "--results-dir", r.dir}, append(args, "--", "--nodelist="+nodes)...)...)
	cmd.Env = append(cmd.Env, "SLURM_CONF="+c.conf)
	r.running = underWay(t, cmd)
	return r
}

// drives waits until the talker has seen turns.
func (r *slurmRun) drives(t *testing.T, turns int) {
	t.Helper()
	until(t, fmt.Sprintf("%d turns", turns), func() bool {
		n, _ := r.talker.counts()
		select {
		case <-r.done:
			t.Fatalf("it ended first\n%s", &r.stderr)
		default:
		}
		return n.Turns >= turns
	})
}

// A real Slurm: what its report says of each thing that can happen to a shard.
func TestSlurm(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short")
	}
	c := startSlurm(t)
	t.Run("pass", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "pass", "3s", "node[0-3]")
		if code := r.ends(t); code != exitPass {
			t.Fatalf("exit %d\n%s", code, &r.stderr)
		}
		doc := open(t, r.dir)
		if doc.Verdict != "pass" || doc.Counts.Turns != 240 || doc.Counts.OK != 240 {
			t.Errorf("%s of %d turns, %d ok", doc.Verdict, doc.Counts.Turns, doc.Counts.OK)
		}
		// One turn of each shard goes before the load.
		if n, twice := r.talker.counts(); n.Turns != 244 || twice != 0 {
			t.Errorf("the target saw %d turns, %d of them twice", n.Turns, twice)
		}
		if !strings.Contains(r.stderr.String(), "all 4 shards are ready: the load begins in 5 s") || !strings.Contains(r.stderr.String(), "each of 4 shards: 20 turns/s") && !strings.Contains(r.stderr.String(), "each of 4 shards: 20/s turns") {
			t.Errorf("it said\n%s", &r.stderr)
		}
		again := cstest(t, "merge", filepath.Join(r.dir, "shards", "shard-0.log"), filepath.Join(r.dir, "shards", "shard-1.log"),
			filepath.Join(r.dir, "shards", "shard-2.log"), filepath.Join(r.dir, "shards", "shard-3.log"), "--results-dir", filepath.Join(t.TempDir(), "again"))
		if again.code != exitPass {
			t.Errorf("merged again: exit %d\n%s", again.code, again.stderr)
		}
	})
	t.Run("the sum is the one-process run", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "sum", "3s", "node[0-3]")
		if code := r.ends(t); code != exitPass {
			t.Fatalf("exit %d\n%s", code, &r.stderr)
		}
		one := &talker{}
		path := filepath.Join(r.dir, "plan", "scenario.yaml")
		to := filepath.Join(t.TempDir(), "one")
		if got := cstest(t, "run", path, "--target", one.start(t), "--no-tui", "--results-dir", to); got.code != exitPass {
			t.Fatalf("exit %d\n%s", got.code, got.stderr)
		}
		whole, sum := open(t, to), open(t, r.dir)
		if whole.Counts != sum.Counts {
			t.Errorf("counts %+v; of one process %+v", sum.Counts, whole.Counts)
		}
		same := 0
		for trace := range one.traces {
			if r.talker.traces[trace] == 1 {
				same++
			}
		}
		if same != 241 { // the turn before the load is among them
			t.Errorf("%d of the turns of one process came from the shards, once each", same)
		}
	})
	t.Run("storm", func(t *testing.T) {
		t.Parallel()
		token := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(token, []byte("correct-horse-battery"), 0o600); err != nil {
			t.Fatal(err)
		}
		var mock struct{ Admin string }
		line := started(t, command(t, "serve", "mockllm", "--exit-with-stdin", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--admin-token-file", token))
		if err := json.Unmarshal([]byte(line), &mock); err != nil {
			t.Fatal(err)
		}
		r := c.run(t, "storm", "3s", "node[0-3]", "--env", "MOCK=correct-horse-battery", "--set", "llm.admin="+mock.Admin, "--set", "llm.token=${env:MOCK}",
			"--set", "llm.faults=[{name: outage, at: 1s, for: 1s, kind: status, status: 503}]")
		r.drives(t, 100)
		other := c.run(t, "second", "3s", "node[0-3]", "--env", "MOCK=correct-horse-battery", "--set", "llm.admin="+mock.Admin, "--set", "llm.token=${env:MOCK}")
		if code := other.ends(t); code != exitTarget || !strings.Contains(other.stderr.String(), "armed by direct-") && !strings.Contains(other.stderr.String(), "armed by storm-") {
			t.Errorf("a second owner: exit %d\n%s", code, &other.stderr)
		}
		code := r.ends(t)
		doc := open(t, r.dir)
		if doc.Client == nil || doc.Client.Calls != 0 { // the talker calls no model
			t.Errorf("of the client is told %+v, %q", doc.Client, doc.Warnings)
		}
		if code != exitPass || len(doc.Storms) != 1 || doc.Storms[0].Name != "outage" || doc.Storms[0].Kind != "status" {
			t.Errorf("exit %d, storms %+v, %q\n%s", code, doc.Storms, doc.Reasons, &r.stderr)
		}
		merged := filepath.Join(t.TempDir(), "again")
		logs, err := filepath.Glob(filepath.Join(r.dir, "shards", "shard-*.log"))
		if err != nil || len(logs) != 4 {
			t.Fatal(logs, err)
		}
		cstest(t, append([]string{"merge", "--results-dir", merged}, logs...)...)
		if doc := open(t, merged); doc.Client != nil || doc.Storms[0].Kind != "" || !slices.ContainsFunc(doc.Warnings, func(w string) bool { return strings.HasPrefix(w, "storms and calls of the mock LLM are not known") }) {
			t.Errorf("by the logs alone: storms %+v, warnings %q", doc.Storms, doc.Warnings)
		}
	})
	t.Run("what the target did to the model", func(t *testing.T) {
		t.Parallel()
		model := mockllm.RunT(t, mockllm.Config{})
		b := &bot{model: model.URL(), tries: 1, passes: true, patient: 5 * time.Second}
		web := httptest.NewServer(b)
		t.Cleanup(web.Close)
		r := c.run(t, "client", "3s", "node[0-3]", "--set", "target.url="+web.URL, "--set", "llm.admin="+model.AdminURL(), "--set", "llm.faults=["+cutFault+"]")
		r.ends(t)
		doc := open(t, r.dir)
		if b.passed < 30 || doc.Client == nil {
			t.Fatalf("passed %d on, %+v, %q\n%s", b.passed, doc.Client, doc.Warnings, &r.stderr)
		}
		for _, f := range doc.Client.Findings {
			if f.Name == scenario.ClientBroken {
				finds(t, f, "found", b.passed, b.passed)
			}
		}
	})
	t.Run("task killed", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "killed", "4s", "node[0-3]")
		r.drives(t, 100)
		if err := syscall.Kill(task(t, r.dir, 2), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		code := r.ends(t)
		if doc := open(t, r.dir); code != 11 || doc.Verdict != "incomplete" || !strings.HasPrefix(doc.Reasons[0], "shard 2/4 is cut off after ") {
			t.Errorf("exit %d, %s %q\n%s", code, doc.Verdict, doc.Reasons, &r.stderr)
		}
	})
	t.Run("killed before the start", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "killed", "4s", "node[0-3]")
		r.says(t, "all 4 shards are ready")
		if err := syscall.Kill(task(t, r.dir, 1), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		code := r.ends(t)
		if doc := open(t, r.dir); code != 11 || !slices.Contains(doc.Reasons, "shard 1/4 is missing") {
			t.Errorf("exit %d, %s %q\n%s", code, doc.Verdict, doc.Reasons, &r.stderr)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "cancelled", "20s", "node[0-3]")
		r.drives(t, 100)
		if out, err := c.tool("scancel", "--name=cstest-cancelled").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		code := r.ends(t)
		if doc := open(t, r.dir); code != 11 || doc.Verdict != "incomplete" {
			t.Errorf("exit %d, %s %q\n%s", code, doc.Verdict, doc.Reasons, &r.stderr)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "ended", "20s", "node[0-3]")
		r.drives(t, 100)
		if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		code := r.ends(t)
		doc := open(t, r.dir)
		if code != exitInterrupt || doc.Verdict != "incomplete" {
			t.Errorf("exit %d, %s %q\n%s", code, doc.Verdict, doc.Reasons, &r.stderr)
		}
		if n, _ := r.talker.counts(); n.Turns > 20*80 {
			t.Errorf("%d turns were sent", n.Turns)
		}
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "refused", "3s", "node77")
		if code := r.ends(t); code != exitTarget || !strings.Contains(r.stderr.String(), "the engine runs no shard any more, before the load began: srun: exit status 1: error: ") {
			t.Errorf("exit %d\n%s", code, &r.stderr)
		}
	})
	t.Run("pending", func(t *testing.T) {
		t.Parallel()
		held := c.tool("srun", "--nodelist=node8", "--exclusive", "--job-name=other", "--", "sleep", "60")
		if err := held.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = held.Process.Kill(); _ = held.Wait() }()
		until(t, "node8 taken", func() bool {
			out, _ := c.tool("sinfo", "-h", "-N", "-n", "node8", "-o", "%T").Output()
			return strings.TrimSpace(string(out)) == "allocated"
		})
		r := c.run(t, "waits", "3s", "node8", "--start-timeout", "4s")
		code := r.ends(t)
		if said := r.stderr.String(); code != exitTarget || !strings.Contains(said, "0 of 4 shards were ready after 4 s (--start-timeout), and nothing was sent: job ") || !strings.Contains(said, "queued and waiting for resources") {
			t.Errorf("exit %d\n%s", code, said)
		}
		if n, _ := r.talker.counts(); n.Turns != 0 {
			t.Errorf("%d turns were sent", n.Turns)
		}
		if out, err := c.tool("scancel", "--name=other").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
	t.Run("node lost", func(t *testing.T) {
		t.Parallel()
		r := c.run(t, "lost", "4s", "node[4-7]")
		r.drives(t, 100)
		pid := task(t, r.dir, 3)
		lost := c.nodeOf(t, pid)
		lost(t)
		select { // Slurm takes half a minute to miss it
		case <-r.done:
		case <-time.After(3 * patience):
		}
		code := r.ends(t)
		doc := open(t, r.dir)
		if code != 11 || doc.Verdict != "incomplete" || !strings.HasPrefix(doc.Reasons[0], "shard 3/4 is cut off after ") {
			t.Errorf("exit %d, %s %q\n%s", code, doc.Verdict, doc.Reasons, &r.stderr)
		}
	})
}

// nodeOf gives what ends all of the node that runs a process: its daemon, and what
// that started.
func (c *slurmCluster) nodeOf(t *testing.T, pid int) func(*testing.T) {
	t.Helper()
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(env), "\x00SLURMD_NODENAME=node")
	number, _, _ := strings.Cut(rest, "\x00")
	i, err := strconv.Atoi(number)
	if err != nil || i >= len(c.nodes) {
		t.Fatalf("node %q: %v", number, err)
	}
	return func(t *testing.T) {
		t.Helper()
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		step, err := strconv.Atoi(strings.Fields(string(stat))[3]) // slurmstepd
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []int{c.nodes[i].Process.Pid, step, pid} {
			if err := syscall.Kill(p, syscall.SIGKILL); err != nil {
				t.Fatal(p, err)
			}
		}
	}
}
