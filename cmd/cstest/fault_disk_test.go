package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cstest/cstest/result"
)

const shortLoad = "{arrivals: constant, stages: [{name: s, for: 1s, starts: 40/s}], drain: 5s}"

// D6: the disk is full after so many bytes, in every file: a run that has begun
// goes on in memory and is told whole on standard output; what is on disk does
// not pass for complete.
func TestDiskThatIsFull(t *testing.T) {
	t.Parallel()
	srv := &talker{}
	path := write(t, direct(srv.start(t), "", shortLoad))
	for _, most := range []int{1, 100, 3000, 6000, 9000, 12_000, 20_000, 60_000} {
		t.Run(fmt.Sprint(most, " bytes a file"), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			checkFull(t, dir, limited(t, limitSize, most, "run", path, "--results-dir", dir, "--json"))
		})
	}
}

// D6: the same on a small file system.
func TestFileSystemThatIsFull(t *testing.T) {
	t.Parallel()
	srv := &talker{}
	path := write(t, direct(srv.start(t), "", shortLoad))
	for _, pages := range []int{2, 5, 12, 30} {
		mount := t.TempDir()
		if err := syscall.Mount("none", mount, "tmpfs", 0, fmt.Sprintf("size=%dk", 4*pages)); err != nil {
			t.Skipf("no file systems can be mounted here: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(mount, syscall.MNT_DETACH) })
		t.Run(fmt.Sprint(pages, " pages"), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(mount, "result")
			checkFull(t, dir, cstest(t, "run", path, "--results-dir", dir, "--json"))
		})
	}
}

// checkFull holds a run whose results did not fit against what was promised.
func checkFull(t *testing.T, dir string, r ended) {
	t.Helper()
	if r.code != exitResults {
		t.Fatalf("exit %d, want %d\n%s", r.code, exitResults, r.stderr)
	}
	if !strings.Contains(r.stderr, "file too large") && !strings.Contains(r.stderr, "no space left on device") {
		t.Errorf("standard error does not say why:\n%s", r.stderr)
	}
	if strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("it panicked:\n%s", r.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a %s that means complete: %v", result.DocumentFile, err)
	}
	if r.stdout == "" {
		if strings.Contains(r.stderr, "00:01") {
			t.Error("the run began, and its result is nowhere")
		}
		return
	}
	doc := &result.Document{}
	if err := json.Unmarshal([]byte(r.stdout), doc); err != nil {
		t.Fatal(err)
	}
	if doc.Counts.OK != 80 || doc.Counts.Turns != 80 {
		t.Errorf("the run did not go on in memory: %+v", doc.Counts)
	}
	if !strings.Contains(r.stderr, dir) {
		t.Errorf("standard error names no file:\n%s", r.stderr)
	}
	again := cstest(t, "report", dir, "--format", "json")
	if again.code == exitInternal || again.code < 0 || strings.Contains(again.stderr, "goroutine ") {
		t.Errorf("report on what is left: exit %d\n%s", again.code, again.stderr)
	}
}

// D6: what cannot be put on standard output is told in a line on standard error.
func TestStandardOutputThatIsFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	srv := &talker{}
	dir := filepath.Join(t.TempDir(), "result")
	cmd := command(t, "run", write(t, direct(srv.start(t), "", shortLoad)), "--results-dir", dir, "--quiet")
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = full, &errs
	_ = cmd.Run() // how it ended is in ProcessState
	if code := cmd.ProcessState.ExitCode(); code != exitResults {
		t.Errorf("exit %d, want %d", code, exitResults)
	}
	doc := open(t, dir)
	if want := "verdict " + doc.Verdict + ": 80 of 80 turns ok, 0 degraded"; !strings.Contains(errs.String(), want) || !strings.Contains(errs.String(), "standard output: ") {
		t.Errorf("standard error %q, want %q", errs.String(), want)
	}
}

// D13: what is no journal of ours is told in a line, as wrong usage.
func TestForeignResultsAreRefused(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "result")
	srv := &talker{}
	if r := cstest(t, "run", write(t, direct(srv.start(t), "", "{arrivals: constant, stages: [{name: s, for: 1s, starts: 20/s}], drain: 5s}")), "--results-dir", whole, "--quiet"); r.code != 0 && r.code != 11 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	good, err := os.ReadFile(filepath.Join(whole, result.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	newer := append([]byte(nil), good...)
	newer[5] = 9 // the version, little endian, behind the five bytes of the magic
	for _, tt := range []struct {
		name, file string
		content    []byte
		want       string
	}{
		{"nothing", result.JournalFile, nil, "no journal, or damaged beyond reading"},
		{"a text", result.JournalFile, []byte("{\"hello\": \"world\"}\n"), "no journal, or damaged beyond reading"},
		{"compressed", result.JournalFile, []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03truncated"), "it is gzip-compressed: decompress it first"},
		{"zeros", result.JournalFile, make([]byte, 100_000), "no journal, or damaged beyond reading"},
		{"the first half of the plan", result.JournalFile, good[:60], "no journal, or damaged beyond reading"},
		{"another's result", result.DocumentFile, []byte(`{"metrics": {}}`), result.DocumentFile},
		{"half a result", result.DocumentFile, []byte(`{"schema_version": 1, "verd`), result.DocumentFile},
		{"a result of a later version", result.DocumentFile, []byte(`{"schema_version": 99}`), "99"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, tt.file), tt.content, 0o600); err != nil {
			t.Fatal(err)
		}
		r := cstest(t, "report", dir)
		if r.code != exitUsage || !strings.Contains(r.stderr, tt.want) || !strings.Contains(r.stderr, dir) || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
			t.Errorf("%s: exit %d, want %d and a line with %q\n%s%s", tt.name, r.code, exitUsage, tt.want, r.stdout, r.stderr)
		}
	}
	// A header that is damaged is made good by the first record; one that is whole
	// and of another version is not.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, result.JournalFile), newer, 0o600); err != nil {
		t.Fatal(err)
	}
	r := cstest(t, "report", dir)
	if doc := open(t, dir); r.code != 11 || doc.Counts.OK != 40 || doc.Verdict == "pass" {
		t.Errorf("a damaged header: exit %d, %s, %+v\n%s", r.code, doc.Verdict, doc.Counts, r.stderr)
	}
}
