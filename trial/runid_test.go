package trial

import (
	"regexp"
	"testing"
	"time"
)

func TestRunIDs(t *testing.T) {
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.FixedZone("", 8*3600))
	for name, want := range map[string]string{
		"midnight-sale": `^midnight-sale-20261110T160000Z-[0-9a-f]{8}$`,
		"双十一-sale":      `^sale-20261110T160000Z-[0-9a-f]{8}$`,
		"双十一":           `^20261110T160000Z-[0-9a-f]{8}$`,
		"a/b\r\nc":      `^abc-20261110T160000Z-[0-9a-f]{8}$`,
	} {
		if id := NewRunID(name, at); !regexp.MustCompile(want).MatchString(id) || id == NewRunID(name, at) {
			t.Errorf("%s: %s", name, id)
		}
	}
	same := RunIDOfShards("x", "scenario", 3, at)
	if same != RunIDOfShards("x", "scenario", 3, at.UTC()) || !regexp.MustCompile(`^x-20261110T160000Z-[0-9a-f]{8}$`).MatchString(same) {
		t.Errorf("shards of one run: %s", same)
	}
	for _, other := range []string{
		RunIDOfShards("x", "scenario2", 3, at), RunIDOfShards("x", "scenario", 2, at), RunIDOfShards("x", "scenario", 3, at.Add(time.Millisecond)),
	} {
		if other == same {
			t.Errorf("another run is %s, too", other)
		}
	}
}
