package wire

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// decoder undoes one coding, of one body after the other.
type decoder interface {
	io.Reader
	Reset(from io.Reader) error
}

// maxZstdWindow is what RFC 9659 lets a server use.
const maxZstdWindow = 8 << 20

// decoders are those not in use, by coding.
var decoders = [knownCodings]sync.Pool{
	gzipped:  {New: func() any { return new(gunzipper) }},
	deflated: {New: func() any { return new(inflater) }},
	brotlied: {New: func() any { return new(brotli.Reader) }},
	zstandard: {New: func() any {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			panic(err) // the options are constant
		}
		return z
	}},
}

// gunzipper undoes gzip, of several members too. Unlike gzip.Reader it gives the
// last bytes of a member without waiting for what is behind; what is no further
// member there is left alone, as clients do.
type gunzipper struct {
	in   *bufio.Reader
	z    gzip.Reader
	done bool // with a member
}

// Reset reads the head of the first member.
func (g *gunzipper) Reset(from io.Reader) error {
	if g.in == nil {
		g.in = bufio.NewReader(from)
	}
	g.in.Reset(from)
	return g.member()
}

func (g *gunzipper) member() error {
	err := g.z.Reset(g.in)
	g.z.Multistream(false)
	g.done = false
	return err
}

func (g *gunzipper) Read(p []byte) (int, error) {
	if g.done && g.member() != nil {
		return 0, io.EOF
	}
	n, err := g.z.Read(p)
	if errors.Is(err, io.EOF) {
		g.done, err = true, nil
	}
	return n, err
}

// inflater undoes deflate: wrapped by zlib, as RFC 9110 says, or bare, as some
// servers send it and clients take it.
type inflater struct {
	in    *bufio.Reader
	out   io.Reader
	zlib  io.ReadCloser
	plain io.ReadCloser
}

// Reset finds out which it is.
func (i *inflater) Reset(from io.Reader) error {
	if i.in == nil {
		i.in = bufio.NewReader(from)
	}
	i.in.Reset(from)
	head, err := i.in.Peek(2)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	if head[0]&0x0f == 8 && head[0]>>4 <= 7 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		if i.zlib == nil {
			i.zlib, err = zlib.NewReader(i.in)
		} else {
			err = i.zlib.(zlib.Resetter).Reset(i.in, nil) //nolint:forcetypeassert // as package zlib says
		}
		i.out = i.zlib
		return err
	}
	if i.plain == nil {
		i.plain = flate.NewReader(i.in)
	} else if err := i.plain.(flate.Resetter).Reset(i.in, nil); err != nil { //nolint:forcetypeassert // as package flate says
		return err
	}
	i.out = i.plain
	return nil
}

func (i *inflater) Read(p []byte) (int, error) { return i.out.Read(p) }

// errBomb says that a body is larger than allowed at some stage of undoing it.
var errBomb = errors.New("larger than the limit once decompressed")

// bounded ends what would grow beyond all bounds.
type bounded struct {
	io.Reader
	left func(n int) bool // takes n bytes; false: more than there may be
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if !b.left(n) {
		return 0, errBomb
	}
	return n, err
}

// chain is the way from a coded body to the plain one.
type chain struct {
	out  io.Reader
	used []decoder
	of   []coding
	last coding // the one that is undone first
}

// open puts decoders in a row behind from. allow is asked before every piece that
// a stage gives, with the stage and how much it is.
func (c *codings) open(from io.Reader, allow func(stage, n int) bool) (*chain, error) {
	h := &chain{out: from, last: c.list[c.n-1]}
	for i := c.n - 1; i >= 0; i-- {
		one := c.list[i]
		d := decoders[one].Get().(decoder) //nolint:forcetypeassert // the pool has no other
		h.used, h.of = append(h.used, d), append(h.of, one)
		if err := d.Reset(h.out); err != nil {
			h.close()
			return nil, err
		}
		h.out = &bounded{d, func(n int) bool { return allow(i, n) }}
	}
	return h, nil
}

// close gives the decoders back.
func (h *chain) close() {
	for i, d := range h.used {
		decoders[h.of[i]].Put(d)
	}
	h.used = nil
}

// ended tells whether err is where clients take a body for whole: at its end, or
// at one that comes too soon, as its content will show.
func ended(err error, some bool) bool {
	return errors.Is(err, io.EOF) || some && errors.Is(err, io.ErrUnexpectedEOF)
}
