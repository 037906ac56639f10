package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// sessions is a chat server whose clients choose the session; it keeps who chose
// which.
type sessions struct {
	mu   sync.Mutex
	runs map[string]map[string]int // run id → session → turns
}

func (s *sessions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/talk/") { // who are you?
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	run := r.Header.Get("x-run")
	if s.runs[run] == nil {
		s.runs[run] = map[string]int{}
	}
	s.runs[run][strings.TrimPrefix(r.URL.Path, "/talk/")]++
	w.Header().Set("content-type", "application/json")
	_, _ = w.Write([]byte(`{"reply":"好的"}`))
}

// take gives what one run left, and forgets it.
func (s *sessions) take(t *testing.T) (run string, chosen []string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.runs) != 1 {
		t.Fatalf("%d run ids in one run: %v", len(s.runs), s.runs)
	}
	for id, turns := range s.runs {
		run = id
		for session := range turns {
			chosen = append(chosen, session)
		}
	}
	s.runs = map[string]map[string]int{}
	return run, chosen
}

// Sessions that a client chooses do not recur: not in the next run, nor where
// processes or shards share one; and all shards of a run name it alike.
func TestSessionsDoNotRecur(t *testing.T) {
	t.Parallel()
	s := &sessions{runs: map[string]map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	text := strings.NewReplacer("path: /talk,", `path: "/talk/${conversation.id}", headers: {x-run: "${run.id}"},`).
		Replace(direct(server.URL, "", "{arrivals: constant, stages: [{name: steady, for: 2s, starts: 10/s}]}"))
	path := write(t, text)
	var seen []string
	run := func(args ...string) (dir, id string, sessions int) {
		dir = filepath.Join(t.TempDir(), "result")
		r := cstest(t, append([]string{"run", path, "--no-tui", "--results-dir", dir}, args...)...)
		if r.code != 0 && r.code != 11 {
			t.Fatalf("exit %d\n%s", r.code, r.stderr)
		}
		id, chosen := s.take(t)
		for _, session := range chosen {
			if slices.Contains(seen, session) {
				t.Errorf("%v: session %s was there before", args, session)
			}
		}
		seen = append(seen, chosen...)
		return dir, id, len(chosen)
	}
	ids := map[string]bool{}
	for _, args := range [][]string{nil, nil, {"--processes", "2"}} {
		dir, id, n := run(args...)
		// Twenty conversations, and that of the turn before the load.
		if doc := open(t, dir); n != 21 || doc.RunID != id || ids[id] {
			t.Errorf("%v: %d sessions, run id %q, in the result %q", args, n, id, doc.RunID)
		}
		ids[id] = true
	}
	at := time.Now().Add(8 * time.Second).UTC().Format(time.RFC3339Nano)
	var shards []*running
	var dirs []string
	for _, shard := range []string{"0/2", "1/2"} {
		dirs = append(dirs, filepath.Join(t.TempDir(), "result"))
		shards = append(shards, launch(t, "run", path, "--results-dir", dirs[len(dirs)-1], "--shard", shard, "--start-at", at))
	}
	for _, r := range shards {
		if code := r.ends(t); code != 0 && code != 11 {
			t.Fatalf("a shard ended with %d\n%s", code, &r.stderr)
		}
	}
	id, chosen := s.take(t)
	sum := filepath.Join(t.TempDir(), "sum")
	merged := cstest(t, append([]string{"merge", "--results-dir", sum}, dirs...)...)
	if doc := open(t, sum); len(chosen) != 22 || ids[id] || doc.RunID != id || open(t, dirs[1]).RunID != id { // a turn before the load each
		t.Errorf("shards: %d sessions, run id %q, in the result %q\n%s", len(chosen), id, doc.RunID, merged.stderr)
	}
	for _, session := range chosen {
		if slices.Contains(seen, session) {
			t.Errorf("shards: session %s was there before", session)
		}
	}
	refused := cstest(t, "run", path, "--shard", "0/2", "--results-dir", t.TempDir())
	if refused.code != exitUsage || !strings.Contains(refused.stderr, "give each the same --start-at") {
		t.Errorf("exit %d\n%s", refused.code, refused.stderr)
	}
}
