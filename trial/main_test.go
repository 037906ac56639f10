package trial

import (
	"context"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cstest/cstest/scenario"
)

// asChild makes the test binary a shard process; its value says how that one
// behaves.
const asChild = "TEST_BINARY_IS_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(asChild); role != "" {
		os.Exit(beShard(role, os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// patience bounds waits for what must happen; it is no figure of the product.
const patience = 20 * time.Second

func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// parse reads a scenario with the given target and load.
func parse(t *testing.T, target, load string) *scenario.Scenario {
	t.Helper()
	text := "version: 1\nname: t\nseed: 3\ntarget: " + target + "\nload: " + load + `
conversations:
  - name: c
    think: 2s
    turns: [{say: a}, {say: b}, {say: c}]
checks: {memory: off}
sla: {latency: {p90: 1s}, availability: 90%}
`
	s, err := scenario.Parse("t.yaml", []byte(text), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
