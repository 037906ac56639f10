package sse

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	gosse "github.com/tmaxmax/go-sse"
	"pgregory.net/rapid"
)

type event struct{ name, data string }

// parse feeds text in the pieces cut says.
func parse(pieces []string) ([]event, error) {
	var s Parser
	var got []event
	for _, p := range pieces {
		in := []byte(p)
		for len(in) > 0 {
			used, whole, err := s.Next(in, 1<<16)
			if err != nil {
				return got, err
			}
			in = in[used:]
			if whole {
				got = append(got, event{string(s.Name), string(s.Data)})
				s.Clear()
			}
		}
	}
	return got, nil
}

func TestSSE(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []event
	}{
		{"line ends", "data: a\n\ndata: b\r\rdata: c\r\n\r\n", []event{{"", "a"}, {"", "b"}, {"", "c"}}},
		{"bom", "\xef\xbb\xbfdata: a\n\n", []event{{"", "a"}}},
		{"bom later is a field's name", "data: a\n\n\xef\xbb\xbfdata: b\n\n", []event{{"", "a"}}},
		{"several lines", "data: a\ndata:b\ndata\n\n", []event{{"", "a\nb\n"}}},
		{"name, comment, unknown", ": hi\nevent: delta\nid: 1\x00\nretry: -1\nfoo: bar\ndata:  x\n\n", []event{{"delta", " x"}}},
		{"name is forgotten", "event: a\n\ndata: x\n\n", []event{{"", "x"}}},
		{"empty data", "data:\n\n", []event{{"", ""}}},
		{"unfinished", "data: a\n", nil},
		{"names are of one case, and whole", "Data: a\nDATA: b\n data: c\ndatax: d\ndata : e\n\n", nil},
		{"one space, no tab", "data:\ta\ndata:  b\n\n", []event{{"", "\ta\n b"}}},
		{"colons", ":\n::\ndata::a:\n\n", []event{{"", ":a:"}}},
		{"the last name counts", "event: a\nevent:b\nevent\ndata: x\n\n", []event{{"", "x"}}},
		{"NUL and broken UTF-8 are data", "data: \x00\xff\n\n", []event{{"", "\x00\xff"}}},
		{"many blank lines", "\n\r\n\r\rdata: a\n\n\n\r\n\ndata: b\r\r\r", []event{{"", "a"}, {"", "b"}}},
		{"two boms", "\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", nil},
		{"half a bom", "\xef\xbbdata: a\n\n", nil},
		{"a line that is a bom", "\xef\xbb\xbf\ndata: a\n\n", []event{{"", "a"}}},
		{"ids and times", "id: \x00\nid\nretry: 99999999999999999999\nretry: x\nretry: -1\ndata: a\n\n", []event{{"", "a"}}},
	} {
		got, err := parse([]string{c.in})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

func TestSSELineLimit(t *testing.T) {
	for _, in := range []string{"data: " + strings.Repeat("x", 1<<17), strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", 200)} {
		if _, err := parse([]string{in}); !errors.Is(err, ErrTooLong) {
			t.Errorf("%d bytes without an end were taken", len(in))
		}
	}
}

var streamText = rapid.Custom(func(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{
		"data", ":", " ", "\n", "\r", "\r\n", "\n\n", "event", "客服", "{}", "\xef\xbb\xbf", "id: 1", "data: x\n\n", ": c\n", "\xff",
	}), 0, 40).Draw(t, "parts")
	return strings.Join(parts, "")
})

const bom = "\xef\xbb\xbf"

// However a stream is cut, its events are the same.
func TestSSESplitInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := streamText.Draw(t, "text")
		want, err := parse([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		var pieces []string
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		got, err := parse(pieces)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q: %q, %v; want %q", pieces, got, err, want)
		}
	})
}

// go-sse says the same, but for three things: it hands out events without data,
// which the standard drops, and an event the stream ends within, and it skips a
// BOM behind blank lines as if it were the first thing in the stream.
func TestSSEDifferential(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ToValidUTF8(streamText.Draw(t, "text"), "")
		if bare := strings.TrimPrefix(text, bom); strings.Contains(bare, bom) {
			text = strings.Repeat(bom, min(1, len(text)-len(bare))) + strings.ReplaceAll(bare, bom, "")
		}
		ours, err := parse([]string{text + "\n\n"})
		if err != nil {
			t.Fatal(err)
		}
		var theirs []event
		for e, err := range gosse.Read(iotest.OneByteReader(strings.NewReader(text+"\n\n")), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Data != "" {
				theirs = append(theirs, event{e.Type, e.Data})
			}
		}
		ours = slices.DeleteFunc(ours, func(e event) bool { return e.data == "" })
		if !slices.Equal(ours, theirs) {
			t.Fatalf("%q: %q, go-sse %q", text, ours, theirs)
		}
	})
}
