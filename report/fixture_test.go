package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/result"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The documents that are rendered: of a midnight sale, and of one whose model
// was three times as slow. The tests of package result keep them current.
const (
	passJSON = "../result/testdata/pass.json"
	failJSON = "../result/testdata/fail.json"
)

func saleDocument(t testing.TB) *result.Document { t.Helper(); return reporttest.Document(t, passJSON) }

func slowDocument(t testing.TB) *result.Document { t.Helper(); return reporttest.Document(t, failJSON) }

// golden compares with a file, or rewrites it under -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update when the change is meant\n%s", path, diff)
	}
}
