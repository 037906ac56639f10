package slurm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// heard notes what a step passes on.
type heard struct{ list []string }

func (h *heard) Line(shard int, line []byte) {
	h.list = append(h.list, fmt.Sprintf("%d %s", shard, strings.TrimSpace(string(line))))
}

func (h *heard) Gone(shard int, how string) {
	h.list = append(h.list, fmt.Sprintf("gone %d %s", shard, how))
}

func (h *heard) AllGone(how string) { h.list = append(h.list, "all "+how) }

func TestLinesAreThoseOfTheirTasks(t *testing.T) {
	h := &heard{}
	s := &Step{Shards: 4, out: h}
	for _, line := range []string{
		"0: cstest-shard 0/4 ready\n", " 3: text: of 5: a task\n", "7: no such task\n",
		"srun: job 5 queued and waiting for resources\n", "srun: error: node2: task 2: Killed\n",
		"srun: error: node[0-1]: tasks 0-1,3,9-12: Exited with exit code 69\n", "srun: error: node1: tasks 0-9999999999999999999: x\n", "",
	} {
		s.line([]byte(line))
	}
	want := []string{
		"0 cstest-shard 0/4 ready", "3 text: of 5: a task", "-1 7: no such task", "-1 srun: job 5 queued and waiting for resources",
		"-1 srun: error: node2: task 2: Killed", "gone 2 Killed",
		"-1 srun: error: node[0-1]: tasks 0-1,3,9-12: Exited with exit code 69", "gone 0 Exited with exit code 69", "gone 1 Exited with exit code 69", "gone 3 Exited with exit code 69",
		"-1 srun: error: node1: tasks 0-9999999999999999999: x", "-1 ",
	}
	if !slices.Equal(h.list, want) {
		t.Errorf("passed on\n%s\nwant\n%s", strings.Join(h.list, "\n"), strings.Join(want, "\n"))
	}
	if s.lastSaid() != "error: node1: tasks 0-9999999999999999999: x" {
		t.Errorf("srun said %q", s.lastSaid())
	}
}

func TestArgumentsOfSrun(t *testing.T) {
	s := &Step{Shards: 8, Cores: 2, Name: "cstest-sale", More: []string{"--partition=load"}, Command: []string{"/opt/cstest", "run", "sale.yaml"}, Dir: "/shared/r"}
	got := strings.Join(s.Args(), " ")
	want := "--ntasks=8 --cpus-per-task=2 --job-name=cstest-sale --no-kill --kill-on-bad-exit=0 --wait=0 --label --input=none --partition=load -- /opt/cstest run sale.yaml --start-at @/shared/r/start-at"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
