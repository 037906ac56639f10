package result

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// About is what a result needs beside the measurements. It is kept in the
// journal, so that a run that was killed can be reported all the same.
type About struct {
	Scenario           string            `json:"scenario"` // resolved YAML, secrets unexpanded
	Dir                string            `json:"dir"`      // where its data tables are
	RunID              string            `json:"run_id"`
	Version            string            `json:"version"`
	Tags               map[string]string `json:"tags"`
	Overrides          []string          `json:"overrides"` // what the command line changed, as written
	Scale              float64           `json:"scale"`     // 0 means 1
	Environment        Environment       `json:"environment"`
	Lang               reason.Lang       `json:"lang"`
	InconclusivePasses bool              `json:"inconclusive_passes"` // --on-inconclusive pass
}

// Recording is what a run left, live or read back.
type Recording struct {
	Snapshot *measure.Snapshot
	Facts    *measure.Facts
	Started  time.Time      // when the load began
	Warnings reason.Reasons // beside those of the judgement
	Signal   int            // that ended the run: 1, 2, 15, or 0
	Outputs  []Output
}
