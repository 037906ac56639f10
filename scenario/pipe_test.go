//go:build unix

package scenario

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe without a writer would block whoever opens it the ordinary way.
func TestPipesAreRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	text := strings.Replace(least, "sla:", "data: {t: {csv: pipe}}\nsla:", 1)
	for _, anyPath := range []bool{false, true} {
		_, err := Parse("s.yaml", []byte(text), Options{Dir: dir, AnyPath: anyPath})
		if err == nil || err.Error() != "s.yaml:11:17: data.t.csv: pipe: not a regular file" {
			t.Errorf("any path %v: %v", anyPath, err)
		}
	}
	if _, err := LoadFile(filepath.Join(dir, "pipe"), Options{}); err == nil || !strings.HasSuffix(err.Error(), "pipe: not a regular file") {
		t.Errorf("a scenario: %v", err)
	}
	text = strings.Replace(text, "pipe", "/dev/zero", 1)
	if _, err := Parse("s.yaml", []byte(text), Options{Dir: dir, AnyPath: true}); err == nil || !strings.HasSuffix(err.Error(), "/dev/zero: not a regular file") {
		t.Errorf("a device: %v", err)
	}
}
