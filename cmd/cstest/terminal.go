package main

import (
	"io"
	"os"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/visible"
)

// terminal is what a standard stream is written through: whatever a target, a
// file or a user said, no control character but line ends and tabs reaches out.
// The formats that are data spell those as escapes themselves and come through as
// they are. Only the live view draws past it. Safe for concurrent use.
type terminal struct {
	out io.Writer

	mu      sync.Mutex
	held    []byte // the begin of a rune, or of a colour
	colours bool   // those of a report pass
}

// Write reports all of p as written once it is passed on or held.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.held) == 0 && plainASCII(p) {
		return t.out.Write(p)
	}
	if err := t.pass(append(t.held, p...), false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush passes on what was held back.
func (t *terminal) flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pass(t.held, true)
}

// paint passes on what was held back; from here on the colours of a report pass,
// or no longer.
func (t *terminal) paint(colours bool) {
	_ = t.flush() // an error comes again with the next write
	t.mu.Lock()
	defer t.mu.Unlock()
	t.colours = colours
}

func (t *terminal) pass(p []byte, final bool) error {
	shown := make([]byte, 0, len(p)+16)
	i := 0
	for i < len(p) {
		rest := p[i:]
		if t.colours && rest[0] == '\x1b' {
			n, whole := colour(rest)
			if !whole && !final {
				break
			}
			if whole && n > 0 {
				shown = append(shown, rest[:n]...)
				i += n
				continue
			}
		}
		if !final && !utf8.FullRune(rest) {
			break
		}
		r, n := utf8.DecodeRune(rest)
		if r == '\n' || r == '\t' {
			shown = append(shown, rest[0])
		} else {
			shown = visible.Append(shown, r)
		}
		i += n
	}
	t.held = append([]byte(nil), p[i:]...)
	if len(shown) == 0 {
		return nil
	}
	_, err := t.out.Write(shown)
	return err
}

// plainASCII tells what passes as it is.
func plainASCII(p []byte) bool {
	for _, c := range p {
		if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// colour is the length of the colour (SGR) that p begins with, 0 where it is
// something else; whole is false where p ends too early to tell.
func colour(p []byte) (n int, whole bool) {
	const longest = 16
	for i, c := range p {
		switch {
		case i == 0: // ESC
		case i == 1 && c != '[', i > longest:
			return 0, true
		case i == 1, c >= '0' && c <= '9', c == ';':
		case c == 'm':
			return i + 1, true
		default:
			return 0, true
		}
	}
	return 0, false
}

// guarded are streams none of which lets a control character out.
func guarded(in io.Reader, out, errs io.Writer) (_ streams, flush func()) {
	o, e := &terminal{out: out}, &terminal{out: errs}
	return streams{in: in, out: o, err: e, raw: out}, func() {
		_ = o.flush() // an error to write was told when it happened
		_ = e.flush()
	}
}

// show prints what a person reads on standard output, in colours where that is a
// terminal that wants them and never is not set.
func (s streams) show(never bool, lang reason.Lang, render func(io.Writer, report.TextOptions) error) error {
	o := report.TextOptions{Color: colorful(s.out, never), Width: width(s.out), Lang: lang}
	if o.Color {
		s.paint(true)
		defer s.paint(false)
	}
	return render(s.out, o)
}

// paint has the colours of a report pass to standard output, or no longer.
func (s streams) paint(colours bool) {
	w := s.out
	if c, ok := w.(*cleanWriter); ok {
		c.passOn()
		w = c.out
	}
	if t, ok := w.(*terminal); ok {
		t.paint(colours)
	}
}

// fileOf is the file that is written to in the end, nil where it is none.
func fileOf(w io.Writer) *os.File {
	w = unscrubbed(w)
	if t, ok := w.(*terminal); ok {
		w = t.out
	}
	f, _ := w.(*os.File)
	return f
}

// colorful tells whether out is a terminal that wants colours.
func colorful(out io.Writer, never bool) bool {
	f := fileOf(out)
	if never || f == nil || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	_, no := os.LookupEnv("NO_COLOR")
	return !no && os.Getenv("TERM") != "dumb"
}

// width is the terminal's, 0 where there is none.
func width(out io.Writer) int {
	if f := fileOf(out); f != nil {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 0
}
