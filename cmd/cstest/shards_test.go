package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// failing answers every turn of a conversation with an error, but not the turn
// before the load.
func failing(n int, w http.ResponseWriter, _ *http.Request) bool {
	if n > 1 {
		w.WriteHeader(http.StatusInternalServerError)
	}
	return n > 1
}

// A shard that an engine started says which it is, begins when the file says so,
// and ends with 0 when it ran, though its part of the load failed.
func TestShardOfAnEngine(t *testing.T) {
	t.Parallel()
	url := (&talker{odd: failing}).start(t)
	path := write(t, direct(url, "", "{arrivals: constant, stages: [{name: steady, for: 1s, starts: 40/s}], drain: 3s}"))
	file, dir := filepath.Join(t.TempDir(), "start-at"), filepath.Join(t.TempDir(), "result")
	cmd := command(t, "run", path, "--shard", "env", "--start-at", "@"+file, "--no-tui", "--results-dir", dir)
	cmd.Env = append(cmd.Env, "JOB_COMPLETION_INDEX=1", "CSTEST_SHARDS=2")
	at := time.Now().Add(4 * time.Second).UTC().Truncate(time.Second)
	time.AfterFunc(500*time.Millisecond, func() { _ = os.WriteFile(file, []byte(at.Format(time.RFC3339)), 0o600) })
	r := finished(t, cmd)
	if r.code != 0 || !strings.Contains(r.stderr, "\nshard 1/2 (JOB_COMPLETION_INDEX=1, CSTEST_SHARDS=2)\n") {
		t.Fatalf("exit %d, want 0 and the shard\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	doc := open(t, dir)
	started, err := time.Parse(time.RFC3339Nano, doc.StartedAt)
	if err != nil || doc.Verdict != "fail" || doc.ExitCode != exitFail || doc.Counts.Conversations != 20 || !started.Round(time.Millisecond).Equal(at) {
		t.Errorf("%s, %d, %d conversations from %s (%v); want fail, 10, 20 from %s", doc.Verdict, doc.ExitCode, doc.Counts.Conversations, started, err, at)
	}
}

func TestShardsThatCannotBegin(t *testing.T) {
	t.Parallel()
	path := write(t, direct("http://127.0.0.1:9", "", "{arrivals: constant, stages: [{name: steady, for: 1s, starts: 40/s}]}"))
	for _, c := range []struct {
		args []string
		env  string
		code int
		want string
	}{
		{[]string{"--shard", "env"}, "NOMAD_ALLOC_INDEX=1", 64, "NOMAD_ALLOC_INDEX=1 says which shard this is and nothing says how many there are"},
		{[]string{"--shard", "0/2", "--start-at", "2026-01-02T03:04:05Z"}, "", 64, "in the past: the others began without this shard, and load is not sent late"},
		{[]string{"--shard", "0/2", "--start-at", "@" + filepath.Join(t.TempDir(), "none"), "--start-timeout", "300ms"}, "", 69, "no instant to start at was given within 300ms (--start-timeout)"},
		{[]string{"--shard", "0/2", "--start-at", "@none", "--start-timeout", "0s"}, "", 64, "--start-timeout 0s: want more than 0"},
	} {
		cmd := command(t, append([]string{"run", path, "--results-dir", filepath.Join(t.TempDir(), "result")}, c.args...)...)
		if c.env != "" {
			cmd.Env = append(cmd.Env, c.env)
		}
		if r := finished(t, cmd); r.code != c.code || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
			t.Errorf("%v: exit %d, want %d and %q\n%s%s", c.args, r.code, c.code, c.want, r.stdout, r.stderr)
		}
	}
}
