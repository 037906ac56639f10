package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// asCstest makes the test binary be cstest, so that tests, and the bundled
// servers they start, run the very code under test.
const asCstest = "TEST_BINARY_IS_CSTEST"

func TestMain(m *testing.M) {
	if os.Getenv("HOST_PROC") == "" { // what else runs here must not change a verdict
		_ = os.Setenv("HOST_PROC", os.DevNull)
	}
	lower(os.Getenv)
	if os.Getenv(inNetwork) != "" {
		os.Exit(alone(os.Args[1:]))
	}
	if address := os.Getenv(asTarget); address != "" {
		os.Exit(beTarget(address, os.Stdin, os.Stdout))
	}
	if dir := os.Getenv(asKubectl); dir != "" {
		os.Exit(beKubectl(dir, os.Args[1:]))
	}
	if os.Getenv(asCstest) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} { // tests are written in English
		_ = os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// command is cstest with args, not yet started.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), asCstest+"=1", "NO_COLOR=")
	return cmd
}

// ended is what a finished cstest left.
type ended struct {
	code           int
	stdout, stderr string
}

// cstest runs cstest to its end.
func cstest(t testing.TB, args ...string) ended {
	t.Helper()
	return finished(t, command(t, args...))
}

// measured is cstest for a run that a machine which other tests keep busy may be too
// late for: what could not be measured is thrown away, and made again twice at most.
func measured(t testing.TB, args ...string) ended {
	t.Helper()
	return measuredIn(t, args[slices.Index(args, "--results-dir")+1], func() *exec.Cmd { return command(t, args...) })
}

// measuredIn is measured for a command of which the results go into dir.
func measuredIn(t testing.TB, dir string, cmd func() *exec.Cmd) ended {
	t.Helper()
	r := finished(t, cmd())
	for again := 0; again < 2 && r.code == exitInvalid; again++ {
		t.Logf("this machine could not measure it\n%s", r.stderr)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		r = finished(t, cmd())
	}
	return r
}

// TestScript runs testdata/script: `cstest CODE ARGS…` expects that exit code.
func TestScript(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv(asCstest, "1")
			env.Setenv("NO_COLOR", "")
			env.Setenv("HOST_PROC", os.DevNull)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cstest": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 1 {
					ts.Fatalf("usage: cstest CODE ARGS...")
				}
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				err = ts.Exec(self, args[1:]...)
				got := 0
				if err != nil {
					var exit *exec.ExitError
					if !errors.As(err, &exit) {
						ts.Fatalf("%v", err)
					}
					got = exit.ExitCode()
				}
				if got != want {
					ts.Fatalf("exit code %d, want %d", got, want)
				}
			},
		},
	})
}
