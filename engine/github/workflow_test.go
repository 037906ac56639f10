package github

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/cstest/cstest/scenario"
)

func TestWorkflowDrivesEveryShardOnceAndJudgesTheSum(t *testing.T) {
	w := Workflow{
		Name: "cstest-sale", Shards: 3, Lead: "+3 minutes", Scenario: "load/sale.yaml", Flags: []string{"--scale=50%"},
		Env: []string{"SALE_KEY"}, Runner: "ubuntu-latest", Version: "v1.2.3",
	}
	type step struct {
		Run, Uses, If string
		Env           map[string]string
	}
	var got struct {
		Jobs map[string]struct {
			Needs    string
			If       string
			Strategy struct {
				FailFast bool `yaml:"fail-fast"`
				Matrix   struct{ Shard []int }
			}
			Steps []step
		}
	}
	if err := yaml.Unmarshal([]byte(w.YAML()), &got); err != nil {
		t.Fatalf("%v\n%s", err, w.YAML())
	}
	load := got.Jobs["load"]
	if m := load.Strategy; m.FailFast || len(m.Matrix.Shard) != 3 || m.Matrix.Shard[2] != 2 || load.Needs != "start" {
		t.Errorf("load: %+v", load)
	}
	drive := load.Steps[3]
	want := "cstest run load/sale.yaml --shard ${{ matrix.shard }}/3 --start-at ${{ needs.start.outputs.at }} --journal - --no-tui --scale=50% > shard-${{ matrix.shard }}.log"
	if strings.TrimSpace(drive.Run) != want || drive.Env["SALE_KEY"] != "${{ secrets.SALE_KEY }}" {
		t.Errorf("a shard runs %q with %v\nwant %q", drive.Run, drive.Env, want)
	}
	if v := got.Jobs["verdict"]; v.Needs != "load" || v.If != "always()" || v.Steps[3].Run != "cstest merge shards/*.log --results-dir results" {
		t.Errorf("verdict: %+v", v)
	}
	if !strings.Contains(w.YAML(), "cmd/cstest@v1.2.3\n") || strings.Contains(strings.ReplaceAll(w.YAML(), "cstest@v1.2.3", ""), "@N") {
		t.Errorf("left in the text:\n%s", w.YAML())
	}
}

func TestMatrixThatCannotWorkIsRefused(t *testing.T) {
	if err := Refuse(&scenario.Scenario{}, 256); err != nil {
		t.Error(err)
	}
	if err := Refuse(&scenario.Scenario{}, 257); err == nil || !strings.Contains(err.Error(), "at most 256 jobs") {
		t.Errorf("too many: %v", err)
	}
	if err := Refuse(&scenario.Scenario{LLM: &scenario.LLM{Admin: "http://mock"}}, 2); err == nil || !strings.Contains(err.Error(), "nobody would arm the mock LLM of llm.admin http://mock") {
		t.Errorf("a mock: %v", err)
	}
}
