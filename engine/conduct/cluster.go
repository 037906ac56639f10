// Package conduct runs one load on many machines: an engine starts the shards,
// all are told one instant, their journals are gathered from what they write, and
// the mock LLM is armed once. It has no process beside the one that drives and the
// shards: the engine's own API carries both ways.
package conduct

import (
	"context"
	"time"

	"github.com/cstest/cstest/reason"
)

// Cluster runs the shards of one load on an engine. Its methods are called by one
// goroutine, and none after Clean.
type Cluster interface {
	// Start has the engine start every shard; what they write goes to out from then
	// on. It does not wait for them to run. Where it errs nothing is left running.
	Start(ctx context.Context, out Out) error
	// Look does what is to be done about once a second, and says why shards do not
	// run yet, where the engine says it. Its error ends the run.
	Look(ctx context.Context) (reason.Reasons, error)
	// Tell gives all shards the instant to start at, those too that come later.
	Tell(ctx context.Context, at time.Time) error
	// Drain has the shards start no more conversations.
	Drain()
	// Clean ends what still runs, and leaves nothing behind. All that was written is
	// in out when it returns.
	Clean(ctx context.Context) error
}

// Out takes what shards write. Safe for concurrent use.
type Out interface {
	// Line is one line of a shard, with or without its end; -1: it is not known which.
	Line(shard int, line []byte)
	// Gone says that a shard's process has ended, and how, in the engine's words. One
	// that is started again is back with its next line.
	Gone(shard int, how string)
	// AllGone says that the engine runs no shard any more.
	AllGone(how string)
}
