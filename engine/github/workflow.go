// Package github writes a workflow that runs the shards of a load as a matrix.
package github

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Workflow is a load as GitHub Actions is told of it.
type Workflow struct {
	Name     string
	Shards   int
	Lead     string   // how long after the first job t = 0 is, as `date` reads it
	Scenario string   // its path in the repository
	Flags    []string // of `run`, as given, quoted for a shell
	Env      []string // variables that the scenario takes its secrets from
	Runner   string   // runs-on
	Version  string   // of cstest to install
}

// MostJobs is how many jobs a matrix may have.
const MostJobs = 256

// Refuse says why jobs that do not know of each other cannot drive a scenario;
// nil where they can.
func Refuse(s *scenario.Scenario, shards int) error {
	if s.LLM != nil && s.LLM.Admin != "" {
		return reason.Err(reason.New(reason.MatrixArmsNothing, s.LLM.Admin))
	}
	if shards > MostJobs {
		return reason.Err(reason.New(reason.MatrixTooLarge, int64(shards), int64(MostJobs)))
	}
	return nil
}

// YAML is the workflow: one job says when, a matrix drives, one job judges.
func (w *Workflow) YAML() string {
	var numbers []string
	for i := range w.Shards {
		numbers = append(numbers, strconv.Itoa(i))
	}
	env := ""
	for _, name := range w.Env {
		env += fmt.Sprintf("\n          %s: ${{ secrets.%s }}", name, name)
	}
	if env != "" {
		env = "\n        env:" + env
	}
	flags := ""
	if len(w.Flags) > 0 {
		flags = " " + strings.Join(w.Flags, " ")
	}
	return strings.NewReplacer(
		"@NAME@", w.Name, "@N@", strconv.Itoa(w.Shards), "@NUMBERS@", strings.Join(numbers, ", "), "@LEAD@", w.Lead, "@SCENARIO@", w.Scenario,
		"@FLAGS@", flags, "@ENV@", env, "@RUNNER@", w.Runner, "@VERSION@", w.Version,
	).Replace(workflow)
}

const workflow = `name: @NAME@
on: workflow_dispatch
permissions:
  contents: read
concurrency: @NAME@
jobs:
  start:
    runs-on: @RUNNER@
    outputs:
      at: ${{ steps.at.outputs.at }}
    steps:
      # Every job of the matrix must run by then: one that does not sends nothing.
      - id: at
        run: echo "at=$(date -u -d '@LEAD@' +%Y-%m-%dT%H:%M:%SZ)" >> "$GITHUB_OUTPUT"
  load:
    needs: start
    runs-on: @RUNNER@
    strategy:
      fail-fast: false
      max-parallel: @N@
      matrix:
        shard: [@NUMBERS@]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-go@v5
        with:
          go-version: stable
      - run: go install github.com/cstest/cstest/cmd/cstest@@VERSION@
      - name: drive shard ${{ matrix.shard }} of @N@@ENV@
        run: >-
          cstest run @SCENARIO@ --shard ${{ matrix.shard }}/@N@ --start-at ${{ needs.start.outputs.at }}
          --journal - --no-tui@FLAGS@ > shard-${{ matrix.shard }}.log
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: shard-${{ matrix.shard }}
          path: shard-${{ matrix.shard }}.log
          if-no-files-found: ignore
  verdict:
    needs: load
    if: always()
    runs-on: @RUNNER@
    steps:
      - uses: actions/setup-go@v5
        with:
          go-version: stable
      - run: go install github.com/cstest/cstest/cmd/cstest@@VERSION@
      - uses: actions/download-artifact@v4
        with:
          pattern: shard-*
          merge-multiple: true
          path: shards
      # A shard's job says whether it ran; the verdict is of the sum.
      - run: cstest merge shards/*.log --results-dir results
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: results
          path: results
          if-no-files-found: ignore
`
