package sla

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

const judgingPage = "../docs/judging.md"

// The sizes of the tables of docs/judging.md.
const (
	falseRuns    = 2000
	coverageRuns = 400
	outageRuns   = 20_000

	correlationRuns = 200
)

func falseVerdictRows() (rows []string) {
	rows = append(rows, "| turns | passes | fails | passes as if independent |", "|---|---|---|---|")
	for _, d := range designs() {
		v := simulate(d, 0.01, 2000, falseRuns)
		rows = append(rows, fmt.Sprintf("| %s | %.1f %% | %.1f %% | %.1f %% |", d.name, v.pass, v.fail, v.plain))
	}
	return rows
}

func coverageRow(t *testing.T, p process, q float64) string {
	c := cover(t, p, q, coverageRuns)
	return fmt.Sprintf("| %s | P%g | %.1f %% | %.1f %% | %.1f %% |", p.name, 100*q, 100*c.held, 100*c.plain, 100*c.known)
}

func coverageRows(t *testing.T) (rows []string) {
	rows = append(rows, "| response times | quantile | interval holds it | as if independent | there is one |", "|---|---|---|---|---|")
	for _, p := range processes {
		for _, q := range []float64{0.5, 0.9, 0.99} {
			rows = append(rows, coverageRow(t, p, q))
		}
	}
	return rows
}

// outageRows judges runs of a target whose outages begin at random.
func outageRows() (rows []string) {
	rows = append(rows, "| run | pass | inconclusive | fail | saw no outage |", "|---|---|---|---|---|")
	for _, seconds := range []int{120, 600, 3600} {
		r := rand.New(rand.NewPCG(20261111, uint64(seconds)))
		var seen [Incomplete + 1]int
		none := 0
		for range outageRuns {
			down := 0
			for s := 0; s < seconds; s++ {
				if r.Float64() < 0.02/10 {
					down += min(10, seconds-s)
					s += 9
				}
			}
			if down == 0 {
				none++
			}
			seen[Infer(int64(50*down), int64(50*seconds), 0.01, 0.95, 1)]++
		}
		per := 100 / float64(outageRuns)
		rows = append(rows, fmt.Sprintf("| %d s | %.0f %% | %.0f %% | %.0f %% | %.0f %% |", seconds,
			per*float64(seen[Pass]), per*float64(seen[Inconclusive]), per*float64(seen[Fail]), per*float64(none)))
	}
	return rows
}

// correlationRows estimate known correlations from runs of 4,000 conversations.
func correlationRows() (rows []string) {
	rows = append(rows, "| true ρ | mean of the estimates | 95 % of them |", "|---|---|---|")
	for _, rho := range []float64{0, 0.05, 0.3, 0.7, 1} {
		r := rand.New(rand.NewPCG(20261111, uint64(1000*rho)))
		var all []float64
		sum := 0.0
		for range correlationRuns {
			c, _ := correlationOf(simulatedDialogs(r, 4000, 0.05, rho))
			all = append(all, c.Rho)
			sum += c.Rho
		}
		slices.Sort(all)
		rows = append(rows, fmt.Sprintf("| %.2f | %.3f | %.3f to %.3f |", rho, sum/correlationRuns+1e-9, all[correlationRuns/40], all[correlationRuns-correlationRuns/40-1]))
	}
	return rows
}

// between gives what stands between two marks of a page, and where.
func between(t *testing.T, page, mark string) (from, to int) {
	t.Helper()
	begin := "<!-- " + mark + " -->\n"
	from = strings.Index(page, begin)
	if from < 0 {
		t.Fatalf("no %s in %s", begin, judgingPage)
	}
	from += len(begin)
	to = strings.Index(page[from:], "<!-- end -->")
	if to < 0 {
		t.Fatalf("%s has no end", mark)
	}
	return from, from + to
}

// The tables of docs/judging.md are what this code gives for their seed. With
// CSTEST_JUDGING_TABLES they are written; else all of them are computed again but
// for coverage, of which one row is.
func TestJudgingTables(t *testing.T) {
	b, err := os.ReadFile(judgingPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	write := os.Getenv("CSTEST_JUDGING_TABLES") != ""
	table := func(mark string, rows []string) {
		from, to := between(t, page, mark)
		if want := strings.Join(rows, "\n") + "\n"; write {
			page = page[:from] + want + page[to:]
		} else if got := page[from:to]; got != want {
			t.Errorf("%s is\n%s\nand by the code\n%s\n`make judging-tables` writes it", mark, got, want)
		}
	}
	table("false-verdicts", falseVerdictRows())
	table("outages", outageRows())
	table("correlation", correlationRows())
	if write {
		table("coverage", coverageRows(t))
		if err := os.WriteFile(judgingPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	from, to := between(t, page, "coverage")
	if row := coverageRow(t, processes[2], 0.9); !strings.Contains(page[from:to], row) {
		t.Errorf("no %q in\n%s\n`make judging-tables` writes it", row, page[from:to])
	}
}
