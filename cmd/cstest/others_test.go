package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/result"
)

// Servers as others write them, each with the scenario its user wrote, and what
// is right.

// runAgainst runs a scenario of testdata/servers-of-others against a server.
func runAgainst(t *testing.T, scenario string, handler http.HandlerFunc, args ...string) (ended, *result.Document) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	dir := filepath.Join(t.TempDir(), "result")
	r := cstest(t, append([]string{
		"run", filepath.Join("testdata", "servers-of-others", scenario),
		"--set", "target.url=" + server.URL, "--results-dir", dir, "--quiet", "--no-tui",
	}, args...)...)
	return r, open(t, dir)
}

// A stream that begins well and ends in an error, with status 200 all the way.
func TestStreamsThatFailInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"ok false":     "data: {\"success\":false,\"text\":\"\",\"message\":\"backend down\"}\n\n",
		"error event":  "event: error\ndata: {\"message\":\"backend down\"}\n\n",
		"error object": "data: {\"error\":{\"message\":\"backend down\"}}\n\n",
		"error line":   "error: backend down\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			r, doc := runAgainst(t, "custom-stream-errors.yaml", func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				piece := "data: {\"success\":true,\"text\":\"llo\"}\n\n"
				if q.Method == http.MethodPost && n.Add(1)%5 == 0 {
					piece = bad
				}
				fmt.Fprint(w, "data: {\"success\":true,\"text\":\"he\"}\n\n"+piece+"event: end\ndata: {}\n\n")
			})
			c := doc.Counts
			if share := float64(c.ServerError) / float64(c.Turns); r.code != exitFail || share < 0.17 || share > 0.23 || c.OK+c.ServerError != c.Turns {
				t.Errorf("exit %d, %d of %d turns server_error, %d ok; want a fail with a fifth\n%s", r.code, c.ServerError, c.Turns, c.OK, r.stdout)
			}
		})
	}
}

// A gateway that writes [DONE] behind a stream that broke off.
func TestDoneWithoutAReason(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	r, doc := runAgainst(t, "done-without-reason.yaml", func(w http.ResponseWriter, q *http.Request) {
		reason := "null"
		if q.Method == http.MethodPost && n.Add(1) == 1 {
			reason = `"stop"` // for the preflight
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, c := range []string{"您好", ",", "优惠"} {
			fmt.Fprintf(w, "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":%s}]}\n\n", c, reason)
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	}, "--set", "load.stages[s].for=2s")
	if r.code != exitFail || doc.Counts.Truncated != doc.Counts.Turns || doc.Counts.Turns == 0 {
		t.Errorf("exit %d, %d of %d turns truncated; want all, and a fail\n%s", r.code, doc.Counts.Truncated, doc.Counts.Turns, r.stdout)
	}
}

// A healthy server that takes 1.5 s, and a load that waits for no answer when it ends.
func TestTurnsThatTheEndOfTheRunCut(t *testing.T) {
	t.Parallel()
	slow := func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			select {
			case <-time.After(1500 * time.Millisecond):
			case <-q.Context().Done():
			}
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"answer":"hello"}`)
	}
	for drain, want := range map[string]int{"0s": 11, "30s": exitPass} {
		t.Run(drain, func(t *testing.T) {
			t.Parallel()
			r, doc := runAgainst(t, "end-of-run.yaml", slow, "--set", "load.drain="+drain)
			c := doc.Counts
			if r.code != want || c.OK+c.Censored != c.Turns || (c.Censored > 0) != (drain == "0s") {
				t.Errorf("exit %d, want %d: %d turns, %d ok, %d cut\n%s", r.code, want, c.Turns, c.OK, c.Censored, r.stdout)
			}
			if o := objectiveOf(doc, "availability"); o.Bad != 0 || o.N != c.OK {
				t.Errorf("%d of %d turns spend the budget; want 0 of %d", o.Bad, o.N, c.OK)
			}
		})
	}
}

func objectiveOf(doc *result.Document, name string) result.Objective {
	for _, o := range doc.Objectives {
		if o.Name == name {
			return o
		}
	}
	return result.Objective{}
}
