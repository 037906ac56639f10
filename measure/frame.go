package measure

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A journal is a header and frames. A frame is
//
//	magic (4) | length of payload u32 | kind u8 | crc32c(kind ‖ length ‖ payload) u32 | payload
//
// all little-endian. The magic holds bytes that UTF-8 never does, so no text a
// server sent can look like a frame to a reader that has lost its place. The
// payload begins with the frame's number, so that a stretch written twice or
// missing is noticed. A record longer than a frame is several: all but the last
// have the bit unfinished in their kind, all but the first the bit continued.
const (
	frameMagic  = "\xff\xc5\xfeT"
	frameHead   = 4 + 4 + 1 + 4
	framePart   = 1<<20 - binary.MaxVarintLen64 // payload less its number
	unfinished  = 0x80
	continued   = 0x40
	recordLimit = 64 << 20
)

// kind is what a record holds.
type kind uint8

const (
	kindPlan kind = iota + 1
	kindInterval
	kindMark
	kindFacts
	kindExemplar
	kindNote
	kindEnd
	kindObserved
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func frameSum(k byte, payload []byte) uint32 {
	var head [5]byte
	head[0] = k
	binary.LittleEndian.PutUint32(head[1:], uint32(len(payload)))
	return crc32.Update(crc32.Checksum(head[:], castagnoli()), castagnoli(), payload)
}

// appendFrames appends a record as frames numbered from seq, and gives the next number.
func appendFrames(b []byte, seq uint64, k kind, record []byte) ([]byte, uint64) {
	for first := true; ; first = false {
		part := record[:min(len(record), framePart)]
		record = record[len(part):]
		code := byte(k)
		if len(record) > 0 {
			code |= unfinished
		}
		if !first {
			code |= continued
		}
		payload := append(binary.AppendUvarint(nil, seq), part...)
		b = append(b, frameMagic...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
		b = append(b, code)
		b = binary.LittleEndian.AppendUint32(b, frameSum(code, payload))
		b = append(b, payload...)
		seq++
		if len(record) == 0 {
			return b, seq
		}
	}
}

// frame is one read back.
type frame struct {
	offset int64 // where it began
	next   int64 // where it ended
	seq    uint64
	code   byte
	part   []byte // valid until the next read
}

// frameReader finds the good frames of a journal, whatever lies between them.
type frameReader struct {
	r      *bufio.Reader
	offset int64
	err    error // other than the end
}

func newFrameReader(r io.Reader, offset int64) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, 16<<10), offset: offset}
}

// next gives the next good frame; false at the end.
func (f *frameReader) next() (frame, bool) {
	for {
		head, err := f.r.Peek(frameHead)
		f.note(err)
		if len(head) < frameHead {
			f.skip(len(head))
			return frame{}, false
		}
		at := bytes.Index(head, []byte(frameMagic))
		switch {
		case at < 0:
			// The last bytes may begin the magic.
			f.skip(frameHead - len(frameMagic) + 1)
			continue
		case at > 0:
			f.skip(at)
			continue
		}
		if got, ok := f.read(head); ok {
			return got, true
		}
		f.skip(1)
	}
}

// read takes the frame that head begins, if it is good.
func (f *frameReader) read(head []byte) (frame, bool) {
	length := binary.LittleEndian.Uint32(head[4:])
	code, sum := head[8], binary.LittleEndian.Uint32(head[9:])
	if length == 0 || length > 1<<20 {
		return frame{}, false
	}
	if frameHead+int(length) > f.r.Size() {
		// Most frames are small: room for the largest only when one claims to be large.
		f.r = bufio.NewReaderSize(f.r, 1<<20+frameHead)
	}
	whole, err := f.r.Peek(frameHead + int(length))
	f.note(err)
	if len(whole) < frameHead+int(length) {
		return frame{}, false
	}
	payload := whole[frameHead:]
	seq, n := binary.Uvarint(payload)
	if frameSum(code, payload) != sum || n <= 0 {
		return frame{}, false
	}
	got := frame{offset: f.offset, seq: seq, code: code, part: bytes.Clone(payload[n:])}
	f.skip(len(whole))
	got.next = f.offset
	return got, true
}

func (f *frameReader) skip(n int) {
	done, err := f.r.Discard(n)
	f.offset += int64(done)
	f.note(err)
}

func (f *frameReader) note(err error) {
	if err != nil && !errors.Is(err, io.EOF) && f.err == nil {
		f.err = err
	}
}
