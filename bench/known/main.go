// Command known is a server whose latency is known: it draws one for every
// request and keeps what it really took at its own end, from when the request
// reached its kernel until the answer was handed over, so that load testers can be
// held against it. It prints its address; GET /truth tells what it did.
//
//	known -latency constant:20ms | lognormal:20ms,80ms (median, P99)
//	      -stall 1s -stall-at 4s     answers nothing for so long, so long after the first request
//	      -errors 0.02 -hangs 0.01   shares answered 500, and not at all
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// p99Deviations is how many standard deviations the 99th percentile of a normal distribution is above its median.
const p99Deviations = 2.3263478740408408

type known struct {
	median, p99     time.Duration
	stall, stallAt  time.Duration
	errors, hangs   float64
	mu              sync.Mutex
	random          *rand.Rand
	first           time.Time
	took            []time.Duration
	failed, hanging int
}

type truth struct {
	N      int     `json:"n"`
	Errors int     `json:"errors"`
	Hangs  int     `json:"hangs"`
	Mean   float64 `json:"mean_ms"`
	P50    float64 `json:"p50_ms"`
	P90    float64 `json:"p90_ms"`
	P99    float64 `json:"p99_ms"`
	P999   float64 `json:"p999_ms"`
}

func main() {
	latency := flag.String("latency", "constant:20ms", "constant:D or lognormal:MEDIAN,P99")
	k := &known{random: rand.New(rand.NewPCG(1, 2))}
	flag.DurationVar(&k.stall, "stall", 0, "length of a stall")
	flag.DurationVar(&k.stallAt, "stall-at", 4*time.Second, "when it begins")
	flag.Float64Var(&k.errors, "errors", 0, "share answered with 500")
	flag.Float64Var(&k.hangs, "hangs", 0, "share never answered")
	flag.Parse()
	if err := k.parse(*latency); err != nil {
		fmt.Fprintln(os.Stderr, "known:", err)
		os.Exit(64)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "known:", err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /truth", k.tell)
	mux.HandleFunc("/", k.answer)
	fmt.Println(listener.Addr())
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	fmt.Fprintln(os.Stderr, "known:", server.Serve(arrivals{listener}))
}

func (k *known) parse(latency string) (err error) {
	kind, figures, _ := strings.Cut(latency, ":")
	median, p99, _ := strings.Cut(figures, ",")
	if k.median, err = time.ParseDuration(median); err != nil {
		return err
	}
	k.p99 = k.median
	if kind == "lognormal" {
		k.p99, err = time.ParseDuration(p99)
	}
	return err
}

// draw gives a request its fate, and the moment before which nothing is answered.
func (k *known) draw() (latency time.Duration, fails, hangs bool, until time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if k.first.IsZero() {
		k.first = now
	}
	sigma := math.Log(float64(k.p99)/float64(k.median)) / p99Deviations
	latency = time.Duration(float64(k.median) * math.Exp(sigma*k.random.NormFloat64()))
	fate := k.random.Float64()
	fails, hangs = fate < k.errors, fate >= k.errors && fate < k.errors+k.hangs
	begin := k.first.Add(k.stallAt)
	if k.stall > 0 && now.Add(latency).After(begin) && now.Before(begin.Add(k.stall)) {
		until = begin.Add(k.stall)
	}
	return latency, fails, hangs, until
}

// connKey is under which a request's context has its connection.
type connKey struct{}

func (k *known) answer(w http.ResponseWriter, r *http.Request) {
	began := r.Context().Value(connKey{}).(*arrivalConn).arrived() //nolint:forcetypeassert // the server's only listener makes no other
	latency, fails, hangs, until := k.draw()
	if hangs {
		k.mu.Lock()
		k.hanging++
		k.mu.Unlock()
		<-r.Context().Done()
		return
	}
	due := began.Add(latency)
	if due.Before(until) {
		due = until
	}
	time.Sleep(time.Until(due))
	w.Header().Set("Content-Type", "application/json")
	if fails {
		w.WriteHeader(http.StatusInternalServerError)
	}
	fmt.Fprint(w, `{"answer":"优惠券还能用"}`)
	_ = http.NewResponseController(w).Flush() // the client may be gone
	took := time.Since(began)
	k.mu.Lock()
	defer k.mu.Unlock()
	if fails {
		k.failed++
		return
	}
	k.took = append(k.took, took)
}

func (k *known) tell(w http.ResponseWriter, _ *http.Request) {
	k.mu.Lock()
	took := slices.Clone(k.took)
	t := truth{N: len(took), Errors: k.failed, Hangs: k.hanging}
	k.mu.Unlock()
	slices.Sort(took)
	quantile := func(q float64) float64 {
		if len(took) == 0 {
			return 0
		}
		return took[int(math.Ceil(q*float64(len(took))))-1].Seconds() * 1e3
	}
	for _, d := range took {
		t.Mean += d.Seconds() * 1e3 / float64(len(took))
	}
	t.P50, t.P90, t.P99, t.P999 = quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999)
	_ = json.NewEncoder(w).Encode(t) // the client may be gone
}
