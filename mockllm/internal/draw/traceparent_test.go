package draw

import (
	"strings"
	"testing"
)

func TestTraceparent(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if k, ok := ParseTraceparent([]byte(good)); !ok || k[0] != 0x0a || k[15] != 0x9c {
		t.Errorf("%x %v", k, ok)
	}
	if _, ok := ParseTraceparent([]byte("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later")); !ok {
		t.Error("a later version is to be read as far as it is known")
	}
	for _, bad := range []string{
		"", "00", strings.ToUpper(good), good + "0", good + "-x", "ff" + good[2:], strings.Repeat("0", 55),
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", "cc" + good[2:] + "later",
	} {
		if k, ok := ParseTraceparent([]byte(bad)); ok {
			t.Errorf("%q read as %x", bad, k)
		}
	}
}
