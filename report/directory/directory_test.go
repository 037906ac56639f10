package directory

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/result"
)

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

func (f *failing) Create(name string) (writeSyncer, error) {
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
	writeSyncer
	fs   *failing
	name string
}

func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.fs.step("write", f.name); err != nil {
		n, _ := f.writeSyncer.Write(p[:len(p)/2]) // a full disk takes a part
		return n, err
	}
	return f.writeSyncer.Write(p)
}

func (f *failingFile) Sync() error {
	if err := f.fs.step("sync", f.name); err != nil {
		return err
	}
	return f.writeSyncer.Sync()
}

func (f *failingFile) Close() error {
	err := f.writeSyncer.Close()
	if failed := f.fs.step("close", f.name); failed != nil {
		return failed
	}
	return err
}

// Every n-th operation fails once: the error names the file, result.json is
// there only when nothing failed, and every other file is whole.
func TestWriteWhenTheNthOperationFails(t *testing.T) {
	d := reporttest.Document(t, "../../result/testdata/pass.json")
	files := three()
	ops := map[string]bool{}
	for n := 1; ; n++ {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "journal.cst"), "journal")
		put(t, filepath.Join(dir, result.DocumentFile), "of an older rendering")
		fsys := &failing{n: n}
		err := write(fsys, dir, d, files)
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

func TestWriteOnAFullDisk(t *testing.T) {
	d := reporttest.Document(t, "../../result/testdata/pass.json")
	files := three()
	for n := 1; n < 12; n++ {
		dir := t.TempDir()
		if err := write(&failing{n: n, sticky: true}, dir, d, files); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("n = %d: %v", n, err)
		}
		if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); err == nil {
			t.Errorf("n = %d: a result.json claims to be complete", n)
		}
	}
}

func TestWriteKeepsAPartialDocument(t *testing.T) {
	d, dir := reporttest.Document(t, "../../result/testdata/pass.json"), t.TempDir()
	broken := File{"broken.txt", func(io.Writer) error { return errors.New("will not render") }}
	err := Write(dir, d, []File{broken, {"../out.txt", func(io.Writer) error { return nil }}})
	if err == nil || !strings.Contains(err.Error(), "broken.txt: will not render") || !strings.Contains(err.Error(), "not a name inside") {
		t.Errorf("error %v", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, partialFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := result.Parse(b); err != nil {
		t.Errorf("%s: %v", partialFile, err)
	}
}

// three are files of four bytes.
func three() []File {
	return []File{
		{"a.txt", func(w io.Writer) error { _, err := io.WriteString(w, "aaaa"); return err }},
		{"b/b.txt", func(w io.Writer) error { _, err := io.WriteString(w, "bbbb"); return err }},
		{"c.txt", func(w io.Writer) error { _, err := io.WriteString(w, "cccc"); return err }},
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
