package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus are the lines of a part of testdata/canned: those that stand in for an
// answer, and answers.
func corpus(t *testing.T, part string) (canned, answers []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "canned", part+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var to *[]string
	for line := range strings.Lines(string(raw)) {
		switch line = strings.TrimSpace(line); line {
		case "# stand in for an answer":
			to = &canned
		case "# are answers":
			to = &answers
		default:
			*to = append(*to, line)
		}
	}
	return canned, answers
}

// Half of the lines the patterns were written by, the other half nobody looked at
// meanwhile: only that half says what they are worth. Lines went to the halves by
// lot; whoever changes the patterns does so by what tuned.txt shows.
func TestCannedLinesOfACorpus(t *testing.T) {
	for _, part := range []struct {
		name          string
		caught, alarm int // at least, at most
	}{
		{"tuned", 95, 0},
		{"held-out", 90, 3},
	} {
		canned, answers := corpus(t, part.name)
		caught, alarms := 0, 0
		for _, line := range canned {
			if standsIn([]byte(line)) {
				caught++
			} else if part.name == "tuned" {
				t.Logf("missed: %s", line)
			}
		}
		for _, line := range answers {
			if standsIn([]byte(line)) {
				alarms++
				if part.name == "tuned" {
					t.Logf("false alarm: %s", line)
				}
			}
		}
		t.Logf("%s: %d of %d caught, %d of %d false alarms", part.name, caught, len(canned), alarms, len(answers))
		if caught < part.caught || alarms > part.alarm {
			t.Errorf("%s: %d of %d caught, %d false alarms in %d; want at least %d and at most %d", part.name, caught, len(canned), alarms, len(answers), part.caught, part.alarm)
		}
	}
}
