package crew

import (
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// asChild makes the test binary a shard process; its value says how that one
// behaves.
const asChild = "TEST_BINARY_IS_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "stuck" {
		_ = NewParent(os.Stdin, os.Stdout).Ready() // else the test fails
		select {}
	}
	goleak.VerifyTestMain(m)
}

// What a shard warns of says which shard it was, and a reason to distrust one is
// a reason to distrust the whole.
func TestCrewTellsWhatItsShardsTold(t *testing.T) {
	c := &Crew{members: []*member{
		{name: "shard 0/3", shard: "0/3", ending: &Ending{Facts: &measure.Facts{Generator: measure.Generator{MaxInFlight: 3, Cores: 2}}}},
		{name: "shard 1/3", shard: "1/3", late: true, cmd: &exec.Cmd{}},
		{name: "shard 2/3", shard: "2/3", ending: &Ending{
			Facts:    &measure.Facts{Interrupted: reason.Reasons{reason.Said("load: no lane")}, Generator: measure.Generator{MaxInFlight: 4, Cores: 2}},
			Warnings: reason.Reasons{reason.New(reason.RecordingFailed, "counts lost")},
		}},
	}}
	done := c.Told(time.Now())
	if want := []string{
		"shard 1/3 did not end at once and was killed: what it measured last is lost", "shard 2/3: recording: counts lost",
	}; !slices.Equal(done.Warnings.Texts(reason.English), want) {
		t.Errorf("warnings %q", done.Warnings)
	}
	if f := done.Facts; f.Interrupted.String() != "load: no lane" || f.Generator.MaxInFlight != 7 || f.Generator.Cores != 2 {
		t.Errorf("facts %+v", f)
	}
}

// One that does not end when it is told to is killed, and that is no reason of its own.
func TestStuckShardIsKilled(t *testing.T) {
	ctx, leave := context.WithTimeout(context.Background(), 20*time.Second)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asChild, "stuck")
	same := func(s string) string { return s }
	c, err := Start(ctx, Options{Executable: self, Redact: same, Plan: &measure.Plan{Stages: []measure.Stage{{Name: "s", End: time.Second}}}, Shards: 2})
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if err := c.Run(ctx, context.Background(), func(reason.Reason) {}); err != nil {
		t.Errorf("its end is a reason: %v", err)
	}
	done := c.Told(time.Now())
	want := []string{
		"shard 0/2 did not end at once and was killed: what it measured last is lost",
		"shard 1/2 did not end at once and was killed: what it measured last is lost",
	}
	if !slices.Equal(done.Warnings.Texts(reason.English), want) || len(done.Facts.Interrupted) > 0 {
		t.Errorf("warnings %q, interrupted %q", done.Warnings, done.Facts.Interrupted)
	}
}

// What is no job is told as what it is.
func TestParentThatGivesNoJob(t *testing.T) {
	for want, in := range map[string]string{
		"no job: EOF":                 "",
		`no job: a frame of kind 's'`: "\x01\x00\x00\x00s",
	} {
		if _, err := NewParent(strings.NewReader(in), io.Discard).Job(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
