package kubernetes

import (
	"bufio"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/engine"
)

// tail is the log of a pod as far as it was read.
type tail struct {
	pod  pod
	last atomic.Int64 // when the last line came, Unix seconds; 0: none did
	idle atomic.Bool  // nobody reads it
	// whole: the shard said that it ended, or a reading that began when it had ended came
	// to the end of what there is.
	whole atomic.Bool
}

// again is how much of what was read is read once more: clocks of nodes differ, and a
// stretch that comes twice does no harm.
const again = time.Minute

// follow reads the log of a pod. A reading that breaks off, as connections do in the
// course of hours, is taken up again near where it was: engines keep the last
// megabytes of a log alone. Once the pod has ended catchUp does that: lines of before
// would look as if it were back.
func (c *Cluster) follow(p pod) {
	t := c.tails[p.name]
	if t == nil {
		t = &tail{}
		t.idle.Store(true)
		c.tails[p.name] = t
	} else if p.ended != "" {
		return
	}
	t.pod = p
	if t.idle.Load() && !t.whole.Load() {
		c.read(t)
	}
}

// catchUp reads once more what broke off and was not taken up again.
func (c *Cluster) catchUp() {
	for _, t := range c.tails {
		if t.idle.Load() && !t.whole.Load() {
			c.read(t)
		}
	}
}

func (c *Cluster) read(t *tail) {
	args := []string{"logs", "-f"}
	if last := t.last.Load(); last > 0 {
		args = append(args, "--since-time="+time.Unix(last, 0).Add(-again).UTC().Format(time.RFC3339))
	}
	cmd := c.command(c.follows, append(args, t.pod.name)...)
	from, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return // the next look tries again
	}
	t.idle.Store(false)
	shard, over := t.pod.shard, t.pod.ended != ""
	c.reading.Go(func() {
		defer t.idle.Store(true)
		c.lines(t, shard, from)
		if err := cmd.Wait(); err == nil && over {
			t.whole.Store(true)
		}
	})
}

// lines passes on what a reading gives.
func (c *Cluster) lines(t *tail, shard int, from io.Reader) {
	in := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			t.last.Store(time.Now().Unix())
			if status, told := engine.ParseStatus(line); told && status.Ended {
				t.whole.Store(true)
			}
			c.out.Line(shard, line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}
