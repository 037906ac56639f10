package slurm

import (
	"fmt"
	"strconv"
	"strings"
)

// Batch is a batch script that runs a load in one allocation.
type Batch struct {
	Name     string
	Shards   int
	Cores    int      // of each task
	Minutes  int      // that it may take
	Scenario string   // its path, as given
	Flags    []string // of `slurm run`, as given
}

// Script is for sbatch: one gang, which is placed together and never started
// again; its exit code is the verdict.
func (b *Batch) Script() string {
	words := []string{"cstest", "slurm", "run", Quote(b.Scenario), "--shards", strconv.Itoa(b.Shards), "--no-tui", "--results-dir", `"results/$SLURM_JOB_NAME-$SLURM_JOB_ID"`}
	for _, f := range b.Flags {
		words = append(words, Quote(f))
	}
	return fmt.Sprintf(`#!/bin/bash
#SBATCH --job-name=%s
#SBATCH --ntasks=%d
#SBATCH --cpus-per-task=%d
#SBATCH --time=%d
#SBATCH --no-requeue
#SBATCH --no-kill
#SBATCH --output=%%x-%%j.log
# All tasks are placed together and none is started again. A lost node ends nothing
# but its own: the verdict says what is missing. The exit code is the verdict's.
set -u
exec %s
`, b.Name, b.Shards, max(b.Cores, 1), b.Minutes, strings.Join(words, " "))
}

// Quote is a word as a shell reads it back.
func Quote(word string) string {
	plain := word != "" && strings.IndexFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./=:,@%+", r)
	}) < 0
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
