package chat

import (
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/knobs"
)

func TestGrayShare(t *testing.T) {
	set, err := knobs.Profile(knobs.Hardened)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	const users = 200_000
	for i := range users {
		if groupOf("user-"+string(rune('a'+i%26))+strings.Repeat("x", i%7)+time.Duration(i).String(), &set) == gray {
			n++
		}
	}
	if share := float64(n) / users; share < 0.048 || share > 0.052 {
		t.Errorf("gray share %.4f, want 0.05", share)
	}
	set.GrayMode = "tail"
	for uid, want := range map[string]group{"u00": gray, "u04": gray, "u05": base, "u99": base, "": base, "ab": base, "用户": base, "x4": base} {
		if got := groupOf(uid, &set); got != want {
			t.Errorf("tail of %q: %s, want %s", uid, got, want)
		}
	}
}
