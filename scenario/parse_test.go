package scenario

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/scenarios"
)

func TestBuiltins(t *testing.T) {
	for _, name := range scenarios.Names() {
		text, _ := scenarios.Get(name)
		s, err := Parse(name, text, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Name != name {
			t.Errorf("%s calls itself %s", name, s.Name)
		}
		for _, w := range s.Warnings() {
			t.Errorf("%s warns: %s", name, w)
		}
	}
}

func TestExample(t *testing.T) {
	s, err := Parse("cstest.yaml", Example(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w := s.Warnings(); len(w) > 0 {
		t.Errorf("warns: %v", w)
	}
	if s.Target.API != APICustom || s.Checks.Memory != Off || s.LLM != nil {
		t.Errorf("target %+v, checks %+v, llm %+v", s.Target, s.Checks, s.LLM)
	}
	roundTrip(t, s, Options{})
	// What is commented out must be right too when it is uncommented.
	text := string(Example())
	for _, line := range []string{
		"# ok: ", "# tier: ", "# stream: ", "# auth: {bearer", "# headers: ", "# llm:", "#   listen: ", "#   latency: ", "#   faults:", "#     - {name: storm",
		"# expect: ", "# checks:", "#   memory: on", "# full_quality: ", "# recovery: ",
	} {
		if strings.Count(text, line) != 1 {
			t.Fatalf("the example has not one %q", line)
		}
		text = strings.Replace(text, line, strings.TrimPrefix(line, "# "), 1)
	}
	if _, err := Parse("cstest.yaml", []byte(text), Options{}); err != nil {
		t.Errorf("uncommented: %v\n%s", err, text)
	}
}
