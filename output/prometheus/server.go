// Package prometheus lets Prometheus scrape a run while it is under way. Histograms
// have native buckets for those who ask for protobuf, and classic ones for the rest.
package prometheus

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/result"
)

// Server is an endpoint to scrape. It is an output.Sink; scrapes are served beside.
type Server struct {
	about   *output.About
	now     atomic.Pointer[shown]
	server  *http.Server
	served  sync.WaitGroup
	address string

	mu       sync.Mutex
	last     time.Time     // of the scrapes
	interval time.Duration // between the last two
	scraped  chan struct{} // holds one, once a scrape has seen it
}

// shortest is how long the end waits for a scrape where there were some: they may come
// faster than a verdict is made ready.
const shortest = time.Second

// Longest is how long the end may wait for a scrape.
const Longest = time.Minute

// Listen begins to serve /metrics at an address.
func Listen(address string, about *output.About) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{about: about, address: l.Addr().String(), scraped: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.metrics)
	s.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	s.served.Go(func() { _ = s.server.Serve(l) }) // ends with Close
	return s, nil
}

// Address is where it listens.
func (s *Server) Address() string { return s.address }

// metrics answers a scrape with what is shown when it comes, and notes that.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	s.note(time.Now()) // before the answer: who has it may end the run
	now := s.now.Load()
	if now == nil {
		now = &shown{second: &output.Second{}}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&collector{s.about, now})
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{Timeout: 10 * time.Second}).ServeHTTP(w, r)
	if now.verdict == "" {
		return
	}
	select {
	case s.scraped <- struct{}{}:
	default:
	}
}

// note remembers when a scrape came.
func (s *Server) note(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() {
		s.interval = at.Sub(s.last)
	}
	s.last = at
}

// Take shows a second to the scrapes that come.
func (s *Server) Take(_ context.Context, second *output.Second) error {
	s.now.Store(&shown{second: second})
	return nil
}

// Turns takes none.
func (s *Server) Turns(context.Context, []output.Turn) error { return nil }

// End shows the verdict, waits for a scrape to have seen it where there were scrapes,
// twice the time between two of them at most but a second at least, and ends the server.
func (s *Server) End(ctx context.Context, doc *result.Document) error {
	if now := s.now.Load(); now != nil && doc != nil {
		s.now.Store(&shown{now.second, doc.Verdict})
		s.await(ctx)
	}
	// What is being answered is written whole.
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), shortest)
	defer cancel()
	err := s.server.Shutdown(soon)
	if err != nil {
		err = s.server.Close()
	}
	s.served.Wait()
	return err
}

func (s *Server) await(ctx context.Context) {
	s.mu.Lock()
	interval := s.interval
	if interval == 0 && !s.last.IsZero() {
		interval = Longest // there was one scrape: who knows when the next is
	}
	s.mu.Unlock()
	if interval == 0 {
		return
	}
	timer := time.NewTimer(min(max(2*interval, shortest), Longest))
	defer timer.Stop()
	select {
	case <-s.scraped:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// shown is what a scrape sees.
type shown struct {
	second  *output.Second
	verdict string
}

// collector is a prometheus.Collector of what is shown.
type collector struct {
	about *output.About
	now   *shown
}

// Describe describes nothing: which series there are, the run decides.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect gives every series.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	for _, f := range c.now.second.FamiliesUntil(c.about, c.now.verdict) {
		for i := range f.Samples {
			to <- metricOf(&f, &f.Samples[i], c.about)
		}
	}
}
