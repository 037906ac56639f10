package result

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReadRefuses(t *testing.T) {
	good := string(text(t, saleDocument(t, 1, 1)))
	for _, c := range []struct{ name, text, want string }{
		{"version", strings.Replace(good, `"schema_version": 1`, `"schema_version": 2`, 1), "schema version 2: this cstest reads version 1"},
		{"turns", strings.Replace(good, `"ok": `, `"ok": 1`, 1), "counts do not add up"},
		{"path", strings.Replace(good, `"warnings": [`, `"files": {"../../etc/passwd": "00"}, "warnings": [`, 1), "outside of the directory"},
		{"json", good[:len(good)/2], "not a result"},
		{"empty", "", "not a result"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, DocumentFile), c.text)
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "cstest report") {
		t.Errorf("of an unfinished run: %v", err)
	}
}

// The files of a result are those that were written with it, and are files.
func TestReadChecksTheFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.txt"), "abc")
	d := saleDocument(t, 1, 1)
	d.Files = map[string]string{"a.txt": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"} // FIPS 180-2
	write(t, filepath.Join(dir, DocumentFile), string(text(t, d)))
	for _, path := range []string{dir, filepath.Join(dir, DocumentFile)} {
		if back, err := Read(path); err != nil || back.Counts != d.Counts || back.Files["a.txt"] != d.Files["a.txt"] {
			t.Errorf("%s: %v", path, err)
		}
	}
	write(t, filepath.Join(dir, "a.txt"), "abd")
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "a.txt: changed since the run") {
		t.Errorf("changed: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "a.txt")); err != nil {
		t.Fatal(err)
	}
	for range 5 { // of several files the first, every time
		d.Files["b.txt"], d.Files["c.txt"] = d.Files["a.txt"], d.Files["a.txt"]
		write(t, filepath.Join(dir, DocumentFile), string(text(t, d)))
		if _, err := Read(dir); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "a.txt: the result is not whole") {
			t.Errorf("removed: %v", err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "a.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory in its place: %v", err)
	}
}

// A result of before there were codes has empty lists of them.
func TestResultsWithoutCodes(t *testing.T) {
	var raw map[string]any
	if err := json.Unmarshal(text(t, saleDocument(t, 1, 1)), &raw); err != nil {
		t.Fatal(err)
	}
	delete(raw, "reason_codes")
	delete(raw, "warning_codes")
	delete(raw["generator"].(map[string]any), "reason_codes")
	for _, o := range raw["objectives"].([]any) {
		delete(o.(map[string]any), "reason_codes")
	}
	old, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, compiled(t), d, nil); err != nil {
		t.Errorf("written again: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(text(f, Build(nil, nil, Recording{})))
	f.Add([]byte(`{"schema_version":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		if err := d.Check(); err != nil {
			t.Error(err)
		}
	})
}
