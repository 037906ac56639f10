package measure

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// memory is a File in memory, which may fail.
type memory struct {
	bytes.Buffer
	writes, syncs int
	failWrite     int   // this write fails, from 1
	short         int   // after so many bytes of it
	failSync      int   // this sync fails
	closeErr      error //
	closed        bool
	synced        int // bytes at the last good sync
}

var errDisk = errors.New("no space left on device")

func (m *memory) Write(b []byte) (int, error) {
	m.writes++
	if m.writes == m.failWrite {
		n, _ := m.Buffer.Write(b[:min(m.short, len(b))])
		return n, errDisk
	}
	return m.Buffer.Write(b)
}

func (m *memory) Sync() error {
	m.syncs++
	if m.syncs == m.failSync {
		return errDisk
	}
	m.synced = m.Len()
	return nil
}

func (m *memory) Close() error { m.closed = true; return m.closeErr }

// The n-th write, or sync, fails: everything before is there, the error is final
// and nothing is written after it.
func TestFailingDisk(t *testing.T) {
	plan := testPlan()
	cuts := runRecorded(t, plan, 3)
	for _, sync := range []bool{false, true} {
		for nth := 1; nth <= 4; nth++ {
			for _, short := range []int{0, 1, 30} {
				m := &memory{short: short}
				if sync {
					m.failSync = nth
				} else {
					m.failWrite = nth
				}
				j, err := NewJournal(m, testRun, plan)
				written := 0
				for i, c := range cuts {
					if nth == 1 && err == nil || (err != nil) != (i+1 >= nth) {
						t.Fatalf("sync %v, failure %d: after %d records the error is %v", sync, nth, i+1, err)
					}
					err = j.AppendInterval(c)
					if err == nil {
						written++
					}
				}
				if !errors.Is(err, errDisk) || !errors.Is(j.Err(), errDisk) || !errors.Is(j.do(j.sync), errDisk) {
					t.Fatalf("sync %v, failure %d: %v, then %v", sync, nth, err, j.Err())
				}
				writes, syncs := m.writes, m.syncs
				if err := j.AppendFacts(&Facts{}); !errors.Is(err, errDisk) {
					t.Fatalf("append after the failure: %v", err)
				}
				if err := j.Close(); !errors.Is(err, errDisk) || !m.closed {
					t.Fatalf("close: %v, closed %v", err, m.closed)
				}
				if m.writes != writes || m.syncs != syncs {
					t.Fatalf("sync %v, failure %d: something was written after it", sync, nth)
				}
				got, err := ReadJournal(bytes.NewReader(m.Bytes()))
				if nth == 1 && !sync {
					if !errors.Is(err, ErrNoJournal) {
						t.Fatalf("nothing was written, but: %v", err)
					}
					continue
				}
				if err != nil || got.Closed || got.Intervals < written || got.Intervals > written+1 {
					t.Fatalf("sync %v, failure %d: %d of %d intervals, closed %v, %v", sync, nth, got.Intervals, written, got.Closed, err)
				}
			}
		}
	}
}

func TestCloseErrorIsTold(t *testing.T) {
	m := &memory{closeErr: errDisk}
	j, err := NewJournal(m, testRun, testPlan())
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); !errors.Is(err, errDisk) {
		t.Errorf("close: %v", err)
	}
	if err := j.Close(); !errors.Is(err, errDisk) {
		t.Errorf("second close: %v", err)
	}
}

func TestIntervalsAreSynced(t *testing.T) {
	plan := testPlan()
	m := &memory{}
	j, _ := NewJournal(m, testRun, plan)
	if m.synced != m.Len() {
		t.Fatal("the header is not synced")
	}
	_ = j.AppendFacts(&Facts{})
	if m.synced == m.Len() {
		t.Fatal("facts alone are synced")
	}
	_ = j.AppendInterval(runRecorded(t, plan, 1)[0])
	if m.synced != m.Len() {
		t.Fatal("an interval is not synced")
	}
	_ = j.AppendFacts(&Facts{})
	_ = j.do(j.sync)
	if m.synced != m.Len() {
		t.Fatal("what was appended before is not synced")
	}
	syncs := m.syncs
	_ = j.do(j.sync)
	if m.syncs != syncs {
		t.Error("nothing to sync, but synced")
	}
}

func TestCreateJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.cst")
	j, err := CreateJournal(path, testRun, testPlan())
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.AppendFacts(&Facts{}); err == nil {
		t.Error("a closed journal takes records")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got, err := OpenJournal(path); err != nil || !got.Closed {
		t.Errorf("closed %v, %v", got, err)
	}
	dead, err := CreateJournal(path, testRun, testPlan())
	if !errors.Is(err, os.ErrExist) {
		t.Errorf("created over another: %v", err)
	}
	if err := dead.AppendInterval(NewSnapshot(testPlan())); !errors.Is(err, os.ErrExist) {
		t.Errorf("the dead journal: %v", err)
	}
	if err := dead.Close(); !errors.Is(err, os.ErrExist) {
		t.Errorf("closing the dead journal: %v", err)
	}
	if _, err := OpenJournal(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
	}
	var none *Journal
	if none.AppendFacts(&Facts{}) != nil || none.Close() != nil || none.Err() != nil {
		t.Error("a nil journal errs")
	}
}

type failingReader struct{ r io.Reader }

func (f failingReader) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if errors.Is(err, io.EOF) {
		err = errDisk
	}
	return n, err
}

func TestReadErrorIsNotATornTail(t *testing.T) {
	plan := testPlan()
	data, _ := journalOf(t, plan, runRecorded(t, plan, 1), true)
	for _, n := range []int{5, len(data) - 3, len(data)} {
		if _, err := ReadJournal(failingReader{bytes.NewReader(data[:n])}); !errors.Is(err, errDisk) {
			t.Errorf("%d bytes, then a read error: %v", n, err)
		}
	}
}
