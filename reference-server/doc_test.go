package refserver

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The walk through the rooms names every room, and no file that is not there.
func TestTheWalkNamesWhatIsThere(t *testing.T) {
	b, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	walk := string(b)
	files := regexp.MustCompile(`[\w/]+\.go`).FindAllString(walk, -1)
	if len(files) < 20 {
		t.Errorf("%d files named, want the walk of 20 or more", len(files))
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Errorf("it names %s: %v", f, err)
		}
	}
	rooms, err := filepath.Glob("*/*.go")
	if err != nil || len(rooms) == 0 {
		t.Fatalf("%d files in rooms: %v", len(rooms), err)
	}
	for _, f := range rooms {
		room := filepath.Dir(f)
		if !regexp.MustCompile(`(?m)^//.*\b`+room+`\b`).MatchString(walk) && !strings.HasPrefix(room, "testdata") {
			t.Errorf("it does not name the room %s", room)
		}
	}
}
