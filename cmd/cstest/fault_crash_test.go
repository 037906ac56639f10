package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/trial"
)

// D14: a panic of the load is an exit code of its own, with what was measured
// written, and a report for a programmer in which no secret is.
func TestPanicIsReported(t *testing.T) {
	t.Setenv("TARGET_TOKEN", "sesame-open-1")
	path := write(t, direct("http://127.0.0.1:9", `, headers: {authorization: "Bearer ${env:TARGET_TOKEN}"}`, shortLoad))
	var out, errs bytes.Buffer
	o := &runOptions{onInconclusive: "fail", processes: "1", resultsDir: filepath.Join(t.TempDir(), "result")}
	o.changed = func(string) bool { return false }
	j, err := newJob(t.Context(), streams{in: nil, out: &out, err: &errs}, o, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(j.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	j.signals = catchSignals(context.Background())
	defer j.signals.release()
	recorder := measure.NewRecorder(trial.Plan(j.chosen.Scenario), 1)
	recorder.Lane(0).Started(0)
	recorder.Lane(0).Record(&measure.Turn{Sent: 1, Done: time.Millisecond})
	recorder.Lane(0).Ended(measure.Complete, nil)
	cut, err := recorder.Cut(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	snap := measure.NewSnapshot(trial.Plan(j.chosen.Scenario))
	if err := snap.Add(cut); err != nil {
		t.Fatal(err)
	}
	err = j.finish(&trial.Done{
		Started: time.Now(), Snapshot: snap, Facts: &measure.Facts{Interrupted: reason.Reasons{reason.New(reason.LoadPanicked)}},
		Crash: &load.Crash{Value: "cannot parse \"Bearer sesame-open-1\"\x1b[31m", Stack: "goroutine 7 [running]:\nsesame-open-1\ndriver.parse(0x7)"},
	})
	if code := exitCode(err); code != exitInternal {
		t.Errorf("exit %d, want %d: %v", code, exitInternal, err)
	}
	crash, readErr := os.ReadFile(filepath.Join(j.dir, crashFile))
	if readErr != nil {
		t.Fatal(readErr)
	}
	for _, want := range []string{"cstest ", "cannot parse", "goroutine 7 [running]", "driver.parse"} {
		if !strings.Contains(string(crash), want) {
			t.Errorf("%s has no %q:\n%s", crashFile, want, crash)
		}
	}
	for name, text := range map[string]string{"the error": err.Error(), crashFile: string(crash), "standard output": out.String(), "standard error": errs.String()} {
		if strings.Contains(text, "sesame-open-1") || name == "the error" && strings.Contains(text, "\x1b") {
			t.Errorf("%s tells a secret, or an escape code: %q", name, text)
		}
	}
	if info, err := os.Stat(filepath.Join(j.dir, crashFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	doc := open(t, j.dir)
	if doc.Verdict != "incomplete" || doc.Counts.OK != 1 || doc.Files[crashFile] == "" || !mentions(doc.Reasons, "cstest itself failed") {
		t.Errorf("%s, %d turns ok, reasons %q, files %v", doc.Verdict, doc.Counts.OK, doc.Reasons, doc.Files)
	}
}

// panicking is standard input that panics when it is read.
type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a bug") }

func TestPanicOutsideOfTheLoadIsAnExitCode(t *testing.T) {
	var errs bytes.Buffer
	if code := run(context.Background(), []string{"run", "-"}, panicking{}, io.Discard, &errs); code != exitInternal {
		t.Errorf("exit %d, want %d", code, exitInternal)
	}
	if !strings.HasPrefix(errs.String(), "cstest: internal error: a bug: please report it\n") || !strings.Contains(errs.String(), "panicking") {
		t.Errorf("standard error %q", errs.String())
	}
}
