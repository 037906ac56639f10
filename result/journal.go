package result

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// JournalFile is the name of the journal in a result directory.
const JournalFile = "journal.cst"

// The notes that a run leaves in its journal beside the measurements.
const (
	NoteAbout    = "about"    // an About
	NoteStarted  = "started"  // t = 0, RFC 3339
	NoteWarnings = "warnings" // a list of reasons
	NoteSignal   = "signal"   // the number of the signal that ended the run, 0 without one
	// NoteIncidents is a list of measure.Incident in journals of before; now they are
	// among the facts.
	NoteIncidents = "incidents"
)

// Recovered is a run read back from its journal, or several of one load added up.
type Recovered struct {
	Recording
	About About

	path    string // of the journal, or of the first
	where   string // for a person to find it: the directory, or the log
	journal *measure.Recovered
}

// Recover reads a run back from the journal at path. Records that are damaged
// are left out, and a warning says so; an error is of a journal that cannot be
// read at all, or does not say what was run.
func Recover(path string) (*Recovered, error) {
	j, err := measure.OpenJournal(path)
	if err != nil {
		return nil, reason.Errorf("%s: %w%s", path, err, compressed(path))
	}
	r, err := recovered(path, j)
	if err != nil {
		return nil, reason.Errorf("%s: %w", path, err)
	}
	r.where = filepath.Dir(path)
	return r, nil
}

// recovered reads what a run noted in its journal; name says in texts which it is.
func recovered(name string, j *measure.Recovered) (*Recovered, error) {
	r := &Recovered{path: name, where: name, journal: j, Recording: Recording{Snapshot: j.Snapshot, Facts: j.Facts}}
	if err := json.Unmarshal(j.Notes[NoteAbout], &r.About); err != nil {
		return nil, reason.Errorf("it does not say which scenario was run: %w", err)
	}
	lost := damage(name, j)
	for name, to := range map[string]any{
		NoteStarted: &r.Started, NoteSignal: &r.Signal,
		NoteIncidents: &r.Facts.Incidents, NoteWarnings: &r.Warnings,
	} {
		note, ok := j.Notes[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(note, to); err != nil {
			lost = append(lost, reason.New(reason.NoteUnreadable, name, err))
		}
	}
	slices.SortFunc(lost, reason.Compare)
	r.Warnings = append(r.Warnings, lost...)
	return r, nil
}

// Document judges what was read back, by the scenario as it was run.
func (r *Recovered) Document() (*Document, error) {
	s, err := r.scenario()
	if err != nil {
		return nil, err
	}
	return Build(s, &r.About, r.Recording), nil
}

// scenario is the one that was run.
func (r *Recovered) scenario() (*scenario.Scenario, error) {
	s, err := scenario.Parse("scenario.yaml", []byte(r.About.Scenario), scenario.Options{Dir: r.About.Dir, AnyPath: true, Recorded: true})
	if err != nil {
		return nil, reason.Errorf("the scenario in %s: %w", r.path, err)
	}
	return s, nil
}

// compressed says so, where that is why a journal cannot be read.
func compressed(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() // only read from
	var magic [2]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil || magic != [2]byte{0x1f, 0x8b} {
		return ""
	}
	return " (it is gzip-compressed: decompress it first)"
}

// damage says what is missing from a journal.
func damage(path string, r *measure.Recovered) reason.Reasons {
	var list reason.Reasons
	if !r.Closed {
		list = append(list, reason.New(reason.JournalCut, path, r.Snapshot.Elapsed))
	}
	if r.Lost > 0 {
		list = append(list, reason.New(reason.JournalTorn, path, r.Lost))
	}
	for _, g := range r.Gaps {
		list = append(list, reason.New(reason.JournalDamaged, path, g.Length, g.Offset))
	}
	return list
}
