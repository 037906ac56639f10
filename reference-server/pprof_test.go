package refserver

import "testing"

// Profiles are there only for who asked for them, and only on the admin side.
func TestProfilesAreAskedFor(t *testing.T) {
	l := newScriptedLLM(t)
	for _, on := range []bool{false, true} {
		s := startServer(t, l.url, func(c *Config) { c.Pprof = on })
		want := 404
		if on {
			want = 200
		}
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap"} {
			if r := send(t, "GET", s.AdminURL()+path, "", ""); r.status != want {
				t.Errorf("pprof %v: GET %s on the admin side: %d, want %d", on, path, r.status, want)
			}
			if r := send(t, "GET", s.URL()+path, "", ""); r.status != 404 {
				t.Errorf("pprof %v: GET %s on the public side: %d, want 404", on, path, r.status)
			}
		}
	}
}
