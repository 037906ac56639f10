package transport

import (
	"io"
	"strings"
	"testing"
)

func TestPromisedBodyAllocatesNothing(t *testing.T) {
	c := &h1conn{scratch: &scratch{}}
	r := io.LimitReader(strings.NewReader("{}"), 60<<20)
	if err := c.readFull(r, 60<<20, true); err == nil || cap(c.body) > 64 {
		t.Errorf("%v with a buffer of %d bytes for 2", err, cap(c.body))
	}
}
