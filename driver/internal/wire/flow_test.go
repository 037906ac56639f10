package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// flusher writes one coding.
type flusher interface {
	io.WriteCloser
	Flush() error
}

// writers make each coding that can be read, by the name servers give it.
var writers = map[string]func(io.Writer) flusher{
	"gzip":    func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"x-gzip":  func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) flusher { return zlib.NewWriter(w) },
	"Deflate": func(w io.Writer) flusher { z, _ := flate.NewWriter(w, 6); return z },
	"br":      func(w io.Writer) flusher { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) flusher {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		return z
	},
}

// heard is Events that keeps what it was told.
type heard struct {
	text  []byte
	fault Fault
	over  bool
	whole bool
}

func (h *heard) Begin()      { h.text = nil }
func (h *heard) Ended() bool { return h.over }
func (h *heard) End(whole bool) Fault {
	h.whole = whole
	return Fault{}
}

func (h *heard) Feed(piece []byte) Fault {
	h.text = append(h.text, piece...)
	return h.fault
}

// stream is an exchange whose answer is a stream in the given coding.
func stream(t *testing.T, coding string, limits Limits) (*Exchange, *heard) {
	t.Helper()
	h := &heard{}
	x := &Exchange{Events: h}
	x.Head.Reset()
	for name, value := range map[string]string{"content-type": "text/event-stream", "content-encoding": coding} {
		if f := x.Head.Add([]byte(name), []byte(value)); f.Bad() {
			t.Fatal(f)
		}
	}
	x.Head.Status = 200
	if f := x.BeginBody(&Request{Events: true, Accept: Accept{true, true}}, &Target{Limits: limits}); f.Bad() {
		t.Fatal(f)
	}
	t.Cleanup(x.Finish)
	return x, h
}

// Every piece that the server flushed is there as soon as its last byte is,
// whatever the coding and however it is cut.
func TestFlowGivesWhatCame(t *testing.T) {
	for coding, open := range writers {
		for _, cut := range []int{1, 7, 1 << 20} {
			x, h := stream(t, coding, Limits{Body: 1 << 20, Ratio: 100})
			var wire bytes.Buffer
			z := open(&wire)
			want := ""
			for i := range 5 {
				piece := strings.Repeat("数据 data ", i+1)
				want += piece
				io.WriteString(z, piece) //nolint:errcheck // memory
				z.Flush()
				for wire.Len() > 0 {
					if f := x.Feed(wire.Next(cut)); f.Bad() {
						t.Fatalf("%s: %v", coding, f)
					}
				}
				if string(h.text) != want {
					t.Errorf("%s cut at %d: %q after piece %d, want %q", coding, cut, h.text, i, want)
				}
			}
			z.Close()
			if f := x.Feed(wire.Bytes()); f.Bad() {
				t.Errorf("%s: %v", coding, f)
			}
			if f := x.End(true); f.Bad() || !h.whole || string(h.text) != want {
				t.Errorf("%s: %v at the end of %q", coding, f, h.text)
			}
			x.Finish()
		}
	}
}

// A stream that grows beyond its limits is ended, as is one that is not what it
// says; one that breaks off is for Events to judge.
func TestFlowBounds(t *testing.T) {
	packed := func(coding, text string) []byte {
		var wire bytes.Buffer
		z := writers[coding](&wire)
		io.WriteString(z, text) //nolint:errcheck // memory
		z.Close()
		return wire.Bytes()
	}
	for coding := range writers {
		bomb := packed(coding, strings.Repeat("a", 2<<20))
		x, h := stream(t, coding, Limits{Body: 1 << 18, Ratio: 100})
		f := Fault{}
		for len(bomb) > 0 && !f.Bad() {
			n := min(len(bomb), 50)
			f = x.Feed(bomb[:n])
			bomb = bomb[n:]
		}
		if f.Reason != Oversized || len(h.text) > 1<<18 {
			t.Errorf("%s bomb: %v after %d bytes", coding, f, len(h.text))
		}

		x, _ = stream(t, coding, Limits{Body: 1 << 20, Ratio: 100})
		if f = x.Feed([]byte("\x11\xff\xff\xffno such thing, and some more of it")); !f.Bad() {
			f = x.End(true)
		}
		if f.Reason != Malformed || !strings.Contains(f.Message, "not valid ") {
			t.Errorf("%s: %v for what is none", coding, f)
		}

		whole := packed(coding, "data: x\n\n")
		x, h = stream(t, coding, Limits{Body: 1 << 20, Ratio: 100})
		for i := range len(whole) - 1 {
			if f = x.Feed(whole[i : i+1]); f.Bad() {
				t.Errorf("%s: %v at byte %d", coding, f, i)
			}
		}
		if f = x.End(true); f.Bad() && len(h.text) > 0 || h.whole {
			t.Errorf("%s cut: %v after %q", coding, f, h.text)
		}

		x, h = stream(t, coding, Limits{Body: 1 << 20, Ratio: 100})
		h.fault = NewFault(Malformed, "of the events")
		if f = x.Feed(whole); f != h.fault {
			t.Errorf("%s: %v, want what Events says", coding, f)
		}
	}
}

// Behind its last event a stream may be anything.
func TestFlowBehindTheEnd(t *testing.T) {
	x, h := stream(t, "gzip", Limits{Body: 1 << 20, Ratio: 100})
	h.over = true
	if f := x.Feed([]byte("garbage")); f.Bad() {
		t.Error(f)
	}
	if f := x.End(true); f.Bad() {
		t.Error(f)
	}
}
