package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/cstest/cstest/engine/conduct"
	"github.com/cstest/cstest/reason"
)

// Cluster runs a Job through kubectl. It is a conduct.Cluster.
type Cluster struct {
	Kubectl []string // the program and what it is always given; empty: kubectl
	Job     *Job
	Applied bool // the Job is there already: it is followed, and left where it is

	out     conduct.Out
	at      time.Time
	reading sync.WaitGroup
	stop    context.CancelFunc
	follows context.Context
	seen    map[string]int // shards by pod
	over    map[string]bool
	tails   map[string]*tail // by pod
	gone    bool             // the job was deleted
}

// callWithin bounds each call of kubectl but for those that follow a log.
const callWithin = 30 * time.Second

// Start applies the objects.
func (c *Cluster) Start(ctx context.Context, out conduct.Out) error {
	c.out, c.seen, c.over, c.tails = out, map[string]int{}, map[string]bool{}, map[string]*tail{}
	c.follows, c.stop = context.WithCancel(context.Background())
	if c.Applied {
		return nil
	}
	objects, err := c.Job.Objects()
	if err != nil {
		return err
	}
	list, err := json.Marshal(object{"apiVersion": "v1", "kind": "List", "items": objects})
	if err != nil {
		return err
	}
	if _, err := c.call(ctx, bytes.NewReader(list), "apply", "-f", "-"); err != nil {
		c.stop()
		return errors.Join(err, c.remove(context.WithoutCancel(ctx)))
	}
	return nil
}

func (c *Cluster) command(ctx context.Context, args ...string) *exec.Cmd {
	all := c.Kubectl
	if len(all) == 0 {
		all = []string{"kubectl"}
	}
	all = append(append([]string{}, all...), args...)
	if c.Job.Namespace != "" {
		all = append(all, "--namespace="+c.Job.Namespace)
	}
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	ownGroup(cmd) // Ctrl-C in the terminal is for us to pass on
	return cmd
}

// call runs kubectl to its end.
func (c *Cluster) call(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	cmd := c.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, reason.Err(reason.New(reason.KubectlFailed, args[0], err, strings.TrimSpace(stderr.String())))
	}
	return stdout.Bytes(), nil
}

func (c *Cluster) selector() string { return runLabel + "=" + c.Job.Name }

// Look follows the logs of pods that run by now, tells latecomers the old time,
// and says why others do not run. A cluster that does not answer now may later.
func (c *Cluster) Look(ctx context.Context) (reason.Reasons, error) {
	text, err := c.call(ctx, nil, "get", "pods", "-l", c.selector(), "-o", "json")
	if err != nil {
		return reason.Of(err), nil
	}
	pods, err := parsePods(text, c.Job.Shards)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	waits := map[string]int64{}
	for _, p := range pods {
		there[p.name] = true
		c.seen[p.name] = p.shard
		if p.waits != "" && !p.started {
			waits[p.waits]++
		}
		if p.started {
			c.follow(p)
		}
		if !c.at.IsZero() && !p.told && p.ended == "" {
			_ = c.tell(ctx, "pod", p.name) // tried again with the next look
		}
		if p.ended != "" && !c.over[p.name] {
			c.over[p.name] = true
			c.out.Gone(p.shard, p.ended)
		}
	}
	for name, shard := range c.seen {
		if !there[name] && !c.over[name] {
			c.over[name] = true
			c.out.Gone(shard, "pod "+name+" is deleted")
		}
	}
	return pending(waits), nil
}

// pending says each cause once, with how many pods have it.
func pending(waits map[string]int64) (list reason.Reasons) {
	for why, n := range waits {
		list = append(list, reason.New(reason.PodsPending, n, why))
	}
	sortReasons(list)
	return list
}

// Tell annotates all pods, and those that come later as they are seen.
func (c *Cluster) Tell(ctx context.Context, at time.Time) error {
	c.at = at
	return c.tell(ctx, "pods", "-l", c.selector())
}

func (c *Cluster) tell(ctx context.Context, which ...string) error {
	args := append([]string{"annotate", "--overwrite"}, which...)
	_, err := c.call(ctx, nil, append(args, annotation+"="+c.at.UTC().Format(time.RFC3339Nano))...)
	return err
}

// Drain deletes the job: its pods are told to end, and none is started again.
func (c *Cluster) Drain() {
	if _, err := c.call(context.Background(), nil, "delete", "job", c.Job.Name, "--cascade=background", "--wait=false", "--ignore-not-found"); err == nil {
		c.gone = true
	}
}

// drainWithin is how long logs may go on after all shards are over.
const drainWithin = 10 * time.Second

// Clean waits for the last lines, and removes what was applied.
func (c *Cluster) Clean(ctx context.Context) error {
	c.catchUp()
	read := make(chan struct{})
	go func() {
		c.reading.Wait()
		close(read)
	}()
	within := time.NewTimer(drainWithin)
	defer within.Stop()
	select {
	case <-read:
	case <-within.C:
	case <-ctx.Done():
	}
	var err error
	if !c.Applied {
		err = c.remove(ctx)
	}
	c.stop()
	<-read
	return err
}

func (c *Cluster) remove(ctx context.Context) error {
	_, err := c.call(ctx, nil, "delete", "job,configmap,secret", "-l", c.selector(), "--cascade=background", "--wait=false", "--ignore-not-found")
	if err != nil {
		return fmt.Errorf("%w: kubectl delete job,configmap,secret -l %s", err, c.selector())
	}
	return nil
}
