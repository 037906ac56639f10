package servers

import (
	"strings"
	"testing"
)

func noCanary(s string) string { return strings.ReplaceAll(s, "canary", "[redacted]") }

func TestRedactedLogHoldsBackUnfinishedLines(t *testing.T) {
	var out strings.Builder
	l := NewLog(&out, noCanary)
	for _, piece := range []string{"one can", "ary\ntwo can", "ary", " three"} {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("Write gives %d, %v", n, err)
		}
	}
	if got := out.String(); got != "one [redacted]\n" {
		t.Errorf("before the end %q", got)
	}
	l.flush()
	if got := out.String(); got != "one [redacted]\ntwo [redacted] three" {
		t.Errorf("at the end %q", got)
	}
}
