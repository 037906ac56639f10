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

// asking is a view whose mock LLM answers as answer does.
func asking(t *testing.T, answer http.HandlerFunc) *view {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	v := &view{mock: servers.NewMock(server.URL, servers.Access{})}
	v.open, v.close = context.WithCancel(context.Background())
	t.Cleanup(v.close)
	return v
}

func TestAskKeepsWhatTheMockTold(t *testing.T) {
	v := asking(t, func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `{"epoch_set": true, "calls": 40, "before_epoch": 2, "per_second": [{"t_s": 0, "calls": 40}]}`)
	})
	v.ask()
	v.asked.Wait()
	f := v.told.Load()
	if f == nil || !f.LLMKnown || f.LLMCalls != 42 || len(f.Calls) != 1 || f.Calls[0] != (measure.CallSecond{Second: 0, Calls: 40}) {
		t.Errorf("told %+v", f)
	}
}

func TestAskNeitherWaitsNorPilesUp(t *testing.T) {
	arrived, requests := make(chan struct{}, 10), 0
	v := asking(t, func(_ http.ResponseWriter, r *http.Request) {
		requests++ // one at a time: what is under test
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	for range 5 {
		v.ask()
	}
	<-arrived
	v.close()
	v.asked.Wait()
	if requests != 1 || v.told.Load() != nil {
		t.Errorf("%d requests while one was open, told %v", requests, v.told.Load())
	}
	(&view{}).ask() // no mock, nothing to ask
}
