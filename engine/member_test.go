package engine

import (
	"strings"
	"testing"
)

func environment(text string) func(string) (string, bool) {
	set := map[string]string{}
	for kv := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(kv, "=")
		set[name] = value
	}
	return func(name string) (string, bool) { v, ok := set[name]; return v, ok }
}

func TestShardFromEnvironment(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"CSTEST_SHARD=2 CSTEST_SHARDS=8", "shard 2/8 (CSTEST_SHARD=2, CSTEST_SHARDS=8)"},
		{"JOB_COMPLETION_INDEX=7 CSTEST_SHARDS=8", "shard 7/8 (JOB_COMPLETION_INDEX=7, CSTEST_SHARDS=8)"},
		{"SLURM_PROCID=3 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4", "shard 3/4 (SLURM_PROCID=3, SLURM_NTASKS=4)"},
		{"NOMAD_ALLOC_INDEX=0 CSTEST_SHARDS=2", "shard 0/2 (NOMAD_ALLOC_INDEX=0, CSTEST_SHARDS=2)"},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=3", "shard 1/3 (AWS_BATCH_JOB_ARRAY_INDEX=1, AWS_BATCH_JOB_ARRAY_SIZE=3)"},
		{"AWS_BATCH_JOB_NODE_INDEX=1 AWS_BATCH_JOB_NUM_NODES=3", "shard 1/3 (AWS_BATCH_JOB_NODE_INDEX=1, AWS_BATCH_JOB_NUM_NODES=3)"},
		{"CLOUD_RUN_TASK_INDEX=4 CLOUD_RUN_TASK_COUNT=5", "shard 4/5 (CLOUD_RUN_TASK_INDEX=4, CLOUD_RUN_TASK_COUNT=5)"},
		{"CI_NODE_INDEX=1 CI_NODE_TOTAL=4", "shard 0/4 (CI_NODE_INDEX=1, CI_NODE_TOTAL=4)"},
		{"JOB_COMPLETION_INDEX=1 CSTEST_SHARDS=2 CI_NODE_TOTAL=1", "shard 1/2 (JOB_COMPLETION_INDEX=1, CSTEST_SHARDS=2)"},
		{"CSTEST_SHARD=1 SLURM_PROCID=1 CSTEST_SHARDS=4 SLURM_NTASKS=4", "shard 1/4 (CSTEST_SHARD=1, SLURM_PROCID=1, CSTEST_SHARDS=4, SLURM_NTASKS=4)"},
		{"CSTEST_SHARD=5 CSTEST_SHARDS=6 SLURM_ARRAY_TASK_ID=5", "shard 5/6 (CSTEST_SHARD=5, CSTEST_SHARDS=6)"},
	} {
		m, err := FromEnvironment(environment(c.set))
		if err != nil || m.Phrase().String() != c.want {
			t.Errorf("%s: %q, %v; want %q", c.set, m.Phrase(), err, c.want)
		}
	}
}

func TestShardFromEnvironmentIsRefused(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"", "no engine says which shard this is: set CSTEST_SHARD and CSTEST_SHARDS, or one of JOB_COMPLETION_INDEX, SLURM_PROCID,"},
		{"CI_NODE_TOTAL=1", "no engine says which shard this is"},
		{"CSTEST_SHARDS=4", "CSTEST_SHARDS=4 says how many shards there are and nothing says which one this is: set CSTEST_SHARD"},
		{"JOB_COMPLETION_INDEX=4", "JOB_COMPLETION_INDEX=4 says which shard this is and nothing says how many there are: set CSTEST_SHARDS to it"},
		{"CSTEST_SHARD=1 JOB_COMPLETION_INDEX=2 CSTEST_SHARDS=4", "CSTEST_SHARD=1 and JOB_COMPLETION_INDEX=2 do not agree on this shard's number: unset one of them"},
		{"SLURM_PROCID=1 SLURM_NTASKS=4 CSTEST_SHARDS=8", "CSTEST_SHARDS=8 and SLURM_NTASKS=4 do not agree on the number of shards: unset one of them"},
		{"SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=1", "SLURM_NTASKS=4 and SLURM_STEP_NUM_TASKS=1: start cstest with srun"},
		{"SLURM_PROCID=0 SLURM_NTASKS=1 SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_ID=3: the elements of an array do not start together"},
		{"CSTEST_SHARD=4 CSTEST_SHARDS=4", "CSTEST_SHARD=4, CSTEST_SHARDS=4: want a number from 0 below the number of shards, at most 1024"},
		{"CSTEST_SHARD=-1 CSTEST_SHARDS=4", "want a number from 0 below"},
		{"CSTEST_SHARD=0 CSTEST_SHARDS=9999", "at most 1024"},
		{"CI_NODE_INDEX=0 CI_NODE_TOTAL=4", "want a number from 0 below"},
		{"CSTEST_SHARD=one CSTEST_SHARDS=4", `CSTEST_SHARD="one": want a number`},
	} {
		m, err := FromEnvironment(environment(c.set))
		if err == nil || !strings.HasPrefix(err.Error(), "--shard env: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v; want an error with %q", c.set, m, err, c.want)
		}
	}
}
