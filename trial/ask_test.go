package trial

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/trial/servers"
)

// asking is a watch whose mock LLM answers as answer does.
func asking(t *testing.T, answer http.HandlerFunc) *watch {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	w := &watch{t: &attempt{servers: &servers.Set{Mock: servers.NewMock(server.URL)}}}
	w.open, w.close = context.WithCancel(context.Background())
	t.Cleanup(w.close)
	return w
}

func TestAskKeepsWhatTheMockTold(t *testing.T) {
	w := asking(t, func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `{"epoch_set": true, "calls": 40, "before_epoch": 2, "per_second": [{"t_s": 0, "calls": 40}]}`)
	})
	w.ask()
	w.asked.Wait()
	f := w.told.Load()
	if f == nil || !f.LLMKnown || f.LLMCalls != 42 || len(f.Calls) != 1 || f.Calls[0] != (measure.CallSecond{Second: 0, Calls: 40}) {
		t.Errorf("told %+v", f)
	}
}

func TestAskNeitherWaitsNorPilesUp(t *testing.T) {
	arrived, requests := make(chan struct{}, 10), 0
	w := asking(t, func(_ http.ResponseWriter, r *http.Request) {
		requests++ // one at a time: what is under test
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	for range 5 {
		w.ask()
	}
	<-arrived
	w.close()
	w.asked.Wait()
	if requests != 1 || w.told.Load() != nil {
		t.Errorf("%d requests while one was open, told %v", requests, w.told.Load())
	}
	(&watch{t: &attempt{servers: &servers.Set{}}}).ask() // no mock, nothing to ask
}
