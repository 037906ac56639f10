package trial

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
)

// A target that is busy at the first turn is asked twice more, and that is said;
// one that refuses for another reason is not.
func TestPreflightAsksABusyTargetAgain(t *testing.T) {
	for _, tt := range []struct {
		name     string
		statuses []int // of one turn after the other; the last stays
		turns    int64
		said     int
		fails    string // what the refusal names
	}{
		{"503 once", []int{503, 200}, 2, 1, ""},
		{"429, then 500", []int{429, 500, 200}, 3, 2, ""},
		{"503 throughout", []int{503}, 3, 2, "status 503"},
		{"a proxy's own 5xx", []int{599, 200}, 2, 1, ""},
		{"404", []int{404, 200}, 1, 0, "status 404"},
		{"at once", []int{200}, 1, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var turns atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := int(turns.Add(1))
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.statuses[min(n, len(tt.statuses))-1])
				_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"您好。"},"finish_reason":"stop"}]}`) // the client may have left
			}))
			defer server.Close()
			s := parse(t, "{url: \""+server.URL+"\", api: openai, model: m}", "{stages: [{name: s, for: 1s, starts: 1/s}]}")
			var said []string
			o := Options{Scenario: s, Notice: func(r reason.Reason) { said = append(said, r.Text(reason.English)) }}
			o.fill()
			err := preflight(t.Context(), &o, &s.Target, []time.Duration{time.Millisecond, time.Millisecond})
			if got := turns.Load(); got != tt.turns || len(said) != tt.said {
				t.Errorf("%d turns, said %q; want %d and %d", got, said, tt.turns, tt.said)
			}
			for i, text := range said {
				if want := []string{"(turn 2 of 3 before the load)", "(turn 3 of 3 before the load)"}[i]; !strings.Contains(text, want) {
					t.Errorf("said %q, want %q", text, want)
				}
			}
			if refused := new(TargetError); tt.fails == "" && err != nil || tt.fails != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("error %v, want %q", err, tt.fails)
			}
		})
	}
}
