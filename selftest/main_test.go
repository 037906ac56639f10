package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/reason"
)

// The test binary serves the mock LLM when it is called as cstest is for that.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "serve" && os.Args[2] == "mockllm" {
		os.Exit(serveMock())
	}
	goleak.VerifyTestMain(m)
}

func serveMock() int {
	s, err := mockllm.Start(mockllm.Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"})
	if err != nil {
		return 1
	}
	err = json.NewEncoder(os.Stdout).Encode(map[string]any{"ready": "mockllm", "url": s.URL(), "admin": s.AdminURL(), "pid": os.Getpid()})
	_, readErr := io.Copy(io.Discard, os.Stdin) // until the parent is done
	if errors.Join(err, readErr, s.Close()) != nil {
		return 1
	}
	return 0
}

// The counts of a run are those of servers that did not know they were asked.
func TestOutcomesOfServers(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m, err := startMock(t.Context(), executable, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.child.Stop(context.WithoutCancel(t.Context()))
	s := &run{mock: m, dir: dir}
	for name, group := range map[string]func(context.Context) ([]Check, error){"outcomes": s.outcomes, "foreign": s.foreign} {
		t.Run(name, func(t *testing.T) {
			checks, err := group(t.Context())
			if errors.Is(err, errNoNginx) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range checks {
				if !c.OK && c.Allowed == reason.Say("equal") { // how late things come is the machine's matter
					t.Errorf("%+v", c)
				}
			}
			if len(checks) < 6 {
				t.Errorf("only %d checks", len(checks))
			}
		})
	}
}
