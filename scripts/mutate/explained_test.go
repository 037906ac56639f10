package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Changes are explained by what is there; those above one reason share it.
func TestExplained(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		fails      string
	}{
		{"none", "", nil, ""},
		{"a group and one", "# said\n\na.go f: x →< y: < is <=\na.go f: x →> y: > is >=\n\tNever the same.\n\nb.go g: →z: statement removed\n  Two lines\n  of reason.\n", []string{"a.go f: x →< y: < is <=", "a.go f: x →> y: > is >=", "b.go g: →z: statement removed"}, ""},
		{"no reason", "a.go f: x: y\n", nil, "no reason for a.go f: x: y"},
		{"twice", "a.go f: x: y\n\tOnce.\na.go f: x: y\n\tAgain.\n", nil, ":3: explained twice: a.go f: x: y"},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "testdata"), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, explainedFile), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := explained(dir)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v, want %q", c.name, err, c.fails)
			}
			continue
		}
		var got []string
		for k := range keys {
			got = append(got, k)
		}
		if slices.Sort(got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	if keys, err := explained(t.TempDir()); keys != nil || err != nil {
		t.Errorf("without a file: %v, %v", keys, err)
	}
}

// An explanation is of no change where the line was written anew; those of files
// that are not looked at are left alone.
func TestUnfound(t *testing.T) {
	m := mutant{file: "a.go", function: "f", line: "x →< y", what: "< is <="}
	keys := map[string]bool{m.key(): true, "a.go f: x →< z: < is <=": true, "b.go g: →z: statement removed": true}
	if got, want := unfound(keys, []string{"a.go"}, []mutant{m}), []string{"a.go f: x →< z: < is <="}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLineAt(t *testing.T) {
	source := []byte("first\n\tif a < b {\nlast")
	for offset, want := range map[int]string{0: "→first", 7: "→if a < b {", 12: "if a →< b {", 21: "las→t"} {
		if got := lineAt(source, offset); got != want {
			t.Errorf("%d: %q, want %q", offset, got, want)
		}
	}
}
