package output_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cstest/cstest/output"
)

const dashboards = "../docs/observability/"

// The dashboard of a load asks for metrics that there are: cstest's own, and those of
// the server that its dashboard or rules have, which a test of the server holds.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	text, err := os.ReadFile(dashboards + "load-test.json")
	if err != nil || !json.Valid(text) {
		t.Fatal(err)
	}
	var server strings.Builder
	for _, file := range []string{"dashboard.json", "rules.yaml"} {
		b, err := os.ReadFile(dashboards + file)
		if err != nil {
			t.Fatal(err)
		}
		server.Write(b)
	}
	known, asked := output.Names(), map[string]bool{}
	for _, name := range regexp.MustCompile(`\b(?:cstest|chat|degrade)_[a-z0-9_]+\b`).FindAllString(string(text), -1) {
		asked[name] = true
		if strings.HasPrefix(name, "cstest_") {
			if !slices.Contains(known, strings.TrimSuffix(name, "_bucket")) {
				t.Errorf("%s is asked for and never told", name)
			}
		} else if !strings.Contains(server.String(), name) {
			t.Errorf("%s is asked for, and neither in the server's dashboard nor in its rules", name)
		}
	}
	for _, name := range known {
		if !asked[name] && !strings.Contains(name, "first_") && !slices.Contains([]string{"cstest_service_seconds", "cstest_chunk_gap_seconds", "cstest_token_time_seconds", "cstest_connect_seconds", "cstest_elapsed_seconds"}, name) {
			t.Errorf("%s is told and on no panel", name)
		}
	}
}
