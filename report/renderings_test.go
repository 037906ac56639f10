package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/result"
)

func TestADirectoryIsWrittenAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "journal.cst"), "journal")
	write(t, filepath.Join(dir, "logs", "mockllm.log"), "log")
	write(t, filepath.Join(dir, "torn.tmp"), "left by a crash")
	release, err := directory.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := saleDocument(t)
	if err := directory.Write(dir, d, Renderings(d, reason.English)); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	want := []string{"journal.cst", "junit.xml", "logs/mockllm.log", "report.html", "report.md", "series.csv"}
	if got := slices.Sorted(maps.Keys(d.Files)); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("files = %v, want %v", got, want)
	}
	for name, sum := range d.Files {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(b); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: SHA-256 %x, result.json says %s", name, got, sum)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, result.DocumentFile)} {
		back, err := result.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := rendered(t, d), rendered(t, back); a != b {
			t.Errorf("what Read gives renders differently (%d and %d bytes)", len(a), len(b))
		}
	}
	write(t, filepath.Join(dir, "report.md"), "changed")
	if _, err := result.Read(dir); err == nil || !strings.Contains(err.Error(), "report.md: changed since the run") {
		t.Errorf("Read of a changed directory: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rendered is every rendering of d, one after the other.
func rendered(t *testing.T, d *result.Document) string {
	t.Helper()
	var b bytes.Buffer
	for _, lang := range []reason.Lang{reason.English, reason.Chinese} {
		for _, f := range Renderings(d, lang) {
			if err := f.Write(&b); err != nil {
				t.Fatal(err)
			}
		}
		if err := WriteText(d, &b, TextOptions{Lang: lang, Color: true}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// full is a disk that takes so many writes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return len(p) / 2, syscall.ENOSPC
	}
	return len(p), nil
}

// No rendering keeps to itself that it could not be written.
func TestRenderingsTellOfAFullDisk(t *testing.T) {
	d := saleDocument(t)
	for _, f := range Renderings(d, reason.English) {
		for n := range 12 {
			disk := &full{left: n}
			err := f.Write(disk)
			if failed := disk.left < 0; failed != errors.Is(err, syscall.ENOSPC) || n == 0 && !failed {
				t.Errorf("%s on a disk that takes %d writes: %v", f.Name, n, err)
			}
		}
	}
}
