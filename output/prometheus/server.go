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
	collector *collector
	server    *http.Server
	served    sync.WaitGroup
	address   string

	mu       sync.Mutex
	last     time.Time     // of the scrapes
	interval time.Duration // between the last two
	over     atomic.Bool   // the verdict is shown
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
	s := &Server{collector: &collector{about: about}, address: l.Addr().String(), scraped: make(chan struct{}, 1)}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.collector)
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		over := s.over.Load() // before the answer is made
		metrics.ServeHTTP(w, r)
		s.note(time.Now(), over)
	})
	s.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	s.served.Go(func() { _ = s.server.Serve(l) }) // ends with Close
	return s, nil
}

// Address is where it listens.
func (s *Server) Address() string { return s.address }

// note remembers a scrape, and whether it has seen the verdict.
func (s *Server) note(at time.Time, over bool) {
	s.mu.Lock()
	if !s.last.IsZero() {
		s.interval = at.Sub(s.last)
	}
	s.last = at
	s.mu.Unlock()
	if !over {
		return
	}
	select {
	case s.scraped <- struct{}{}:
	default:
	}
}

// Take shows a second to the scrapes that come.
func (s *Server) Take(_ context.Context, second *output.Second) error {
	s.collector.now.Store(&shown{second: second})
	return nil
}

// Turns takes none.
func (s *Server) Turns(context.Context, []output.Turn) error { return nil }

// End shows the verdict, waits for a scrape to have seen it where there were scrapes,
// twice the time between two of them at most but a second at least, and ends the server.
func (s *Server) End(ctx context.Context, doc *result.Document) error {
	if now := s.collector.now.Load(); now != nil && doc != nil {
		s.collector.now.Store(&shown{now.second, doc.Verdict})
		s.over.Store(true)
		s.await(ctx)
	}
	err := s.server.Close()
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
	now   atomic.Pointer[shown]
}

// Describe describes nothing: which series there are, the run decides.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect gives every series.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	now := c.now.Load()
	if now == nil {
		now = &shown{second: &output.Second{}}
	}
	for _, f := range now.second.FamiliesUntil(c.about, now.verdict) {
		for i := range f.Samples {
			to <- metricOf(&f, &f.Samples[i], c.about)
		}
	}
}
