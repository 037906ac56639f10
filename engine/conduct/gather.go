package conduct

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/cstest/cstest/engine"
	"github.com/cstest/cstest/measure"
)

// gather keeps what shards write: a log of each, the journals, and how far each is.
// Safe for concurrent use.
type gather struct {
	mu      sync.Mutex
	dir     string
	logs    []*os.File // by shard, the last for lines of none
	spool   *measure.Spool
	members []member
	live    *live
	allGone bool
	how     string // why all are gone
	err     error  // the first of the disk
	changed chan struct{}
}

// member is how far a shard is.
type member struct {
	ready, ended, gone bool
	code               int
	how                string // what the engine said of its end
	said               string // the last line that is no journal
}

// over tells whether nothing more is to come of a shard.
func (m *member) over() bool { return m.ended || m.gone }

// newGather keeps the logs of so many shards in a folder.
func newGather(dir string, shards int, l *live) (*gather, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	spool, err := measure.NewSpool()
	if err != nil {
		return nil, err
	}
	return &gather{
		dir: dir, logs: make([]*os.File, shards+1), spool: spool, members: make([]member, shards), live: l,
		changed: make(chan struct{}, 1),
	}, nil
}

// Line is Out's.
func (g *gather) Line(shard int, line []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	status, told := engine.ParseStatus(line)
	if told && status.Shard.N != len(g.members) {
		told = false
	}
	p, err := g.spool.Take(line)
	if told {
		shard = status.Shard.I
	} else if i, ok := g.index(p.Shard); ok {
		shard = i
	}
	g.fail(err)
	g.fail(g.keep(shard, line))
	if p.Shard != "" {
		g.live.take(p)
		return
	}
	if shard < 0 || shard >= len(g.members) {
		return
	}
	m := &g.members[shard]
	if m.gone { // it was started again
		*m = member{}
		g.note()
	}
	if told {
		m.ready, m.ended, m.code = m.ready || status.Ready, status.Ended, status.Code
		g.note()
		return
	}
	m.said = string(line)
}

// index is the number of a shard i/N of this load.
func (g *gather) index(name string) (int, bool) {
	var i, n int
	if _, err := fmt.Sscanf(name, "%d/%d", &i, &n); err != nil || n != len(g.members) || i < 0 || i >= n {
		return 0, false
	}
	return i, true
}

// keep writes a line to the log of its shard.
func (g *gather) keep(shard int, line []byte) error {
	name := fmt.Sprintf("shard-%d.log", shard)
	if shard < 0 || shard >= len(g.members) {
		shard, name = len(g.members), "engine.log"
	}
	if g.logs[shard] == nil {
		f, err := os.OpenFile(filepath.Join(g.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		g.logs[shard] = f
	}
	if n := len(line); n == 0 || line[n-1] != '\n' {
		line = append(append([]byte{}, line...), '\n')
	}
	_, err := g.logs[shard].Write(line)
	return err
}

// Gone is Out's.
func (g *gather) Gone(shard int, how string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if shard >= 0 && shard < len(g.members) {
		g.members[shard].gone, g.members[shard].how = true, how
		g.note()
	}
}

// AllGone is Out's.
func (g *gather) AllGone(how string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allGone, g.how = true, how
	g.note()
}

func (g *gather) fail(err error) {
	if err != nil && g.err == nil {
		g.err = err
		g.note()
	}
}

// note wakes who waits for a change.
func (g *gather) note() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// state is how far all of them are together.
type state struct {
	ready   int
	waited  []int // those that are not ready
	over    int
	lost    int // the first that ended before it was ready, or at all; -1: none
	how     string
	said    string
	code    int
	allGone bool
	err     error
}

func (g *gather) state() state {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := state{lost: -1, allGone: g.allGone, err: g.err, how: g.how}
	for i := range g.members {
		m := &g.members[i]
		if m.ready && !m.over() {
			s.ready++
		} else if !m.ready {
			s.waited = append(s.waited, i)
		}
		if m.over() {
			s.over++
			if s.lost < 0 {
				s.lost, s.how, s.said, s.code = i, m.how, m.said, m.code
			}
		}
	}
	return s
}

// gone is a shard that is gone and did not say that it ended, and how the engine says
// that came.
type gone struct {
	shard int
	how   string
}

func (g *gather) ends() (list []gone) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.members {
		if m := &g.members[i]; m.gone && !m.ended && m.how != "" {
			list = append(list, gone{i, m.how})
		}
	}
	return list
}

// close ends the logs.
func (g *gather) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live.close()
	for _, f := range g.logs {
		if f != nil {
			g.fail(f.Close())
		}
	}
	return g.err
}
