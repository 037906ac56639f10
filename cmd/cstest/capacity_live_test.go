package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/report/capacities"
)

// A search on a terminal shows its probes; asked to end, it keeps those that are made,
// and the terminal is the user's again.
func TestCapacityOnATerminal(t *testing.T) {
	t.Parallel()
	p := newPTY(t)
	srv := &talker{}
	dir := filepath.Join(t.TempDir(), "out")
	file := write(t, direct(srv.start(t), "", "{arrivals: constant, stages: [{name: s, for: 2s, starts: 60/s}]}"))
	r := p.on(t, "capacity", file, "--from", "40/s", "--settle", "1s", "--hold", "2s", "--results-dir", dir)
	until(t, "the first verdict", func() bool {
		shown := p.String() // whatever the machine made of it
		return strings.Contains(shown, "starts/s") && slices.ContainsFunc([]string{"✓ held", "✗ broke", "? unsure", "– invalid"}, func(verdict string) bool { return strings.Contains(shown, verdict) })
	})
	if _, err := p.master.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if code := r.ends(t); code != 130 {
		t.Errorf("exit %d, want 130\n%s", code, p.String())
	}
	if got := p.modes(t); got != p.before {
		t.Errorf("terminal modes %+v, were %+v", got, p.before)
	}
	b, err := os.ReadFile(filepath.Join(dir, capacities.FileName))
	if err != nil {
		t.Fatal(err)
	}
	var found capacity.Result
	if err := json.Unmarshal(b, &found); err != nil {
		t.Fatal(err)
	}
	if !found.Interrupted || found.ExitCode != 130 || len(found.Probes) == 0 {
		t.Errorf("interrupted %t, exit %d, %d probes", found.Interrupted, found.ExitCode, len(found.Probes))
	}
}
