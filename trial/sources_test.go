package trial

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
)

// Where the load comes from more addresses than the usual one, that is said.
func TestManySourcesAreSaid(t *testing.T) {
	for _, tt := range []struct {
		name, target string
		users        string
		local        bool
		want         string
	}{
		{"few", "{url: \"http://127.0.0.1:1\"}", "3000", true, ""},
		{"many", "{url: \"http://127.0.0.1:1\"}", "25k", true, "the load comes from 3 more loopback addresses"},
		{"many by name", "{url: \"http://localhost:1\"}", "25k", true, "beyond 10,000 connections"},
		{"kept to one", "{url: \"http://127.0.0.1:1\", sources: off}", "25k", true, ""},
		{"far", "{url: \"http://10.0.0.1:1\"}", "25k", false, ""},
		{"this machine by another address", "{url: \"http://10.0.0.1:1\"}", "25k", true, ""},
		{"shared", "{url: \"http://127.0.0.1:1\", connections: shared}", "25k", true, ""},
	} {
		s := parse(t, tt.target, "{stages: [{name: s, for: 10s, users: "+tt.users+"}]}")
		a := newAttempt(&Options{Scenario: s})
		a.local = tt.local
		text := ""
		if what, many := a.manySources(); many {
			text = what.Text(reason.English)
		}
		if tt.want == "" && text != "" || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.want)
		}
	}
}
