package ndjson

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// lines reads a stream in pieces of so many bytes.
func lines(in string, size, limit int) (list []string, err error) {
	var p Parser
	p.Reset()
	for piece := range slices.Chunk([]byte(in), size) {
		for len(piece) > 0 {
			used, whole, err := p.Next(piece, limit)
			if err != nil {
				return list, err
			}
			if piece = piece[used:]; whole {
				list = append(list, string(p.Line))
			}
		}
	}
	if rest, ok := p.Rest(); ok {
		list = append(list, string(rest))
	}
	return list, nil
}

func TestLines(t *testing.T) {
	for in, want := range map[string][]string{
		"{\"a\":1}\n{\"b\":2}\r\n\n \n{\"c\":3}": {`{"a":1}`, `{"b":2}`, `{"c":3}`},
		"\n\n":                                   nil, "": nil, "x\n": {"x"}, "x": {"x"}, " x \r\n": {"x"},
	} {
		for size := 1; size < 12; size++ {
			if got, err := lines(in, size, 100); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q by %d: %q, %v", in, size, got, err)
			}
		}
	}
	for _, in := range []string{strings.Repeat("x", 11), strings.Repeat("x", 11) + "\n"} {
		for _, size := range []int{1, 5, 20} {
			if _, err := lines(in, size, 10); !errors.Is(err, ErrTooLong) {
				t.Errorf("%d bytes by %d: %v", len(in), size, err)
			}
		}
	}
}

// However the bytes are cut, the lines are those of the whole.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n{\"b\":2}\r\n\nx"), 3)
	f.Add([]byte("\r\n\r\n \n"), 1)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		size = 1 + int(uint(size)%64)
		got, err := lines(string(in), size, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range bytes.SplitSeq(in, []byte("\n")) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				want = append(want, string(line))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q by %d: %q, want %q", in, size, got, want)
		}
	})
}
