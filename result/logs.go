package result

import (
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// RecoverLogs reads shards back from the journals that logs hold in pieces. A
// shard that was started again before it drove anything is there once. What
// cannot be read is left out, and the warnings say so.
func RecoverLogs(logs *measure.Spool) (shards []*Recovered, warnings reason.Reasons) {
	for _, stream := range logs.Streams() {
		if stream.Torn > 0 {
			warnings = append(warnings, reason.New(reason.LogTorn, stream.Torn, stream.Shard))
		}
		journal, err := stream.Journal()
		var r *Recovered
		if err == nil {
			r, err = recovered("shard "+stream.Shard, journal)
		}
		if err != nil {
			warnings = append(warnings, reason.New(reason.LogUnreadable, stream.Shard, err))
			continue
		}
		shards = append(shards, r)
	}
	return attempts(shards, warnings)
}

// attempts leaves out those that drove nothing, of shards that have another.
func attempts(shards []*Recovered, warnings reason.Reasons) (kept []*Recovered, _ reason.Reasons) {
	drove, seen, again := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range shards {
		drove[r.where] = drove[r.where] || r.journal.Intervals > 0
	}
	for _, r := range shards {
		if r.journal.Intervals == 0 && (drove[r.where] || seen[r.where]) {
			again[r.where] = drove[r.where]
			continue
		}
		seen[r.where] = true
		kept = append(kept, r)
	}
	for _, r := range kept {
		if shard, err := r.About.shard(); err == nil && again[r.where] {
			warnings = append(warnings, reason.New(reason.LogTwoAttempts, shard))
			again[r.where] = false
		}
	}
	return kept, warnings
}
