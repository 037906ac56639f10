package measure

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"time"

	"github.com/cstest/cstest/reason"
)

// Recovered is a run read back from its journal.
type Recovered struct {
	Header Header
	Plan   *Plan
	// Snapshot is the sum of the intervals, Intervals how many there were.
	Snapshot  *Snapshot
	Intervals int
	// Facts are the last written. In those of a journal without its end Interrupted is set.
	Facts     *Facts
	Marks     []Mark
	Exemplars []Exemplar
	Notes     map[string]json.RawMessage
	// Closed: the run was complete and the journal is whole to its end.
	Closed bool
	// Lost is the length of a torn write at the end, Gaps what could not be read before it.
	Lost int64
	Gaps []Gap
	// Holes are stretches of the load whose intervals are missing, of more that follow.
	Holes []Hole
}

// Hole is a stretch of the load that a journal does not have, and how many of its Gaps
// are all that is left of it.
type Hole struct {
	From, To time.Duration
	Gaps     int
}

// Gap is a stretch of a journal that could not be read. One of length 0 is
// where records are missing altogether.
type Gap struct{ Offset, Length int64 }

// ErrVersion is the error of a journal of another version.
var ErrVersion = errors.New("the journal is of another version")

// ErrNoJournal is the error of a file that is no journal, or too damaged to tell.
var ErrNoJournal = errors.New("no journal, or damaged beyond reading")

// mostExemplars and mostMarks bound what a journal may hold of each.
const (
	mostExemplars = 1000
	mostMarks     = 10_000
	mostNotes     = 100
	mostGaps      = 1000
	mostObserved  = 1000
)

