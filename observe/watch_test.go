package observe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/observe"
	"github.com/cstest/cstest/scenario"
)

func same(s string) string { return s }

// check asks once for what is written under observe, at a server that answers with handler.
func check(t *testing.T, handler http.HandlerFunc, list string) string {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	w, err := observe.New(parse(t, server.URL, list), same)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	return w.Check(t.Context()).String()
}

func parse(t *testing.T, url, list string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("x", []byte(`version: 1
name: x
target: {url: "http://127.0.0.1:1"}
observe: [`+strings.ReplaceAll(list, "URL", url)+`]
load: {stages: [{name: s, for: 10s, starts: 5/s}]}
conversations: [{name: c, turns: [{say: hi}]}]
sla: {availability: 99%}
`), scenario.Options{Env: func(name string) (string, bool) { return "secret-" + name, true }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

const metrics = `# TYPE pool gauge
pool{state="in_use",host="a"} 3
pool{state="in_use",host="b"} 4
pool{state="idle",host="a"} 90
# TYPE op_seconds histogram
op_seconds_bucket{le="+Inf"} 8
op_seconds_sum 2.5
op_seconds_count 8
nothing NaN
`

func TestWhatCannotBeSeenIsSaid(t *testing.T) {
	answer := func(of, result string) string {
		return fmt.Sprintf(`{"status":"success","data":{"resultType":%q,"result":%s}}`, of, result)
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		asked   string
		want    string
	}{
		"scraped":        {says(metrics), `{name: fig, url: "URL", metric: pool, labels: {state: in_use}}`, ""},
		"a count":        {says(metrics), `{name: fig, url: "URL", metric: op_seconds_count}`, ""},
		"no such label":  {says(metrics), `{name: fig, url: "URL", metric: pool, labels: {state: broken}}`, "has no series pool with these labels"},
		"no such metric": {says(metrics), `{name: fig, url: "URL", metric: poll}`, "has no series poll"},
		"not a number":   {says(metrics), `{name: fig, url: "URL", metric: nothing}`, "the value is NaN"},
		"a web page":     {says("<html>"), `{name: fig, url: "URL", metric: pool}`, "not in the Prometheus text format"},
		"status":         {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, `{name: fig, url: "URL", metric: pool}`, "answers 503"},
		"a redirect":     {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, `{name: fig, url: "URL", metric: pool}`, "answers 302"},
		"too much":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 9<<20)) }, `{name: fig, url: "URL", metric: pool}`, "more than 8 MiB"},
		"one series":     {says(answer("vector", `[{"metric":{},"value":[1,"0.5"]}]`)), `{name: fig, url: "URL", promql: up}`, ""},
		"a scalar":       {says(answer("scalar", `[1,"0.5"]`)), `{name: fig, url: "URL", promql: "1"}`, ""},
		"two series":     {says(answer("vector", `[{"value":[1,"1"]},{"value":[1,"2"]}]`)), `{name: fig, url: "URL", promql: up}`, "gives 2 series, not one"},
		"a matrix":       {says(answer("matrix", `[]`)), `{name: fig, url: "URL", promql: up}`, "gives a matrix"},
		"a bad value":    {says(answer("scalar", `[1,2]`)), `{name: fig, url: "URL", promql: up}`, "the value is"},
		"an error": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"status":"error","error":"parse error"}`))
		}, `{name: fig, url: "URL", promql: "("}`, "Prometheus says: parse error"},
		"no JSON": {says("oops"), `{name: fig, url: "URL", promql: up}`, "not an answer of Prometheus"},
	} {
		if got := check(t, tt.handler, tt.asked); tt.want == "" != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: said %q, want %q", name, got, tt.want)
		}
	}
}

func TestHeadersAndExpressionAreSent(t *testing.T) {
	var got atomic.Pointer[http.Request]
	said := check(t, func(w http.ResponseWriter, r *http.Request) {
		got.Store(r)
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`))
	}, `{name: fig, url: "URL/prom/", promql: 'sum(x{a="b"})', headers: {authorization: "Bearer ${env:TOKEN}"}}`)
	r := got.Load()
	if said != "" || r.URL.Path != "/prom/api/v1/query" || r.URL.Query().Get("query") != `sum(x{a="b"})` || r.Header.Get("Authorization") != "Bearer secret-TOKEN" {
		t.Errorf("said %q, asked %s with %v", said, r.URL, r.Header)
	}
}

// A second of the load has what was seen when it began; a rate needs two.
func TestSecondsHoldWhatWasSeen(t *testing.T) {
	var asked atomic.Int64
	third := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		if r.Header.Get("X-Which") == "rate" {
			_, _ = fmt.Fprintf(w, "# TYPE c counter\nc %d\n", 1000*n)
			return
		}
		_, _ = w.Write([]byte("g 7\n"))
		if n >= 6 {
			select {
			case <-third:
			default:
				close(third)
			}
		}
	}))
	defer server.Close()
	w, err := observe.New(parse(t, server.URL, `{name: gauge, url: "URL", metric: g, unit: x}, {name: rate, url: "URL", metric: c, rate: true, headers: {x-which: "rate"}}`), same)
	if err != nil {
		t.Fatal(err)
	}
	w.Start(time.Now())
	<-third
	w.Stop()
	told := w.Told()
	g, r := told[0], told[1]
	news := w.News()
	if len(news) != 2 || len(news[0].Values) != len(g.Values) || news[1].Asked != r.Asked || len(w.News()) != 0 {
		t.Errorf("news %+v, want all of it once", news)
	}
	if g.Name != "gauge" || g.Unit != "x" || len(g.Values) < 2 || g.Values[0].Second != 0 || g.Values[0].Value != 7 || g.Values[1].Second != 1 {
		t.Errorf("gauge %+v", g)
	}
	if r.Asked < 2 || len(r.Values) != int(r.Asked)-1 || r.Values[0].Second != 1 || r.Values[0].Value < 500 || r.Values[0].Value > 5000 {
		t.Errorf("rate %+v", r)
	}
}

func TestNothingToSee(t *testing.T) {
	w, err := observe.New(&scenario.Scenario{}, same)
	if w != nil || err != nil || w.Check(t.Context()) != nil || w.Told() != nil || w.News() != nil {
		t.Error(w, err)
	}
	w.Start(time.Now())
	w.Stop()
}
