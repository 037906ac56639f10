package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Nothing has begun while the one real turn is waited for: a signal ends it.
func TestSignalEndsThePreflight(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(asked) })
		<-release
	}))
	defer srv.Close()
	defer close(release)
	patient := strings.Replace(direct(srv.URL, "", "{stages: [{name: s, for: 2s, starts: 1/s}]}"), "timeout: 2s", "timeout: 10m", 1)
	r := launch(t, "run", write(t, patient), "--results-dir", filepath.Join(t.TempDir(), "result"))
	select {
	case <-asked:
	case <-r.done:
		t.Fatalf("ended before it asked\n%s", &r.stderr)
	}
	r.signal(t, syscall.SIGINT)
	if code := r.ends(t); code != 130 {
		t.Errorf("exit status %d, want 130\n%s", code, &r.stderr)
	}
}
