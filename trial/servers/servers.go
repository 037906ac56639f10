// Package servers brings up what a run needs beside the load: the mock LLM and
// the bundled chat server, as child processes of the same binary.
package servers

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// Options say where the servers come from and where their logs go.
type Options struct {
	Executable string              // cstest itself
	LogDir     string              // of the processes' standard error
	Redact     func(string) string // takes secrets out of logs; nil: they are kept as they are
	Owner      string              // the run, for whom a mock that runs already is armed
	// ArmedElsewhere: a mock that runs already is the business of who drives all shards.
	ArmedElsewhere bool
}

// Error is a mock LLM of the user's that cannot be used.
type Error struct {
	Why reason.Reason
	Err error
}

// Error says which and why.
func (e *Error) Error() string { return e.Why.String() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Set is what a run brings up beside the load: the mock LLM, the bundled
// server, or neither.
type Set struct {
	mockChild *Child
	Mock      *Mock // nil when the run has no mock
	former    []byte
	bundled   []*Child        // the bundled server's processes
	before    *serverState    // of the bundled server, when the load began; nil: it did not tell
	Target    scenario.Target // as the driver is to use it
}

// Start brings up what the scenario asks for.
func Start(ctx context.Context, s *scenario.Scenario, o Options) (_ *Set, err error) {
	up := &Set{Target: s.Target}
	defer func() {
		if err != nil {
			up.Stop(ctx)
		}
	}()
	if l := s.LLM; l != nil && (s.Target.Bundled != nil || l.Listen != "" || l.Admin != "" && !o.ArmedElsewhere) {
		if err := up.startMock(ctx, s, o); err != nil {
			return nil, err
		}
	}
	if s.Target.Bundled != nil {
		if err := up.startBundled(ctx, s, o); err != nil {
			return nil, err
		}
	}
	return up, nil
}

func (up *Set) startMock(ctx context.Context, s *scenario.Scenario, o Options) error {
	if s.LLM.Admin != "" {
		b, err := Borrow(ctx, s, o.Owner, "")
		if err != nil {
			return err
		}
		up.Mock, up.former = b.mock, b.former
		return nil
	}
	listen := s.LLM.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	args := []string{
		o.Executable, "serve", "mockllm", "--exit-with-stdin", "--listen", listen, "--admin", "127.0.0.1:0",
		"--seed", strconv.FormatUint(s.Seed, 10),
	}
	c, err := StartChild(ctx, "mockllm", args, Env(), o)
	if err != nil && s.LLM.Listen != "" && ctx.Err() == nil {
		return &Error{Why: reason.New(reason.MockCannotListen, s.LLM.Listen, err), Err: err}
	}
	if err != nil {
		return err
	}
	up.mockChild, up.Mock = c, NewMock(c.Ready.Admin, Access{})
	return nil
}

func (up *Set) startBundled(ctx context.Context, s *scenario.Scenario, o Options) error {
	b := s.Target.Bundled
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	text := base64.RawURLEncoding.EncodeToString(secret)
	args := []string{
		o.Executable, "serve", measure.BundledServer, "--exit-with-stdin", "--admin", "127.0.0.1:0",
		"--profile", string(b.Profile), "--llm", up.mockChild.Ready.URL,
	}
	for _, name := range slices.Sorted(maps.Keys(b.Knobs)) {
		args = append(args, "--knob", name+"="+b.Knobs[name])
	}
	if s.Target.HTTP == scenario.H2C {
		args = append(args, "--h2c")
	}
	if b.Processes > 1 {
		args = append(args, "--reuse-port")
	}
	// Secrets travel in the environment: arguments are public on the machine.
	redis, err := s.Expand(b.Redis)
	if err != nil {
		return fmt.Errorf("target.bundled.redis: %w", err)
	}
	env := Env("CSTEST_JWT_SECRET="+text, "CSTEST_REDIS="+redis)
	listen := "127.0.0.1:0" // the first gets a port, which the others share
	for n := range b.Processes {
		c, err := StartChild(ctx, bundledName(n, b.Processes), append(slices.Clip(args), "--listen", listen), env, o)
		if err != nil {
			return err
		}
		up.bundled = append(up.bundled, c)
		listen = strings.TrimPrefix(c.Ready.URL, "http://")
	}
	up.Target.URL = up.bundled[0].Ready.URL
	up.Target.API = scenario.APIReference
	up.Target.Auth = &scenario.Auth{JWT: &scenario.JWT{
		Secret: text, Sub: "${user.id}", TTL: unit.Duration(2 * time.Hour), Issuer: "cstest", Audience: "chat", Kid: "k1",
	}}
	return nil
}

// bundledName tells the processes of the bundled server apart.
func bundledName(n, of int) string {
	if of == 1 {
		return measure.BundledServer
	}
	return fmt.Sprintf("%s-%d", measure.BundledServer, n+1)
}

// Env is this process's environment without the variables that stand for
// flags: they were meant for the parent.
func Env(more ...string) []string {
	env := []string{}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CSTEST_") {
			env = append(env, kv)
		}
	}
	return append(env, more...)
}

