package servers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

const (
	readyWithin = 15 * time.Second
	stopWithin  = 26 * time.Second       // the reference server drains for 25 s at most
	leaveWithin = 300 * time.Millisecond // when the user wants out
)

// Child is a bundled server running as a process of its own. It ends when its
// standard input closes, so it cannot outlive this process however that ends.
type Child struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	log   *Log   // what it writes on standard error
	said  string // the path of that log
	Ready Ready  // what it announced
	proc  *process.Process

	done chan struct{} // closed when the process has been waited for

	mu      sync.Mutex
	asked   bool      // it was asked to end
	endedAt time.Time // when it ended, set before done closes
	maxRSS  int64
	cpuBase time.Duration // used before the load
	rssBase int64         // resident then
}

// Ready is how a bundled server announces itself, one JSON line.
type Ready struct {
	Name  string `json:"ready"` // of what it is; of several, each has a name that begins so
	URL   string `json:"url"`
	Admin string `json:"admin"` // URL of its admin side
	PID   int    `json:"pid"`
}

// StartChild runs command and waits until it is ready. Its standard error goes
// to o.LogDir/name.log, without secrets; env is its environment.
func StartChild(ctx context.Context, name string, command, env []string, o Options) (*Child, error) {
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
	log, err := OpenLog(o.LogDir, name, o.Redact)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = env
	pipes, err := StartPiped(cmd, name, log, log)
	if err != nil {
		return nil, err
	}
	c := &Child{name: name, cmd: cmd, stdin: pipes.In, log: log, said: filepath.Join(o.LogDir, name+".log"), done: make(chan struct{})}
	announced := make(chan Ready, 1)
	go c.follow(pipes.Out, announced)
	select {
	case c.Ready = <-announced:
	case <-c.done:
		return nil, reason.Errorf("%s did not start: %s", name, c.lastWords())
	case <-ctx.Done():
		c.kill()
		return nil, ctx.Err()
	case <-time.After(readyWithin):
		c.kill()
		return nil, reason.Errorf("%s was not ready within %s: %s", name, readyWithin, c.lastWords())
	}
	c.proc, err = process.NewProcess(int32(cmd.Process.Pid))
	if err != nil {
		c.kill()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// follow reads the ready line, then drains standard output until it closes, and
// waits for the process.
func (c *Child) follow(stdout io.Reader, announced chan<- Ready) {
	r := bufio.NewReader(io.LimitReader(stdout, 64<<10))
	if line, err := r.ReadString('\n'); err == nil {
		var ready Ready
		if json.Unmarshal([]byte(line), &ready) == nil && strings.HasPrefix(c.name, ready.Name) {
			announced <- ready
		} else {
			_, _ = io.WriteString(c.log, line)
		}
	}
	_, _ = io.Copy(io.Discard, stdout)
	_ = c.cmd.Wait() // how it ended is read from ProcessState
	c.log.flush()
	c.mu.Lock()
	c.endedAt = time.Now()
	c.mu.Unlock()
	close(c.done)
}

// lastWords is what the child said last on its standard error.
func (c *Child) lastWords() string {
	b, err := os.ReadFile(c.said)
	text := strings.TrimSpace(string(b))
	if err != nil || text == "" {
		return "it said nothing; see " + c.said
	}
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	text = strings.TrimPrefix(text, "cstest: ") // it is said once already
	if len(text) > 500 {
		text = text[:500] + "…"
	}
	return text
}

// Stop ends the child politely, then firmly, and waits for it. Once hurry is
// done it has little time to be polite in.
func (c *Child) Stop(hurry context.Context) {
	c.mu.Lock()
	c.asked = true
	c.mu.Unlock()
	_ = c.stdin.Close() // EOF is the request to end
	within := time.NewTimer(stopWithin)
	defer within.Stop()
	wanted := hurry.Done()
	for gone := false; !gone; {
		select {
		case <-c.done:
			gone = true
		case <-wanted:
			wanted = nil
			within.Reset(leaveWithin)
		case <-within.C:
			c.kill()
		}
	}
	_ = c.log.Close()
}

func (c *Child) kill() {
	c.mu.Lock()
	c.asked = true
	c.mu.Unlock()
	_ = c.cmd.Process.Kill() // it may be gone already
	<-c.done
}

// Sample notes CPU and memory used so far; zero says the process is gone.
func (c *Child) Sample() time.Duration {
	if m, err := c.proc.MemoryInfo(); err == nil {
		c.mu.Lock()
		c.maxRSS = max(c.maxRSS, int64(m.RSS))
		c.mu.Unlock()
	}
	if t, err := c.proc.Times(); err == nil {
		return time.Duration((t.User + t.System) * float64(time.Second))
	}
	return 0
}

// LoadStarts notes the CPU time that was not spent on the load, and the memory.
func (c *Child) LoadStarts() {
	c.cpuBase = c.Sample()
	if m, err := c.proc.MemoryInfo(); err == nil {
		c.rssBase = int64(m.RSS)
	}
}

// Figures are the child's of the load that began at base.
func (c *Child) Figures(base time.Time) measure.Process {
	p := measure.Process{Name: c.name}
	cpu := c.Sample()
	select {
	case <-c.done:
		state := c.cmd.ProcessState
		cpu = state.UserTime() + state.SystemTime()
		c.mu.Lock()
		if !c.asked {
			p.Ended, p.Exit = c.endedAt.Sub(base), state.String()
		}
		c.mu.Unlock()
	default:
	}
	p.CPU = max(0, cpu-c.cpuBase)
	c.mu.Lock()
	p.MaxRSS, p.BaseRSS = c.maxRSS, c.rssBase
	c.mu.Unlock()
	return p
}
