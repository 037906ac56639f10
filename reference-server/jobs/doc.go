// Package jobs runs turns from a queue, for callers who do not wait for their
// answer: a Redis stream that the servers work off together, as one consumer
// group.
//
// A job has exactly one final state, whoever comes first: the worker that ran
// it, a worker that took it over from one that died, or the owner who cancels.
// The package knows nothing of turns: how one is answered is a function it is
// given.
package jobs
