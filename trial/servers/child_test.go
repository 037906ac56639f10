package servers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeServer starts the test binary as a server.
func fakeServer(t *testing.T, ctx context.Context, role string) (*Child, string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(t.TempDir(), "logs")
	c, err := StartChild(ctx, "fake", []string{self}, Env(asChild+"="+role), Options{LogDir: logs})
	return c, logs, err
}

func TestChildIsReadyAndEndsWithItsInput(t *testing.T) {
	c, _, err := fakeServer(t, patient(t), "serves")
	if err != nil {
		t.Fatal(err)
	}
	if c.Ready.URL != "http://127.0.0.1:1" || c.Ready.Admin != "http://127.0.0.1:2" || c.Ready.PID != c.cmd.Process.Pid {
		t.Errorf("ready %+v, process %d", c.Ready, c.cmd.Process.Pid)
	}
	c.LoadStarts()
	if p := c.Figures(time.Now()); p.Name != "fake" || p.Ended != 0 || p.Exit != "" || p.MaxRSS < 1<<20 {
		t.Errorf("while it runs: %+v", p)
	}
	c.Stop(context.Background())
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it was to end when its input did, and exited with %d", code)
	}
	if p := c.Figures(time.Now()); p.Ended != 0 || p.Exit != "" {
		t.Errorf("it was asked to end, and counts as dead: %+v", p)
	}
}

func TestChildThatEndsEarlyIsTold(t *testing.T) {
	base := time.Now()
	c, _, err := fakeServer(t, patient(t), "serves")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-c.done
	p := c.Figures(base)
	if p.Exit != "signal: terminated" || p.Ended <= 0 || p.Ended > patience {
		t.Errorf("figures %+v", p)
	}
	c.Stop(context.Background())
}

func TestChildThatDoesNotStart(t *testing.T) {
	for _, tt := range []struct{ role, want string }{
		{"dies", "fake did not start: listen on 127.0.0.1:1: permission denied"},
		{"babbles", "fake did not start: hello, I am no server"},
	} {
		c, logs, err := fakeServer(t, patient(t), tt.role)
		if c != nil || err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %q", tt.role, err, tt.want)
		}
		if _, err := os.Stat(filepath.Join(logs, "fake.log")); err != nil {
			t.Errorf("%s: no log: %v", tt.role, err)
		}
	}
}

func TestChildIsKilledWhenTheUserLeaves(t *testing.T) {
	ctx, cancel := context.WithCancel(patient(t))
	gone := time.AfterFunc(50*time.Millisecond, cancel)
	defer gone.Stop()
	if _, _, err := fakeServer(t, ctx, "hangs"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	c, _, err := fakeServer(t, patient(t), "stubborn")
	if err != nil {
		t.Fatal(err)
	}
	hurry, leave := context.WithCancel(context.Background())
	leave()
	asked := time.Now()
	c.Stop(hurry)
	// It would drain for stopWithin, and is given leaveWithin.
	if took := time.Since(asked); took < leaveWithin || took > stopWithin/2 {
		t.Errorf("it was given %s", took)
	}
	if state := c.cmd.ProcessState.String(); state != "signal: killed" {
		t.Errorf("it ended with %s", state)
	}
}

func TestLastWordsAreBounded(t *testing.T) {
	log, err := os.Create(filepath.Join(t.TempDir(), "fake.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := &Child{said: log.Name()}
	if got := c.lastWords(); got != "it said nothing; see "+log.Name() {
		t.Errorf("of an empty log: %q", got)
	}
	if _, err := log.WriteString("first\n" + strings.Repeat("x", 10_000) + "\n\n"); err != nil {
		t.Fatal(err)
	}
	if got := c.lastWords(); got != strings.Repeat("x", 500)+"…" {
		t.Errorf("%d bytes: %.20q", len(got), got)
	}
}

func TestChildrenDoNotInheritFlags(t *testing.T) {
	t.Setenv("CSTEST_RATE", "1000/s")
	t.Setenv("NOT_CSTEST_RATE", "kept")
	env := strings.Join(Env("CSTEST_JWT_SECRET=x"), "\n")
	if strings.Contains(env, "\nCSTEST_RATE=") || !strings.Contains(env, "NOT_CSTEST_RATE=kept") || !strings.HasSuffix(env, "\nCSTEST_JWT_SECRET=x") {
		t.Errorf("environment:\n%s", env)
	}
}
