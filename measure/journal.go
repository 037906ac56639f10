package measure

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// JournalVersion is the version of the journals written here; those from
// oldestJournal on are read.
const (
	JournalVersion = 9
	toRefuseSince  = 9 // turns that had to be refused have outcomes of their own
	oldestJournal  = 2 // without response times by tier; 3 is without first_reasoning, 4 without clusters, 5 without phases, 6 without places of turns over time, 7 without models' tokens, 8 without turns to refuse
)

// JournalMagic is what every journal begins with.
const JournalMagic = "CSTJ"

const (
	headerMagic  = JournalMagic + "\x01"
	headerLength = len(headerMagic) + 2 + 16 + 4
)

// Header begins a journal.
type Header struct {
	Version uint16 // 0 when written: it is JournalVersion
	Run     [16]byte
}

// Mark is a point in a run: a stage or phase that began.
type Mark struct {
	At   time.Duration `json:"at_ns"`
	Kind string        `json:"kind"`
	Name string        `json:"name"`
}

// Exemplar is one turn, kept as an example.
type Exemplar struct {
	Failure  Failure `json:"failure"`
	Response string  `json:"response,omitempty"`
}

// planRecord is the first record. It repeats the header, which may be lost.
type planRecord struct {
	Version uint16 `json:"version"`
	Run     []byte `json:"run"`
	Plan    *Plan  `json:"plan"`
}

type noteRecord struct {
	Name string          `json:"name"`
	Note json.RawMessage `json:"note"`
}

// File is what a journal is written to.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Journal writes a run down as it happens, so that it survives the death of the
// process: what was appended before the last sync is on disk. AppendInterval syncs, so
// with an interval a second at most a second is lost. The first error is final: what was written of the failed record may or may not be
// on disk, so nothing follows it, and every later call gives the same error. The
// run goes on in memory. Safe for concurrent use; a nil Journal takes everything
// and keeps nothing.
type Journal struct {
	mu     sync.Mutex
	file   File
	seq    uint64
	buffer []byte
	dirty  bool
	closed bool
	err    error
}

// CreateJournal creates a journal that only its owner may read, at a path where
// nothing is yet, and makes sure that the directory knows of it. With an error
// comes a journal that is dead but may be used.
func CreateJournal(path string, h Header, plan *Plan) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		err = fmt.Errorf("journal: %w", err)
		return &Journal{err: err}, err
	}
	j, err := NewJournal(f, h, plan)
	if err == nil {
		err = j.fail(syncDir(filepath.Dir(path)))
	}
	return j, err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// NewJournal begins a journal in f: its header and the plan, synced. With an
// error comes a journal that is dead but may be used.
func NewJournal(f File, h Header, plan *Plan) (*Journal, error) {
	j := &Journal{file: f}
	j.buffer = append(j.buffer, headerMagic...)
	j.buffer = binary.LittleEndian.AppendUint16(j.buffer, JournalVersion)
	j.buffer = append(j.buffer, h.Run[:]...)
	j.buffer = appendSum(j.buffer, j.buffer)
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.json(kindPlan, planRecord{JournalVersion, h.Run[:], plan})
	if err == nil {
		err = j.sync()
	}
	return j, err
}

func appendSum(b, of []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(of, castagnoli()))
}

// Err is the error that ended the journal, nil while it is alive.
func (j *Journal) Err() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// AppendInterval writes what Cut gave, and syncs.
func (j *Journal) AppendInterval(s *Snapshot) error {
	return j.do(func() error {
		if err := j.append(kindInterval, appendSnapshot(nil, s)); err != nil {
			return err
		}
		return j.sync()
	})
}

// AppendFacts writes what is known of the run besides its turns. The last facts written count.
func (j *Journal) AppendFacts(f *Facts) error {
	return j.do(func() error { return j.json(kindFacts, f) })
}

// AppendObserved writes what was seen of other systems since it was last told. Facts
// that come later hold all of it.
func (j *Journal) AppendObserved(news []Observed) error {
	if len(news) == 0 {
		return nil
	}
	return j.do(func() error { return j.json(kindObserved, news) })
}

// AppendNote writes a JSON value under a name: whatever a report needs that is
// no business of measuring. The last note of a name counts.
func (j *Journal) AppendNote(name string, note any) error {
	return j.do(func() error {
		raw, err := json.Marshal(note)
		if err != nil {
			return fmt.Errorf("journal: note %q: %w", name, err)
		}
		return j.json(kindNote, noteRecord{name, raw})
	})
}

// Close writes that the run is complete, syncs and closes the file. It gives the
// error that ended the journal, if one did.
func (j *Journal) Close() error { return j.end(true) }

// Abandon closes the file of a run that is not complete.
func (j *Journal) Abandon() error { return j.end(false) }

func (j *Journal) end(complete bool) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return j.err
	}
	if complete && j.err == nil {
		_ = j.append(kindEnd, nil)
	}
	_ = j.sync()
	j.closed = true
	if j.file != nil {
		_ = j.fail(j.file.Close())
	}
	return j.err
}

func (j *Journal) do(what func() error) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.err != nil:
		return j.err
	case j.closed:
		return errors.New("journal: appended to after it was closed")
	}
	return what()
}

func (j *Journal) json(k kind, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return j.append(k, b)
}

// append writes a record in one call, behind what NewJournal left to be written.
func (j *Journal) append(k kind, record []byte) error {
	if j.err != nil {
		return j.err
	}
	if len(record) > recordLimit {
		return fmt.Errorf("journal: a record of %d bytes: at most %d", len(record), recordLimit)
	}
	j.buffer, j.seq = appendFrames(j.buffer, j.seq, k, record)
	n, err := j.file.Write(j.buffer)
	if err == nil && n < len(j.buffer) {
		err = io.ErrShortWrite
	}
	j.buffer = j.buffer[:0]
	j.dirty = true
	return j.fail(err)
}

func (j *Journal) sync() error {
	if j.err != nil || !j.dirty {
		return j.err
	}
	j.dirty = false
	return j.fail(j.file.Sync())
}

// fail notes the first error.
func (j *Journal) fail(err error) error {
	if err != nil && j.err == nil {
		j.err = fmt.Errorf("journal: %w", err)
	}
	return j.err
}
