package measure

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// What logs may hold: journals in all, and pieces of them.
const (
	mostStreams = 8192
	mostPieces  = 16 << 20
	shardName   = 16 // bytes of "1023/1024" and more
)

// IsJournal tells whether a file begins as a journal does.
func IsJournal(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // only read from
	head := make([]byte, len(headerMagic))
	n, _ := io.ReadFull(f, head)
	return string(head[:n]) == headerMagic
}

// Spool collects the journals that logs hold in pieces. Pieces are kept in a
// file, so memory does not grow with what they hold. It is not safe for
// concurrent use.
type Spool struct {
	file    *os.File
	size    int64
	pieces  int
	streams map[string]*Stream
}

// Stream is the journal of one process, as far as logs held it.
type Stream struct {
	Shard string // i/N, as the log has it
	// Torn is how many lines were damaged.
	Torn   int
	spool  *Spool
	pieces []piece
}

// piece is a stretch of a journal and where it was kept.
type piece struct {
	offset, kept int64
	length       int32
}

// NewSpool makes an empty one, which Close removes.
func NewSpool() (*Spool, error) {
	f, err := os.CreateTemp("", "cstest-merge-*")
	if err != nil {
		return nil, err
	}
	return &Spool{file: f, streams: map[string]*Stream{}}, nil
}

// Close removes what was kept.
func (s *Spool) Close() error { return errors.Join(s.file.Close(), os.Remove(s.file.Name())) }

// Read takes all pieces out of a log and tells how many there were. Its errors
// are those of r, of the disk, and of logs beyond all bounds.
func (s *Spool) Read(r io.Reader) (pieces int, err error) {
	before := s.pieces
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // of others: a piece is shorter
			continue
		}
		if _, err := s.Take(line); err != nil {
			return s.pieces - before, err
		}
		if errors.Is(err, io.EOF) {
			return s.pieces - before, nil
		}
		if err != nil {
			return s.pieces - before, err
		}
	}
}

// Take keeps the piece that a line holds, and gives it. What holds none is passed
// over. Its errors are those of the disk, and of logs beyond all bounds.
func (s *Spool) Take(line []byte) (Piece, error) {
	p, found, good := ParsePiece(line)
	if !found {
		return Piece{}, nil
	}
	name := p.Shard + " " + p.Writer
	stream := s.streams[name]
	if stream == nil {
		if len(s.streams) >= mostStreams {
			return Piece{}, fmt.Errorf("journals of more than %d processes: merge the logs of one run", mostStreams)
		}
		stream = &Stream{Shard: p.Shard, spool: s}
		s.streams[name] = stream
	}
	if !good {
		stream.Torn++
		return Piece{}, nil
	}
	if s.pieces >= mostPieces {
		return Piece{}, fmt.Errorf("more than %d pieces of journals: merge the logs of one run", mostPieces)
	}
	if _, err := s.file.WriteAt(p.Bytes, s.size); err != nil {
		return Piece{}, err
	}
	stream.pieces = append(stream.pieces, piece{p.Offset, s.size, int32(len(p.Bytes))})
	s.size += int64(len(p.Bytes))
	s.pieces++
	return p, nil
}

// Piece is a stretch of a journal as a line of a log holds it.
type Piece struct {
	Shard  string // i/N, as the line has it
	Writer string // tells the processes of one shard apart
	Offset int64  // in the journal
	Bytes  []byte
}

// ParsePiece reads the piece that a line holds. Where found, the line says whose
// it is; it is good when its bytes are those that were written.
func ParsePiece(line []byte) (p Piece, found, good bool) {
	_, fields, ok := bytes.Cut(line, []byte(pieceMark))
	if !ok {
		return p, false, false
	}
	f := bytes.Fields(fields)
	if len(f) < 2 || len(f[0]) > shardName || len(f[1]) != 8 {
		return p, false, false
	}
	p.Shard, p.Writer = string(f[0]), string(f[1])
	if len(f) < 5 {
		return p, true, false
	}
	offset, err := strconv.ParseInt(string(f[2]), 10, 64)
	sum, err2 := strconv.ParseUint(string(f[3]), 16, 32)
	if err != nil || err2 != nil || offset < 0 {
		return p, true, false
	}
	p.Offset = offset
	p.Bytes, err = base64.StdEncoding.AppendDecode(nil, f[4])
	return p, true, err == nil && len(p.Bytes) > 0 && crc32.Checksum(p.Bytes, castagnoli()) == uint32(sum)
}

// Streams gives the journals, in an order of their names.
func (s *Spool) Streams() []*Stream {
	names := make([]string, 0, len(s.streams))
	for name := range s.streams {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	list := make([]*Stream, len(names))
	for i, name := range names {
		list[i] = s.streams[name]
	}
	return list
}

// Journal reads the journal back. Where pieces are missing it is as damaged there.
func (t *Stream) Journal() (*Recovered, error) {
	slices.SortFunc(t.pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(b.length, a.length), cmp.Compare(a.kept, b.kept))
	})
	return ReadJournal(&pieceReader{stream: t})
}

// pieceReader gives pieces one after the other, each byte once. It leaves holes
// out: the frames of a journal are numbered.
type pieceReader struct {
	stream *Stream
	next   int
	at     int64 // in the journal
	buffer []byte
	rest   []byte
}

// Read is io.Reader's.
func (p *pieceReader) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.next == len(p.stream.pieces) {
			return 0, io.EOF
		}
		piece := p.stream.pieces[p.next]
		p.next++
		known := max(p.at-piece.offset, 0)
		if known >= int64(piece.length) {
			continue
		}
		p.buffer = slices.Grow(p.buffer[:0], int(piece.length))[:piece.length]
		if _, err := p.stream.spool.file.ReadAt(p.buffer, piece.kept); err != nil {
			return 0, err
		}
		p.rest = p.buffer[known:]
		p.at = piece.offset + int64(piece.length)
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
