// Package directory writes the directory of a run or an experiment, file by file and the
// one that means complete last, and keeps two processes out of one.
package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
)

// partialFile takes the place of result.DocumentFile when another file could not be written.
const partialFile = "result.partial.json"

// File is one file of a result directory and how to write it.
type File struct {
	Name  string // slash-separated, inside the directory
	Write func(io.Writer) error
}

// filesystem is where a result directory is written: the operating system's files, or a
// test's that fail.
type filesystem interface {
	// Create makes or truncates a file, and the folders above it.
	Create(name string) (writeSyncer, error)
	Rename(from, to string) error
	// Remove ignores a file that is not there.
	Remove(name string) error
	SyncDir(name string) error
	// Open reads an existing file.
	Open(name string) (io.ReadCloser, error)
	// List gives the regular files under dir, as slash-separated paths in order.
	List(dir string) ([]string, error)
}

// writeSyncer is a file being written.
type writeSyncer interface {
	io.WriteCloser
	Sync() error
}

// Write writes the files and then d as result.json into dir, each as
// NAME.tmp, synced, renamed, and the directory synced. d.Files is set to the
// SHA-256 of every other regular file of dir, those that were there before too
// (journal, logs). A file that cannot be written does not stop the others: all
// problems come back joined, each naming its file, and the Document then goes
// to result.partial.json, for result.json would mean complete. Errors of Sync
// are final; nothing is tried twice. Not safe for concurrent use on one dir.
func Write(dir string, d *result.Document, files []File) error {
	return write(disk{}, dir, d, files)
}

func write(fsys filesystem, dir string, d *result.Document, files []File) error {
	var problems []error
	fail := func(name string, err error) {
		problems = append(problems, fmt.Errorf("%s: %w", filepath.Join(dir, filepath.FromSlash(name)), err))
	}
	for _, stale := range []string{result.DocumentFile, partialFile} {
		if err := fsys.Remove(filepath.Join(dir, stale)); err != nil {
			fail(stale, err)
		}
	}
	sums := map[string]string{}
	for _, f := range files {
		if !fs.ValidPath(f.Name) {
			fail(f.Name, errors.New("not a name inside the result directory"))
			continue
		}
		sum, err := writeFile(fsys, dir, f)
		if err != nil {
			fail(f.Name, err)
			continue
		}
		sums[f.Name] = sum
	}
	others, err := fsys.List(dir)
	if err != nil {
		fail(".", err)
	}
	for _, name := range others {
		if _, done := sums[name]; done || transient(name) {
			continue
		}
		sum, err := checksum(fsys, filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			fail(name, err)
			continue
		}
		sums[name] = sum
	}
	if err := fsys.SyncDir(dir); err != nil {
		fail(".", err)
	}
	d.Files = sums
	name := result.DocumentFile
	if len(problems) > 0 {
		name = partialFile
	}
	if _, err := writeFile(fsys, dir, File{name, func(w io.Writer) error { return escape.JSON(result.DocumentFile, d, w) }}); err != nil {
		fail(name, err)
	} else if err := fsys.SyncDir(dir); err != nil {
		fail(name, err)
	}
	return errors.Join(problems...)
}

// WriteFiles writes files into dir, each as NAME.tmp, synced and renamed, so that
// none is ever there in part.
func WriteFiles(dir string, files []File) error {
	for _, f := range files {
		if err := WriteFile(dir, f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// WriteFile writes one of them.
func WriteFile(dir string, f File) error {
	_, err := writeFile(disk{}, dir, f)
	return err
}

// transient names are not part of a result.
func transient(name string) bool {
	return name == LockFile || name == result.DocumentFile || name == partialFile || strings.HasSuffix(name, ".tmp")
}

func writeFile(fsys filesystem, dir string, f File) (sum string, err error) {
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	file, err := fsys.Create(path + ".tmp")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = fsys.Remove(path + ".tmp") // the first error says more
		}
	}()
	out := &hashed{file: file, hash: sha256.New()}
	if err := f.Write(out); err != nil {
		_ = file.Close()
		return "", err
	}
	if err := file.Sync(); err != nil {
		_ = file.Close()
		return "", err
	}
	if err := file.Close(); err != nil {
		return "", err
	}
	if err := fsys.Rename(path+".tmp", path); err != nil {
		return "", err
	}
	return hex.EncodeToString(out.hash.Sum(nil)), nil
}

// hashed hashes what reaches the file.
type hashed struct {
	file io.Writer
	hash hash.Hash
}

func (h *hashed) Write(p []byte) (int, error) {
	n, err := h.file.Write(p)
	h.hash.Write(p[:min(max(n, 0), len(p))])
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

func checksum(fsys filesystem, path string) (string, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return "", err
	}
	return result.Checksum(f)
}
