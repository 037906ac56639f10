package engine

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// Member is which shard of a load a process is, and which environment variables
// said so, as NAME=VALUE.
type Member struct {
	result.Shard
	Said []string
}

// Phrase says the shard and who said it.
func (m Member) Phrase() reason.Phrase {
	return reason.Say("shard %s (%s)", m.Shard, strings.Join(m.Said, ", "))
}

// numbering is a pair of variables by which an engine numbers its processes.
type numbering struct {
	index string
	count string // empty: the engine does not say how many there are
	first int    // the number of the first process
}

// numberings are those of the engines, cstest's own first.
func numberings() []numbering {
	return []numbering{
		{ownIndex, ownCount, 0},
		{"JOB_COMPLETION_INDEX", "", 0}, // Kubernetes, an Indexed Job
		{"SLURM_PROCID", "SLURM_NTASKS", 0},
		{"NOMAD_ALLOC_INDEX", "", 0},
		{"AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", 0},
		{"AWS_BATCH_JOB_NODE_INDEX", "AWS_BATCH_JOB_NUM_NODES", 0},
		{"CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", 0},
		{"CI_NODE_INDEX", "CI_NODE_TOTAL", 1}, // GitLab, parallel
	}
}

const (
	ownIndex = "CSTEST_SHARD"
	ownCount = "CSTEST_SHARDS"
)

// FromEnvironment reads which shard this process is from what its engine put
// into the environment. It errs where nothing there says it, or where two
// variables say different things.
func FromEnvironment(lookup func(string) (string, bool)) (Member, error) {
	if err := arrayOfSlurm(lookup); err != nil {
		return Member{}, err
	}
	index, count := claim{what: reason.Say("this shard's number")}, claim{what: reason.Say("the number of shards")}
	for _, n := range numberings() {
		if err := index.read(lookup, n.index, n.first); err != nil {
			return Member{}, err
		}
		// A count without the number beside it is of something else: GitLab says
		// CI_NODE_TOTAL=1 in every job.
		if _, numbered := lookup(n.index); n.count != "" && (numbered || n.count == ownCount) {
			if err := count.read(lookup, n.count, 0); err != nil {
				return Member{}, err
			}
		}
	}
	switch {
	case !index.set && !count.set:
		return Member{}, reason.Errorf("--shard env: no engine says which shard this is: set %s and %s, or one of %s", ownIndex, ownCount, strings.Join(indexes(), ", "))
	case !index.set:
		return Member{}, reason.Errorf("--shard env: %s says how many shards there are and nothing says which one this is: set %s", count.said[0], ownIndex)
	case !count.set:
		return Member{}, reason.Errorf("--shard env: %s says which shard this is and nothing says how many there are: set %s to it", index.said[0], ownCount)
	}
	m := Member{Shard: result.Shard{I: index.value, N: count.value}, Said: append(index.said, count.said...)}
	if _, err := result.ParseShard(m.String()); err != nil {
		return Member{}, reason.Errorf("--shard env: %s: want a number from 0 below the number of shards, at most %d", strings.Join(m.Said, ", "), result.MostShards)
	}
	return m, nil
}

// arrayOfSlurm refuses what would send the whole load more than once: elements of
// a job array each are task 0 of 1, and so is a batch script outside of srun.
func arrayOfSlurm(lookup func(string) (string, bool)) error {
	if _, own := lookup(ownIndex); own {
		return nil
	}
	if id, ok := lookup("SLURM_ARRAY_TASK_ID"); ok {
		return reason.Errorf("--shard env: SLURM_ARRAY_TASK_ID=%s: the elements of an array do not start together: take one job of --ntasks=N and srun", id)
	}
	tasks, ok := lookup("SLURM_NTASKS")
	step, in := lookup("SLURM_STEP_NUM_TASKS")
	if ok && in && step != tasks {
		return reason.Errorf("--shard env: SLURM_NTASKS=%s and SLURM_STEP_NUM_TASKS=%s: start cstest with srun, on all tasks of the job", tasks, step)
	}
	return nil
}

func indexes() []string {
	var names []string
	for _, n := range numberings()[1:] {
		names = append(names, n.index)
	}
	return names
}

// claim is a number that several variables may say.
type claim struct {
	what  reason.Phrase
	value int
	set   bool
	said  []string
}

func (c *claim) read(lookup func(string) (string, bool), name string, first int) error {
	text, ok := lookup(name)
	if !ok {
		return nil
	}
	said := fmt.Sprintf("%s=%.40s", name, text)
	v, err := strconv.Atoi(text)
	if err != nil {
		return reason.Errorf("--shard env: %s=%.40q: want a number", name, text)
	}
	if v -= first; c.set && v != c.value {
		return reason.Errorf("--shard env: %s and %s do not agree on %s: unset one of them", c.said[0], said, c.what)
	}
	c.value, c.set = v, true
	c.said = append(c.said, said)
	return nil
}
