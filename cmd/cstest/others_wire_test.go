package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cstest/cstest/result"
)

// nodeServer starts testdata/servers-of-others/NAME/server.js and gives its URL.
func nodeServer(t *testing.T, name string, env ...string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node: the server of this test is written for it")
	}
	cmd := exec.Command(node, "server.js")
	cmd.Dir = filepath.Join("testdata", "servers-of-others", name)
	cmd.Env = append(os.Environ(), env...)
	return started(t, cmd)
}

// runCase runs testdata/servers-of-others/NAME/scenario.yaml against url.
func runCase(t *testing.T, name, url string, args ...string) (ended, *result.Document) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "result")
	r := cstest(t, append([]string{
		"run", filepath.Join("testdata", "servers-of-others", name, "scenario.yaml"),
		"--set", "target.url=" + url, "--results-dir", dir, "--quiet", "--no-tui",
	}, args...)...)
	return r, open(t, dir)
}

// Streams that a server refuses before it did anything of them cost no turn, nor
// do answers that are whole before the request is.
func TestRefusedStreams(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"refuse", "noerror"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			url := nodeServer(t, "refused-streams", "MODE="+mode)
			r, doc := runCase(t, "refused-streams", url)
			if c := doc.Counts; r.code != exitPass || c.Turns < 400 || c.OK != c.Turns || (doc.Generator.Resent > 0) != (mode == "refuse") {
				t.Errorf("exit %d, %d of %d turns ok, %d sent again\n%s", r.code, c.OK, c.Turns, doc.Generator.Resent, r.stdout)
			}
		})
	}
}

// What the scenario's own accept-encoding asks for is read, whole or as a stream,
// and try shows it decoded.
func TestOwnAcceptEncoding(t *testing.T) {
	t.Parallel()
	url := nodeServer(t, "accept-encoding")
	for _, coding := range []string{"gzip, deflate, br", "gzip", "identity"} {
		for _, mode := range []string{"sync", "stream"} {
			t.Run(coding+" "+mode, func(t *testing.T) {
				t.Parallel()
				set := []string{"--set", "target.headers.accept-encoding=" + coding}
				if mode == "stream" {
					set = append(set, "--set", "target.mode=stream", "--set", "target.request.path=/sse")
				}
				r, doc := runCase(t, "accept-encoding", url, set...)
				if c := doc.Counts; r.code != exitPass || c.Turns < 5 || c.OK != c.Turns {
					t.Fatalf("exit %d, %d of %d turns ok, %d sent again\n%s", r.code, c.OK, c.Turns, doc.Generator.Resent, r.stdout)
				}
				if q := doc.FirstToken; mode == "stream" && (q == nil || q.MaxNs == nil || *q.MaxNs >= *doc.Latency.Response.MaxNs) {
					t.Errorf("first tokens came with the last: %+v", q)
				}
				tried := cstest(t, append([]string{"try", filepath.Join("testdata", "servers-of-others", "accept-encoding", "scenario.yaml"), "--set", "target.url=" + url}, set...)...)
				want := `{"answer":"hello"}`
				if mode == "stream" {
					want = `data: {"text":"x"}`
				}
				if tried.code != exitPass || !strings.Contains(tried.stdout, want) {
					t.Errorf("try: exit %d\n%s%s", tried.code, tried.stdout, tried.stderr)
				}
			})
		}
	}
}
