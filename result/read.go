package result

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/cstest/cstest/reason"
)

// DocumentFile is the name of the Document in a result directory. It is written
// last: its presence means that the directory is complete.
const DocumentFile = "result.json"

// maxResult bounds result.json when it is read.
const maxResult = 256 << 20

// Read loads the result in dir, or the result.json that dir names, and verifies
// the SHA-256 of every file it lists. The error says what is missing or differs.
func Read(dir string) (*Document, error) {
	if filepath.Base(dir) == DocumentFile {
		dir = filepath.Dir(dir)
	}
	f, err := Open(filepath.Join(dir, DocumentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, reason.Errorf("%s: no %s, so the run did not finish: `cstest report %s` recovers it from its journal: %w", dir, DocumentFile, dir, err)
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(f, maxResult+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && b.Len() > maxResult {
		err = reason.Errorf("larger than %d bytes", maxResult)
	}
	if err != nil {
		return nil, reason.Errorf("%s: %w", filepath.Join(dir, DocumentFile), err)
	}
	d, err := Parse(b.Bytes())
	if err != nil {
		return nil, reason.Errorf("%s: %w", filepath.Join(dir, DocumentFile), err)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Files)) {
		want := d.Files[name]
		if !fs.ValidPath(name) {
			return nil, reason.Errorf("%s: lists %q, which is outside of the directory", filepath.Join(dir, DocumentFile), name)
		}
		got, err := sumOf(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, reason.Errorf("%s: the result is not whole, %s lists it: %w", filepath.Join(dir, name), DocumentFile, err)
		}
		if err != nil {
			return nil, err
		}
		if got != want {
			return nil, reason.Errorf("%s: changed since the run: SHA-256 is %s, %s says %s", filepath.Join(dir, name), got, DocumentFile, want)
		}
	}
	return d, nil
}

// Parse reads the text of a result.json. It refuses other schema versions and
// documents whose counts do not add up.
func Parse(b []byte) (*Document, error) {
	var d Document
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, reason.Errorf("not a result: %w", err)
	}
	d.withoutCodes()
	if d.SchemaVersion != SchemaVersion {
		return nil, reason.Errorf("schema version %d: this cstest reads version %d", d.SchemaVersion, SchemaVersion)
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	return &d, nil
}

// Check verifies conservation: every planned conversation was started or
// dropped, and every turn has one outcome.
func (d *Document) Check() error {
	c := d.Counts
	if want := c.ConversationsPlanned - c.DroppedTarget - c.DroppedGenerator; c.Conversations != want {
		return reason.Errorf("counts do not add up: %d conversations, but planned less dropped is %d", c.Conversations, want)
	}
	sum := c.OK + c.Degraded + c.Unexpected + c.ContextLost + c.RateLimited + c.Shed + c.ClientError + c.ServerError +
		c.Truncated + c.Timeout + c.TransportError + c.Integrity + c.Refused + c.LetIn + c.Censored
	if c.Turns != sum {
		return reason.Errorf("counts do not add up: %d turns, but the outcomes sum to %d", c.Turns, sum)
	}
	return nil
}

// withoutCodes makes lists that a result was written without, before there were
// any, empty ones.
func (d *Document) withoutCodes() {
	if d.Breakdowns == nil {
		d.Breakdowns = []Breakdown{}
	}
	for _, list := range []*reason.Reasons{&d.ReasonCodes, &d.WarningCodes, &d.Generator.ReasonCodes} {
		*list = list.OrEmpty()
	}
	for i := range d.Objectives {
		d.Objectives[i].ReasonCodes = d.Objectives[i].ReasonCodes.OrEmpty()
		d.Objectives[i].Stages = orEmpty(d.Objectives[i].Stages)
	}
	d.Judging.Interrupted, d.Judging.Aborted = d.Judging.Interrupted.OrEmpty(), d.Judging.Aborted.OrEmpty()
	d.Judging.MissingShards, d.Judging.Incidents = orEmpty(d.Judging.MissingShards), append([]Incident{}, d.Judging.Incidents...)
	g := &d.Generator
	g.LateAtS, g.FailsWithoutLate, g.Drops = append([]int{}, g.LateAtS...), orEmpty(g.FailsWithoutLate), append([]Drop{}, g.Drops...)
}

// Open opens a file of a result directory. It refuses anything but regular
// files: a result may come from elsewhere.
func Open(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	return os.Open(name)
}

func sumOf(path string) (string, error) {
	f, err := Open(path)
	if err != nil {
		return "", err
	}
	return Checksum(f)
}

// Checksum reads f to its end and closes it. It gives the SHA-256 in hex, as
// Document.Files has it.
func Checksum(f io.ReadCloser) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return hex.EncodeToString(h.Sum(nil)), err
}
