package trial

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

func TestIdentityOfATarget(t *testing.T) {
	var mu sync.Mutex
	var seen []*http.Request
	header, status := http.Header{"Server": {"chat/1.4"}, "X-Build": {"a1b2"}, "Date": {"today"}}, http.StatusNotFound
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r)
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
	})
	for _, srv := range []*httptest.Server{httptest.NewServer(handler), httptest.NewTLSServer(handler)} {
		defer srv.Close()
		_, address, _ := strings.Cut(srv.URL, "://")
		seen, status = nil, http.StatusNotFound
		port := address[strings.LastIndexByte(address, ':'):]
		i := newIdentity(&scenario.Target{
			URL:     strings.Replace(srv.URL, "://"+address, "://user:sesame@chat.example"+port+"/v1?key=sesame", 1),
			Resolve: map[string]string{"chat.example" + port: address},
			Headers: map[string]string{"x-stress-test": "1", "x-key": "${env:KEY}"},
		})
		defer i.client.CloseIdleConnections()
		who, ok := i.ask(patient(t))
		if !ok || who != "Server: chat/1.4, X-Build: a1b2" {
			t.Errorf("%s: %q %v", srv.URL, who, ok)
		}
		r := seen[0]
		if r.Method != http.MethodHead || r.URL.Path != "/v1" || r.URL.RawQuery != "" || r.Header.Get("Authorization") != "" || r.Header.Get("x-stress-test") != "1" || r.Header.Get("x-key") != "" {
			t.Errorf("asked with %s %s %v", r.Method, r.URL, r.Header)
		}
		for _, gateway := range []int{429, 500, 502, 503, 504} {
			if status = gateway; true {
				if who, ok := i.ask(patient(t)); ok {
					t.Errorf("%d is taken for the target: %q", gateway, who)
				}
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, ok := newIdentity(&scenario.Target{URL: "http://127.0.0.1:1"}).ask(ctx); ok {
		t.Error("nobody is somebody")
	}
	for _, url := range []string{"", "not a url", "http://%zz"} {
		if newIdentity(&scenario.Target{URL: url}) != nil {
			t.Errorf("%q can be asked", url)
		}
	}
}

func TestIdentityIsLostWhenAnotherAnswersToTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers string // one letter a second; a is who answered before the load
		second  string // from which, "" none
		warns   bool
	}{
		{"always the same", "aaaa", "", false},
		{"nobody asked", "", "", false},
		{"the last answer only", "aaab", "", true},
		{"another from the third on", "aabb", "second 3", false},
		{"another, then a third", "aabc", "second 3", false},
		{"a fleet of two", "abab", "", true},
		{"a fleet of two, two in a row", "abba", "", true},
		{"from the beginning", "bbbb", "second 1", false},
		{"came back and went", "abbaabb", "second 6", false},
	} {
		i := &identity{first: "a"}
		for n, c := range tt.answers {
			i.saw(string(c), time.Duration(n)*time.Second+time.Millisecond)
		}
		incident, ok := i.incident()
		if ok != (tt.second != "") || ok && (incident.Kind != measure.OtherTarget || !strings.Contains(incident.What.String(), "a different SUT answered from "+tt.second+":")) {
			t.Errorf("%s: %+v %v", tt.name, incident, ok)
		}
		if warning, warns := i.warning(); warns != tt.warns {
			t.Errorf("%s: warning %q", tt.name, warning)
		}
	}
	var nobody *identity
	_, another := nobody.incident()
	if _, warns := nobody.warning(); another || warns {
		t.Error("a target that is ours became another")
	}
	nobody.watch(time.Now())()
}

// A target that switches protocols unasked does not hold the run up: nothing is read
// from a connection that is no HTTP any more.
func TestIdentityOfATargetThatSwitches(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n") // Flush tells
		if err := rw.Flush(); err != nil {
			t.Error(err)
		}
		_, _ = rw.ReadByte() // until the client leaves
	}))
	defer srv.Close()
	if who, ok := newIdentity(&scenario.Target{URL: srv.URL}).ask(patient(t)); ok {
		t.Errorf("%q", who)
	}
}
