package redistest

import "testing"

// A server comes back at its address with what it kept, and without what was taken away.
func TestServerComesBack(t *testing.T) {
	s := StartKeeping(t)
	s.Tell(t, "SET", "asked", "yes")
	for _, c := range []struct {
		name  string
		lose  func()
		value string
	}{
		{"kept", func() {}, "$3"},
		{"forgotten", func() { s.Forget(t) }, "$-1"},
	} {
		s.Kill()
		if got := s.ask("PING"); got != "" {
			t.Errorf("%s: killed, it answers %q", c.name, got)
		}
		c.lose()
		s.Restart(t)
		if got := s.ask("GET", "asked"); got != c.value {
			t.Errorf("%s: %q, want %q", c.name, got, c.value)
		}
	}
}

// Two servers of one test know nothing of each other.
func TestServersAreTheirOwn(t *testing.T) {
	one, two := Start(t), Start(t)
	one.Tell(t, "SET", "asked", "yes")
	if got := two.ask("GET", "asked"); one.Addr == two.Addr || got != "$-1" {
		t.Errorf("%s and %s: %q", one.URL(), two.URL(), got)
	}
}
