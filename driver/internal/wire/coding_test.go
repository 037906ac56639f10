package wire

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/cstest/cstest/template"
)

// plain undoes the codings that a content-encoding names.
func plain(contentEncoding, body string, most int) ([]byte, Fault) {
	var x Exchange
	x.Head.Reset()
	x.Head.Status, x.Body, x.accept = 200, []byte(body), Accept{true, true}
	x.Head.codings.add([]byte(contentEncoding))
	f := x.Decompress(&Limits{Body: most, Ratio: 1000})
	return x.Body, f
}

func TestDecompress(t *testing.T) {
	packed := func(coding, text string) string {
		var b bytes.Buffer
		z := writers[coding](&b)
		io.WriteString(z, text) //nolint:errcheck // memory
		z.Close()
		return b.String()
	}
	for coding := range writers {
		if got, f := plain(coding, packed(coding, "text"), 100); f.Bad() || string(got) != "text" {
			t.Errorf("%s: %q %v", coding, got, f)
		}
		bomb := packed(coding, strings.Repeat("a", 2<<20))
		if got, f := plain(coding, bomb, 1<<18); f.Reason != Oversized || len(got) != len(bomb) {
			t.Errorf("%s bomb: %d bytes, %v", coding, len(got), f)
		}
	}
	layers := packed("br", packed("gzip", packed("deflate", "text")))
	if got, f := plain("deflate, gzip,br", layers, 1<<20); f.Bad() || string(got) != "text" {
		t.Errorf("layers: %q %v", got, f)
	}
	if _, f := plain("gzip, gzip, gzip, gzip", "x", 100); f.Reason != Malformed || f.Message != "the body is compressed more than three times over" {
		t.Errorf("four layers: %v", f)
	}
	for _, coding := range []string{"", "identity", "Identity,", "lzma", "gzip, lzma"} {
		if got, f := plain(coding, "x", 100); f.Bad() || string(got) != "x" {
			t.Errorf("%q: %q %v", coding, got, f)
		}
	}
}

func TestAccepted(t *testing.T) {
	for value, want := range map[string]Accept{
		"":                      {},
		"gzip, deflate":         {},
		"gzip, deflate, br":     {Brotli: true},
		"zstd;q=0.5, BR;q=0.1":  {true, true},
		"br;q=0, zstd; q=0.000": {},
		"*":                     {true, true},
		"*;q=0":                 {},
	} {
		fields := []Field{{Name: "accept", Value: template.Raw[Values]("br")}, {Name: "accept-encoding", Value: template.Raw[Values](value)}}
		if got := Accepted(fields); got != want {
			t.Errorf("%q: %+v, want %+v", value, got, want)
		}
	}
	if got := Accepted(nil); got != (Accept{}) {
		t.Errorf("no field: %+v", got)
	}
}
