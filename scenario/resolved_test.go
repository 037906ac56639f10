package scenario

import (
	"testing"

	"github.com/cstest/cstest/scenarios"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// roundTrip checks that a scenario printed and parsed is the same scenario.
func roundTrip(t interface{ Fatalf(string, ...any) }, s *Scenario, opt Options) {
	text, err := s.Resolved()
	if err != nil {
		t.Fatalf("resolved: %v", err)
	}
	opt.Set = nil
	again, err := Parse("resolved", text, opt)
	if err != nil {
		t.Fatalf("%s\ndoes not parse: %v", text, err)
	}
	if diff := cmp.Diff(s, again, cmpopts.IgnoreUnexported(Scenario{})); diff != "" {
		t.Fatalf("%s\nis another scenario: %s", text, diff)
	}
	twice, err := again.Resolved()
	if err != nil || string(twice) != string(text) {
		t.Fatalf("printed twice: %v\n%s\n---\n%s", err, text, twice)
	}
}

func builtin(t testing.TB, name string, set ...string) *Scenario {
	t.Helper()
	text, ok := scenarios.Get(name)
	if !ok {
		t.Fatalf("no built-in %s", name)
	}
	s, err := Parse(name+".yaml", text, Options{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResolvedBuiltins(t *testing.T) {
	for _, name := range scenarios.Names() {
		s := builtin(t, name)
		roundTrip(t, s, Options{})
	}
}

func mustGet(t interface{ Fatalf(string, ...any) }, name string) []byte {
	text, ok := scenarios.Get(name)
	if !ok {
		t.Fatalf("no built-in %s", name)
	}
	return text
}
