package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cstest/cstest/result"
)

func TestWriteDirectoryAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "journal.cst"), "journal")
	write(t, filepath.Join(dir, "logs", "mockllm.log"), "log")
	write(t, filepath.Join(dir, "torn.tmp"), "left by a crash")
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := saleDocument(t)
	if err := WriteDirectory(nil, dir, d, Renderings(d, English)); err != nil {
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

// failing is a disk on which the n-th operation fails, and with sticky all after it.
type failing struct {
	disk
	n      int
	sticky bool
	op     string // of the failure, once it happened
}

func (f *failing) step(op, name string) error {
	f.n--
	if f.n == 0 || f.sticky && f.n < 0 {
		if f.op == "" {
			f.op = op
		}
		return &os.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
	}
	return nil
}

func (f *failing) Create(name string) (WriteSyncer, error) {
	if err := f.step("create", name); err != nil {
		return nil, err
	}
	w, err := f.disk.Create(name)
	if err != nil {
		return nil, err
	}
	return &failingFile{w, f, name}, nil
}

func (f *failing) Rename(from, to string) error {
	if err := f.step("rename", from); err != nil {
		return err
	}
	return f.disk.Rename(from, to)
}

func (f *failing) SyncDir(name string) error {
	if err := f.step("syncdir", name); err != nil {
		return err
	}
	return f.disk.SyncDir(name)
}

func (f *failing) Open(name string) (io.ReadCloser, error) {
	if err := f.step("open", name); err != nil {
		return nil, err
	}
	return f.disk.Open(name)
}

type failingFile struct {
	WriteSyncer
	fs   *failing
	name string
}

func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.fs.step("write", f.name); err != nil {
		n, _ := f.WriteSyncer.Write(p[:len(p)/2]) // a full disk takes a part
		return n, err
	}
	return f.WriteSyncer.Write(p)
}

func (f *failingFile) Sync() error {
	if err := f.fs.step("sync", f.name); err != nil {
		return err
	}
	return f.WriteSyncer.Sync()
}

func (f *failingFile) Close() error {
	err := f.WriteSyncer.Close()
	if failed := f.fs.step("close", f.name); failed != nil {
		return failed
	}
	return err
}

// Every n-th operation fails once: the error names the file, result.json is
// there only when nothing failed, and every other file is whole.
func TestWriteDirectoryWhenTheNthOperationFails(t *testing.T) {
	d := saleDocument(t)
	files := []File{
		{"a.txt", func(w io.Writer) error { _, err := io.WriteString(w, "aaaa"); return err }},
		{"b/b.txt", func(w io.Writer) error { _, err := io.WriteString(w, "bbbb"); return err }},
		{"c.txt", func(w io.Writer) error { _, err := io.WriteString(w, "cccc"); return err }},
	}
	ops := map[string]bool{}
	for n := 1; ; n++ {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "journal.cst"), "journal")
		write(t, filepath.Join(dir, result.DocumentFile), "of an older rendering")
		fsys := &failing{n: n}
		err := WriteDirectory(fsys, dir, d, files)
		if fsys.op == "" {
			if err != nil || n < 20 {
				t.Fatalf("without a failure (n = %d): %v", n, err)
			}
			break
		}
		ops[fsys.op] = true
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dir) {
			t.Errorf("n = %d, %s: error %v does not tell", n, fsys.op, err)
		}
		whole := 0
		for _, f := range files {
			if b, err := os.ReadFile(filepath.Join(dir, f.Name)); err == nil {
				if len(b) != 4 {
					t.Errorf("n = %d, %s: %s is torn: %q", n, fsys.op, f.Name, b)
				}
				whole++
			}
		}
		if whole < len(files)-1 {
			t.Errorf("n = %d, %s: only %d of %d others are there", n, fsys.op, whole, len(files))
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
			t.Errorf("n = %d, %s: left %v", n, fsys.op, left)
		}
		// A directory that could not be synced at the very end holds a result that
		// may vanish with a power cut, but not one that lies.
		if b, err := os.ReadFile(filepath.Join(dir, result.DocumentFile)); err == nil {
			if back, err := result.Read(dir); err != nil || len(back.Files) != 4 {
				t.Errorf("n = %d, %s: a result.json of %d bytes that does not read back: %v", n, fsys.op, len(b), err)
			}
		}
	}
	for _, op := range []string{"create", "write", "sync", "close", "rename", "syncdir", "open"} {
		if !ops[op] {
			t.Errorf("no %s failed", op)
		}
	}
}

func TestWriteDirectoryOnAFullDisk(t *testing.T) {
	d := saleDocument(t)
	for n := 1; n < 12; n++ {
		dir := t.TempDir()
		if err := WriteDirectory(&failing{n: n, sticky: true}, dir, d, Renderings(d, English)); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("n = %d: %v", n, err)
		}
		if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); err == nil {
			t.Errorf("n = %d: a result.json claims to be complete", n)
		}
	}
}

func TestWriteDirectoryKeepsAPartialDocument(t *testing.T) {
	d, dir := saleDocument(t), t.TempDir()
	broken := File{"broken.txt", func(io.Writer) error { return errors.New("will not render") }}
	err := WriteDirectory(nil, dir, d, []File{broken, {"../out.txt", func(io.Writer) error { return nil }}})
	if err == nil || !strings.Contains(err.Error(), "broken.txt: will not render") || !strings.Contains(err.Error(), "not a name inside") {
		t.Errorf("error %v", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, PartialFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := result.Parse(b); err != nil {
		t.Errorf("%s: %v", PartialFile, err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, LockFile))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d %s\n", os.Getpid(), bootID()); string(b) != want {
		t.Errorf("lock holds %q, want %q", b, want)
	}
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("second lock: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, LockFile), "1 a-boot-long-gone\n")
	again, err := Lock(dir)
	if err != nil {
		t.Fatalf("a lock left by the dead: %v", err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, LockFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file stays: %v", err)
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
	for _, lang := range []Lang{English, Chinese} {
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
