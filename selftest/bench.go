package selftest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/trial/servers"
)

// seed draws the load of every group.
const seed = 20261111

// loaded is a load of single turns, so that every one is intended by the schedule.
type loaded struct {
	pool     int
	timeout  time.Duration
	arrivals string
	length   time.Duration
	rate     string // starts
	llm      string // YAML below llm: but for its address
	armed    func(base time.Time)
}

const text = `version: 1
name: selftest
seed: %d
target: {url: %q, api: openai, model: mock, connections: shared, pool: %d, timeout: %s}
%s
load:
  arrivals: %s
  stages: [{name: steady, for: %s, starts: %s}]
  drain: %s
  max_in_flight: 20k
conversations:
  - name: hello
    turns: [{say: 你好}]
checks: {memory: off}
sla: {latency: {p99: 10s}}
`

// driven is what came of a load.
type driven struct {
	*trial.Done
	schedule load.Schedule
	turns    []measure.Turn
}

// drive drives l at a URL; admin is the mock's, where it is one.
func (l *loaded) drive(ctx context.Context, url, admin string) (*driven, error) {
	llm := ""
	if admin != "" {
		llm = fmt.Sprintf("llm: {admin: %q, echo_context: false, %s}", admin, l.llm)
	}
	sc, err := scenario.Parse("selftest", fmt.Appendf(nil, text, seed, url, l.pool, l.timeout, llm, l.arrivals, l.length, l.rate, l.timeout), scenario.Options{})
	if err != nil {
		return nil, err
	}
	kept := turns{}
	done, err := trial.Run(ctx, ctx, trial.Options{Scenario: sc, Armed: l.armed, Lane: kept.wrap})
	if err != nil {
		return nil, err
	}
	return &driven{Done: done, schedule: load.NewSchedule(&sc.Load, sc.Seed), turns: kept.all}, nil
}

// mock is the bundled mock LLM, a process of its own.
type mock struct {
	child *servers.Child
	admin *servers.Mock
}

func startMock(ctx context.Context, executable, logDir string) (*mock, error) {
	args := []string{executable, "serve", "mockllm", "--exit-with-stdin", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}
	c, err := servers.StartChild(ctx, "mockllm", args, servers.Env(), servers.Options{LogDir: logDir})
	if err != nil {
		return nil, err
	}
	return &mock{child: c, admin: servers.NewMock(c.Ready.Admin, servers.Access{})}, nil
}

// drive drives l at the mock and pairs its turns with the mock's journal.
func (m *mock) drive(ctx context.Context, l *loaded) (*driven, []pair, error) {
	d, err := l.drive(ctx, m.child.Ready.URL, m.child.Ready.Admin)
	if err != nil {
		return nil, nil, err
	}
	calls, err := m.journal(ctx)
	if err != nil {
		return nil, nil, err
	}
	return d, match(d.schedule, seed, d.turns, calls), nil
}

// record is what is read of a record of the mock's journal.
type record struct {
	TraceID   string `json:"trace_id"`
	TNs       int64  `json:"t_ns"`
	DueNs     int64  `json:"due_ns"`
	WrittenNs int64  `json:"written_ns"`
	Outcome   string `json:"outcome"`
}

// journal is what the mock noted, by trace id.
func (m *mock) journal(ctx context.Context) (map[[16]byte]call, error) {
	calls := map[[16]byte]call{}
	for after := uint64(0); ; {
		var page struct {
			Records []record `json:"records"`
			Next    uint64   `json:"next"`
			Lost    uint64   `json:"lost"`
		}
		if err := m.admin.Call(ctx, http.MethodGet, fmt.Sprintf("/mock/journal?limit=10000&after=%d", after), nil, &page); err != nil {
			return nil, err
		}
		if page.Lost > 0 {
			return nil, fmt.Errorf("the mock's journal has lost %d records", page.Lost)
		}
		if len(page.Records) == 0 {
			return calls, nil
		}
		for _, r := range page.Records {
			var id [16]byte
			if n, err := hex.Decode(id[:], []byte(r.TraceID)); err != nil || n != len(id) {
				continue // not of a load
			}
			outcome, ok := becomes(r.Outcome)
			if !ok {
				return nil, fmt.Errorf("the mock's journal has an outcome that nobody asked for: %q", r.Outcome)
			}
			calls[id] = call{arrived: time.Duration(r.TNs), due: time.Duration(r.DueNs), written: time.Duration(r.WrittenNs), outcome: outcome}
		}
		if page.Next <= after {
			return nil, errors.New("the mock's journal does not go on")
		}
		after = page.Next
	}
}
