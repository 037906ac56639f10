// Package engine is what cstest has in common with the systems that run many
// processes at once (Kubernetes, Slurm, Nomad, AWS Batch, CI): which shard a
// process is, when all begin, and what such a system is given to run them.
package engine
