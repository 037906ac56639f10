package otlp_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/output/otlp"
	"github.com/cstest/cstest/result"
)

var about = &output.About{RunID: "r-1", Scenario: "s", Plan: &measure.Plan{Slots: []measure.Slot{{Conversation: "coupon"}}}}

func tell(t *testing.T, address string) (second, turns error) {
	t.Helper()
	s, err := otlp.New(address, "", about)
	if err != nil {
		t.Fatal(err)
	}
	second = s.Take(t.Context(), &output.Second{At: time.Now(), Elapsed: time.Second})
	turns = s.Turns(t.Context(), make([]output.Turn, 3))
	if err := s.End(t.Context(), nil); err != nil {
		t.Error(err)
	}
	return second, turns
}

func message(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whatever a collector answers that does not mean that it took what it was told is an
// error which says so; none is a panic, and none shows a password.
func TestCollectorsThatDoNotTakeIt(t *testing.T) {
	some := func(m proto.Message) http.HandlerFunc {
		b := message(t, m)
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(b)
		}
	}
	for name, c := range map[string]struct {
		handler       http.HandlerFunc
		second, turns string // parts of the errors; empty: it was taken
	}{
		"takes it":         {func(http.ResponseWriter, *http.Request) {}, "", ""},
		"takes it in JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"partialSuccess":{}}`)) }, "", ""},
		"400":              {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad\x1b[2J", http.StatusBadRequest) }, `/v1/metrics answers 400 Bad Request: "bad\x1b[2J\n"`, "/v1/traces answers 400"},
		"401":              {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "answers 401 Unauthorized", "answers 401"},
		"404":              {http.NotFound, "answers 404", "answers 404"},
		"503":              {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "answers 503", "answers 503"},
		"leads elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
		}, "answers 307", "answers 307"},
		"endless answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(make([]byte, 1<<20))
		}, "answers 500", "answers 500"},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("x"))
			panic(http.ErrAbortHandler)
		}, "EOF", "EOF"},
		"no message": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write([]byte{0xff, 0xff})
		}, "is it a collector?", "is it a collector?"},
		"rejects points": {some(&collectormetrics.ExportMetricsServiceResponse{PartialSuccess: &collectormetrics.ExportMetricsPartialSuccess{RejectedDataPoints: 7, ErrorMessage: "too old"}}), `takes 7 points of metrics not: "too old"`, "takes 7 of 3 spans not"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			second, turns := tell(t, strings.Replace(server.URL, "http://", "http://me:pa55word@", 1))
			for _, e := range []struct {
				got  error
				want string
			}{{second, c.second}, {turns, c.turns}} {
				if (e.got == nil) != (e.want == "") || e.got != nil && (!strings.Contains(e.got.Error(), e.want) || strings.Contains(e.got.Error(), "pa55word") || len(e.got.Error()) > 1000) {
					t.Errorf("%v, want %q", e.got, e.want)
				}
			}
		})
	}
}

// What a collector rejects of a batch is told as that much, not as all of it.
func TestCollectorThatRejectsSomeSpans(t *testing.T) {
	b := message(t, &collectortrace.ExportTraceServiceResponse{PartialSuccess: &collectortrace.ExportTracePartialSuccess{RejectedSpans: 2, ErrorMessage: "no room"}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(b)
	}))
	defer server.Close()
	_, err := tell(t, server.URL)
	if part, ok := errors.AsType[*output.PartError](err); !ok || part.Turns != 2 || err.Error() != `the collector takes 2 of 3 spans not: "no room"` {
		t.Errorf("%v", err)
	}
}

// One that is down, or takes a connection and says nothing, is an error too; the
// latter when its time is over.
func TestCollectorsThatAreNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := otlp.New("http://"+l.Addr().String(), "", about)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Take(ctx, &output.Second{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Take(t.Context(), &output.Second{}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("down: %v", err)
	}
	if err := s.End(t.Context(), &result.Document{Verdict: "pass"}); err == nil {
		t.Error("the verdict is told to nobody")
	}
}

func TestAddressesAndHeaders(t *testing.T) {
	for _, address := range []string{"", "collector:4318", "ftp://h", "http://", "http://h:4318/v1/metrics", "https://h/v1/traces/", "http://h:x"} {
		if _, err := otlp.New(address, "", about); err == nil {
			t.Errorf("taken: %s", address)
		}
	}
	for _, headers := range []string{"novalue", "a=b,c", "a=%zz", "a b=c", "=x", "a=%0a"} {
		_, err := otlp.New("http://h:4318", headers, about)
		if err == nil || !strings.HasPrefix(err.Error(), "OTEL_EXPORTER_OTLP_HEADERS: ") || strings.Contains(err.Error(), "zz") {
			t.Errorf("headers %q: %v", headers, err)
		}
	}
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.RequestURI()+" "+r.Header.Get("X-Key"))
	}))
	defer server.Close()
	s, err := otlp.New(server.URL+"/otel/?tenant=a", " x-key = a%3Db , ", about)
	if err == nil {
		err = s.Take(t.Context(), &output.Second{})
	}
	if err != nil || len(paths) != 1 || paths[0] != "/otel/v1/metrics?tenant=a a=b" {
		t.Errorf("%v, %v", paths, err)
	}
}