// Bundled tells whether the target is the bundled server.
func (up *Set) Bundled() bool { return up.bundled != nil }

// MockURL is where a mock of ours listens; empty without one.
func (up *Set) MockURL() string {
	if up.mockChild == nil {
		return ""
	}
	return up.mockChild.Ready.URL
}

// putBackWithin is how long a borrowed mock may take to be as it was.
const putBackWithin = 5 * time.Second

// Children are the processes that were started, the server first: it drains
// while its LLM still answers.
func (up *Set) Children() []*Child {
	all := slices.Clone(up.bundled)
	if up.mockChild != nil {
		all = append(all, up.mockChild)
	}
	return all
}

// Borrowed tells whether the mock LLM is somebody else's.
func (up *Set) Borrowed() bool { return up.former != nil }

// PutBack gives a borrowed mock its configuration back, and asks it whether it has
// it; no error is that it has. It does so once.
func (up *Set) PutBack(ctx context.Context) error {
	former := up.former
	if up.former = nil; former == nil {
		return nil
	}
	if err := up.Mock.restore(ctx, former); err != nil {
		return err
	}
	now, err := up.Mock.config(ctx)
	if err != nil {
		return err
	}
	if !sameJSON(now, former) {
		return errors.New("it has another configuration than before the load")
	}
	return nil
}

// sameJSON tells whether two texts mean the same value.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// Stop gives a borrowed mock its configuration back and ends the children, at
// once when hurry is done.
func (up *Set) Stop(hurry context.Context) {
	ctx, cancel := context.WithTimeout(context.Background(), putBackWithin)
	_ = up.PutBack(ctx) // its time-to-live does the same, later
	cancel()
	for _, c := range up.Children() {
		c.Stop(hurry)
	}
}

// serverState is what the bundled server says of itself; counts are those of all its
// processes.
type serverState struct {
	Profile     string `json:"profile"`
	SHA256      string `json:"knobs_sha256"`
	Redis       string `json:"redis"`
	Turns       int64  `json:"turns"`
	RoundTrips  *int64 `json:"redis_round_trips"`
	Connections struct {
		Most int64 `json:"most"`
	} `json:"connections"`
}

// ask asks the bundled server for its state; the error says which of its processes could
// not tell.
func (up *Set) ask(ctx context.Context) (*serverState, error) {
	if up.bundled == nil {
		return nil, errors.New("not ours to ask")
	}
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{Proxy: nil}}
	var sum *serverState
	for _, c := range up.bundled {
		got := &serverState{}
		if err := callJSON(ctx, client, Access{}, http.MethodGet, c.Ready.Admin+"/admin/state", nil, got); err != nil {
			if len(up.bundled) > 1 {
				err = fmt.Errorf("%s: %w", c.name, err)
			}
			return nil, err
		}
		if sum != nil {
			got.add(sum)
		}
		sum = got
	}
	return sum, nil
}

// add adds the counts of another process.
func (s *serverState) add(o *serverState) {
	s.Turns += o.Turns
	s.Connections.Most += o.Connections.Most
	if s.RoundTrips != nil && o.RoundTrips != nil {
		*s.RoundTrips += *o.RoundTrips
	}
}

// LoadStarts notes what was used before the load.
func (up *Set) LoadStarts(ctx context.Context) {
	for _, c := range up.Children() {
		c.LoadStarts()
	}
	if got, err := up.ask(ctx); err == nil { // else less is known at the end
		up.before = got
	}
}

// State adds what the bundled server says of itself, round trips since the load began.
func (up *Set) State(ctx context.Context, f *measure.TargetFacts) error {
	got, err := up.ask(ctx)
	if err != nil {
		return err
	}
	*f = measure.TargetFacts{Profile: got.Profile, KnobsSHA256: got.SHA256, Redis: got.Redis, Turns: got.Turns, Known: true}
	if was := up.before; was != nil && was.RoundTrips != nil && got.RoundTrips != nil {
		f.RoundTrips, f.Connections, f.RoundTripsKnown = *got.RoundTrips-*was.RoundTrips, got.Connections.Most, true
	}
	return nil
}
