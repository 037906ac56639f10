package scenario

import (
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
		t.Logf("%s %+v", name, s.Objectives())
	}
}