// OpenJournal reads the journal in a regular file.
func OpenJournal(path string) (*Recovered, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("journal: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	r, err := ReadJournal(f)
	return r, errors.Join(err, f.Close())
}

// ReadJournal reads a journal back, as much of it as is good. What is bad at the
// end is a torn write; bad stretches before it are skipped and listed. The same
// bytes give the same result. It errs with ErrVersion, with ErrNoJournal, when r
// does, and when the intervals do not add up; never because bytes are damaged.
func ReadJournal(r io.Reader) (*Recovered, error) { return readJournal(r, nil) }

// FollowJournal reads a journal while it is still being written, and passes every
// interval to take as soon as r has given it; take may keep it. It returns when r
// ends, with the errors of ReadJournal and of take.
func FollowJournal(r io.Reader, take func(*Snapshot) error) error {
	_, err := readJournal(r, take)
	return err
}

// readJournal adds the intervals up, or passes them to interval.
func readJournal(r io.Reader, interval func(*Snapshot) error) (*Recovered, error) {
	head := make([]byte, headerLength)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	v := &recovery{out: &Recovered{Notes: map[string]json.RawMessage{}}, interval: interval}
	whole := n == headerLength && string(head[:len(headerMagic)]) == headerMagic &&
		crc32.Checksum(head[:headerLength-4], castagnoli()) == binary.LittleEndian.Uint32(head[headerLength-4:])
	if whole {
		v.out.Header.Version = binary.LittleEndian.Uint16(head[len(headerMagic):])
		copy(v.out.Header.Run[:], head[len(headerMagic)+2:])
		if err := checkVersion(v.out.Header.Version); err != nil {
			return nil, err
		}
	} else {
		v.gap(0, int64(n))
	}
	frames := newFrameReader(r, int64(n))
	at := int64(n)
	for {
		f, ok := frames.next()
		if !ok {
			break
		}
		if f.offset > at {
			v.gap(at, f.offset-at)
		}
		at = f.next
		if err := v.frame(f); err != nil {
			return nil, err
		}
	}
	if frames.err != nil {
		return nil, fmt.Errorf("journal: %w", frames.err)
	}
	return v.finish(frames.offset - at)
}

func checkVersion(version uint16) error {
	if version < oldestJournal || version > JournalVersion {
		return fmt.Errorf("%w: it is %d, this cstest reads %d: use the cstest that wrote it", ErrVersion, version, JournalVersion)
	}
	return nil
}

// recovery is a journal while it is read.
type recovery struct {
	out      *Recovered
	next     uint64 // number of the frame to come
	record   []byte // parts of an unfinished record
	kind     kind
	partial  bool
	told     time.Duration // up to where intervals came
	gaps     int           // since the last of them
	observed []Observed    // from before the facts
	// interval takes each in place of the sum; nil: they are added up.
	interval func(*Snapshot) error
}

func (v *recovery) gap(offset, length int64) {
	v.gaps++
	if len(v.out.Gaps) < mostGaps {
		v.out.Gaps = append(v.out.Gaps, Gap{offset, length})
	}
}

// frame takes a good frame; it errs when nothing more can be made of the journal.
func (v *recovery) frame(f frame) error {
	k := kind(f.code &^ (unfinished | continued))
	begins := f.code&continued == 0
	missing := f.seq > v.next || v.partial == begins || v.partial && k != v.kind
	switch {
	case f.seq < v.next:
		// Written twice: counted once.
		v.gap(f.offset, f.next-f.offset)
		return nil
	case missing:
		v.missing(f.offset)
		v.partial, v.record = false, nil
	}
	v.next = f.seq + 1
	if !begins && (missing || len(v.record)+len(f.part) > recordLimit) {
		// The rest of a record whose beginning is lost.
		v.partial, v.record = false, nil
		v.gap(f.offset, f.next-f.offset)
		return nil
	}
	v.record, v.kind = append(v.record, f.part...), k
	v.partial = f.code&unfinished != 0
	if v.partial {
		return nil
	}
	record := v.record
	v.record = nil
	err := v.take(k, record)
	if errors.Is(err, errDamaged) {
		v.gap(f.offset, f.next-f.offset)
		return nil
	}
	return err
}

// missing notes that records are missing before an offset, unless damage there
// has been noted.
func (v *recovery) missing(offset int64) {
	if n := len(v.out.Gaps); n > 0 && v.out.Gaps[n-1].Offset+v.out.Gaps[n-1].Length == offset {
		return
	}
	v.gap(offset, 0)
}

// take adds a whole record to what was recovered.
func (v *recovery) take(k kind, record []byte) error {
	out := v.out
	out.Closed = false
	if out.Plan == nil && k != kindPlan {
		return errDamaged
	}
	switch k {
	case kindPlan:
		return v.plan(record)
	case kindInterval:
		s, err := (&decoder{b: record, old: out.Header.Version < toRefuseSince}).snapshot(out.Plan)
		if err != nil {
			return err
		}
		out.Intervals++
		v.follows(s.Elapsed)
		if v.interval != nil {
			return v.interval(s)
		}
		if err := out.Snapshot.Add(s); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	case kindMark:
		var m Mark
		if len(out.Marks) >= mostMarks || json.Unmarshal(record, &m) != nil {
			return errDamaged
		}
		out.Marks = append(out.Marks, m)
	case kindFacts:
		f := new(Facts)
		if json.Unmarshal(record, f) != nil {
			return errDamaged
		}
		out.Facts = f
	case kindObserved:
		var news []Observed
		if json.Unmarshal(record, &news) != nil || !v.see(news) {
			return errDamaged
		}
	case kindExemplar:
		var e Exemplar
		if len(out.Exemplars) >= mostExemplars || json.Unmarshal(record, &e) != nil {
			return errDamaged
		}
		out.Exemplars = append(out.Exemplars, e)
	case kindNote:
		var n noteRecord
		if len(out.Notes) >= mostNotes || json.Unmarshal(record, &n) != nil {
			return errDamaged
		}
		out.Notes[n.Name] = n.Note
	case kindEnd:
		out.Closed = true
	default:
		return errDamaged
	}
	return nil
}

func (v *recovery) plan(record []byte) error {
	var p planRecord
	if v.out.Plan != nil || json.Unmarshal(record, &p) != nil || p.Plan == nil || p.Plan.Check() != nil || len(p.Run) != 16 {
		return errDamaged
	}
	if err := checkVersion(p.Version); err != nil {
		return err
	}
	v.out.Header.Version = p.Version
	if p.Version < toRefuseSince {
		for i := range p.Plan.Budgets {
			b := &p.Plan.Budgets[i]
			b.Valid, b.Good = b.Valid.renumbered(), b.Good.renumbered()
		}
	}
	copy(v.out.Header.Run[:], p.Run)
	v.out.Plan = p.Plan
	v.out.Snapshot = NewSnapshot(p.Plan)
	return nil
}

// see adds what was seen of other systems; false: no run sees so much.
func (v *recovery) see(news []Observed) bool {
	for _, o := range news {
		i := slices.IndexFunc(v.observed, func(x Observed) bool { return x.Name == o.Name })
		if i < 0 {
			if len(v.observed) >= mostObserved {
				return false
			}
			v.observed = append(v.observed, Observed{Name: o.Name, Unit: o.Unit})
			i = len(v.observed) - 1
		}
		seen := &v.observed[i]
		for _, value := range o.Values {
			if n := len(seen.Values); n > 0 && seen.Values[n-1].Second >= value.Second {
				return false
			}
			seen.Values = append(seen.Values, value)
		}
		seen.Asked, seen.Error = o.Asked, o.Error
	}
	return true
}

// holeLeast is by how much more than a second intervals are apart where one is missing.
const holeLeast = 1500 * time.Millisecond

// follows notes that intervals go on at a time, and what is missing before.
func (v *recovery) follows(until time.Duration) {
	if v.gaps > 0 && until-v.told >= holeLeast {
		v.out.Holes = append(v.out.Holes, Hole{v.told, until, v.gaps})
	}
	v.told, v.gaps = max(v.told, until), 0
}

// finish settles what the end of the journal means.
func (v *recovery) finish(rest int64) (*Recovered, error) {
	out := v.out
	if out.Plan == nil {
		return nil, ErrNoJournal
	}
	out.Lost = rest
	if v.partial {
		out.Lost += int64(len(v.record))
	}
	out.Closed = out.Closed && out.Lost == 0
	if out.Facts == nil {
		out.Facts = &Facts{Observed: v.observed} // else they hold it themselves
	}
	out.Facts.Gaps += len(out.Gaps)
	if !out.Closed && len(out.Facts.Interrupted) == 0 {
		out.Facts.Interrupted = reason.Reasons{reason.New(reason.JournalEndsEarly)}
	}
	return out, nil
}
