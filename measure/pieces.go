package measure

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
)

// A journal that is written to a log is lines there, among any others:
//
//	cstest-journal SHARD WRITER OFFSET CRC32C BASE64
//
// with a piece of the journal each. WRITER tells processes of one shard apart.
// What engines put before a line does no harm, nor do lines out of order or
// twice. A line stays below the 1 KiB at which Slurm splits, and the 16 KiB at which
// container runtimes do.
const (
	pieceMark = "cstest-journal "
	pieceMost = 672
	// headMost bounds the beginning of a journal, without which the rest cannot be
	// read; it is written again every headEvery, for logs are cut at their beginning.
	headMost  = 1 << 20
	headEvery = 4 << 20
)

// Pieces is a File that writes a journal into a log. Nothing is written before Sync.
type Pieces struct {
	w      io.Writer
	prefix string
	offset int64 // of the first byte of pending
	line   []byte

	pending []byte
	head    []byte
	syncs   int
	since   int64 // the head was written, bytes of the journal
}

// NewPieces begins a log of the journal of a shard, which is named i/N.
func NewPieces(w io.Writer, shard string) *Pieces {
	var writer [4]byte
	_, _ = rand.Read(writer[:]) // never fails
	return &Pieces{w: w, prefix: pieceMark + shard + " " + hex.EncodeToString(writer[:])}
}

// Write keeps b until Sync.
func (p *Pieces) Write(b []byte) (int, error) {
	p.pending = append(p.pending, b...)
	return len(b), nil
}

// Sync writes what was kept.
func (p *Pieces) Sync() error {
	// The first sync ends the plan, the second the first interval, with all that
	// was noted before it.
	if p.syncs < 2 && len(p.head)+len(p.pending) <= headMost {
		p.head = append(p.head, p.pending...)
		p.syncs++
	}
	if p.since += int64(len(p.pending)); p.since >= headEvery {
		p.since = 0
		if err := p.emit(0, p.head); err != nil {
			return err
		}
	}
	if err := p.emit(p.offset, p.pending); err != nil {
		return err
	}
	p.offset += int64(len(p.pending))
	p.pending = p.pending[:0]
	return nil
}

// emit writes the lines of a stretch, in one call.
func (p *Pieces) emit(offset int64, b []byte) error {
	p.line = p.line[:0]
	for len(b) > 0 {
		piece := b[:min(len(b), pieceMost)]
		b = b[len(piece):]
		p.line = fmt.Appendf(p.line, "%s %d %08x ", p.prefix, offset, crc32.Checksum(piece, castagnoli()))
		p.line = append(base64.StdEncoding.AppendEncode(p.line, piece), '\n')
		offset += int64(len(piece))
	}
	_, err := p.w.Write(p.line)
	return err
}

// Close writes what was kept. The log stays open.
func (p *Pieces) Close() error { return p.Sync() }
