package trial

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// servers is what a run brings up beside the load: the mock LLM, the bundled
// server, or neither.
type servers struct {
	mockChild *child
	mock      *mock // nil when the run has no mock
	former    []byte
	server    *child
	target    scenario.Target // as the driver is to use it
}

// startServers brings up what the scenario asks for.
func startServers(ctx context.Context, s *scenario.Scenario, o Options) (_ *servers, err error) {
	up := &servers{target: s.Target}
	defer func() {
		if err != nil {
			up.stop(ctx)
		}
	}()
	if l := s.LLM; l != nil && (s.Target.Bundled != nil || l.Listen != "" || l.Admin != "") {
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

func (up *servers) startMock(ctx context.Context, s *scenario.Scenario, o Options) error {
	if s.LLM.Admin != "" {
		up.mock = newMock(s.LLM.Admin)
		former, err := up.mock.config(ctx)
		if err != nil {
			return &TargetError{Why: reason.New(reason.MockUnreachable, s.LLM.Admin, err), Err: err}
		}
		up.former = former
		return nil
	}
	listen := s.LLM.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	args := []string{o.Executable, "serve", "mockllm", "--exit-with-stdin", "--listen", listen, "--admin", "127.0.0.1:0",
		"--seed", strconv.FormatUint(s.Seed, 10)}
	c, err := startChild(ctx, "mockllm", args, childEnv(), o)
	if err != nil && s.LLM.Listen != "" && ctx.Err() == nil {
		return &TargetError{Why: reason.New(reason.MockCannotListen, s.LLM.Listen, err), Err: err}
	}
	if err != nil {
		return err
	}
	up.mockChild, up.mock = c, newMock(c.ready.Admin)
	return nil
}

func (up *servers) startBundled(ctx context.Context, s *scenario.Scenario, o Options) error {
	b := s.Target.Bundled
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	text := base64.RawURLEncoding.EncodeToString(secret)
	args := []string{o.Executable, "serve", "reference-server", "--exit-with-stdin", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--profile", string(b.Profile), "--llm", up.mockChild.ready.URL}
	for _, name := range slices.Sorted(maps.Keys(b.Knobs)) {
		args = append(args, "--knob", name+"="+b.Knobs[name])
	}
	if s.Target.HTTP == scenario.H2C {
		args = append(args, "--h2c")
	}
	// Secrets travel in the environment: arguments are public on the machine.
	redis, err := s.Expand(b.Redis)
	if err != nil {
		return fmt.Errorf("target.bundled.redis: %w", err)
	}
	env := childEnv("CSTEST_JWT_SECRET="+text, "CSTEST_REDIS="+redis)
	c, err := startChild(ctx, "reference-server", args, env, o)
	if err != nil {
		return err
	}
	up.server = c
	up.target.URL = c.ready.URL
	up.target.API = scenario.APIReference
	up.target.Auth = &scenario.Auth{JWT: &scenario.JWT{
		Secret: text, Sub: "${user.id}", TTL: unit.Duration(2 * time.Hour), Issuer: "cstest", Audience: "chat", Kid: "k1",
	}}
	return nil
}

// childEnv is this process's environment without the variables that stand for
// flags: they were meant for the parent.
func childEnv(more ...string) []string {
	env := []string{}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CSTEST_") {
			env = append(env, kv)
		}
	}
	return append(env, more...)
}

// children are the processes that were started, the server first: it drains
// while its LLM still answers.
func (up *servers) children() []*child {
	var all []*child
	if up.server != nil {
		all = append(all, up.server)
	}
	if up.mockChild != nil {
		all = append(all, up.mockChild)
	}
	return all
}

// stop gives a borrowed mock its configuration back and ends the children, at
// once when hurry is done.
func (up *servers) stop(hurry context.Context) {
	if up.former != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = up.mock.restore(ctx, up.former) // its time-to-live does the same, later
		cancel()
	}
	for _, c := range up.children() {
		c.stop(hurry)
	}
}

// state adds what the bundled server says of itself.
func (up *servers) state(ctx context.Context, f *measure.TargetFacts) error {
	if up.server == nil {
		return errors.New("not ours to ask")
	}
	var got struct {
		Profile string `json:"profile"`
		SHA256  string `json:"knobs_sha256"`
		Redis   string `json:"redis"`
		Turns   int64  `json:"turns"`
	}
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{Proxy: nil}}
	if err := callJSON(ctx, client, http.MethodGet, up.server.ready.Admin+"/admin/state", nil, &got); err != nil {
		return err
	}
	*f = measure.TargetFacts{Profile: got.Profile, KnobsSHA256: got.SHA256, Redis: got.Redis, Turns: got.Turns, Known: true}
	return nil
}
