package scenarios

import (
	"bufio"
	"bytes"
	"strings"
)

// Header is what a built-in scenario says of itself in the comment that it
// begins with.
type Header struct {
	Question  string // key of the question that it answers
	Proves    string
	ProvesZh  string
	Verdict   string // the verdict it must end with, or Measures
	Costs     string
	Takes     string
	Shortened string // the --set arguments of its short form, where it has one
}

// Measures stands for the verdict of a scenario that measures a machine: whatever
// it is, it comes from evidence.
const Measures = "measures the machine"

// HeaderOf reads the header of a built-in scenario; the zero Header when there is
// none of that name.
func HeaderOf(name string) Header {
	text, _ := Get(name)
	var h Header
	fields := map[string]*string{
		"Question": &h.Question, "Proves": &h.Proves, "证明": &h.ProvesZh, "Verdict": &h.Verdict,
		"Costs": &h.Costs, "Takes": &h.Takes, "Shortened": &h.Shortened,
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		comment, ok := strings.CutPrefix(lines.Text(), "# ")
		if !ok && lines.Text() != "#" {
			break
		}
		key, value, _ := strings.Cut(comment, ": ")
		if field := fields[key]; field != nil {
			*field = value
		}
	}
	return h
}
