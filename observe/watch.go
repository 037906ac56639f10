// Package observe sees figures of other systems while a load runs: once a second it
// asks a Prometheus for what a PromQL expression gives, or scrapes a metric itself.
package observe

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// askWithin is how long an answer may take: what comes later is of another second.
const askWithin = 900 * time.Millisecond

// Watch asks for figures. Its methods are safe for concurrent use, but for News, which
// one goroutine calls.
type Watch struct {
	figures []*figure
	redact  func(string) string
	asking  sync.WaitGroup
	ctx     context.Context
	end     context.CancelFunc
}

// figure is one that is asked for.
type figure struct {
	scenario.Observation
	headers map[string]string // expanded
	client  *http.Client
	before  *sample // of a rate

	mu   sync.Mutex
	seen measure.Observed

	// What News told last; its caller's alone.
	told  int // values
	asked int64
}

// sample is a counter at an instant.
type sample struct {
	at    time.Time
	value float64
}

// New prepares to see what a scenario asks for; nil where it asks for nothing, and a
// nil Watch sees nothing. redact takes secrets out of what others say.
func New(s *scenario.Scenario, redact func(string) string) (*Watch, error) {
	if len(s.Observe) == 0 {
		return nil, nil
	}
	w := &Watch{redact: redact}
	w.ctx, w.end = context.WithCancel(context.Background())
	for _, o := range s.Observe {
		f := &figure{Observation: o, headers: map[string]string{}, client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 1, MaxResponseHeaderBytes: 64 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
		f.seen = measure.Observed{Name: o.Name, Unit: o.Unit}
		for name, text := range o.Headers {
			value, err := s.Expand(text)
			if err != nil {
				return nil, err
			}
			f.headers[name] = value
		}
		w.figures = append(w.figures, f)
	}
	return w, nil
}

// Check asks for every figure once, and gives what is wrong with those that cannot be seen.
func (w *Watch) Check(ctx context.Context) (wrong reason.Reasons) {
	if w == nil {
		return nil
	}
	errs := make([]error, len(w.figures))
	var asking sync.WaitGroup
	for i, f := range w.figures {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 5*askWithin)
			defer cancel()
			_, errs[i] = f.ask(ctx)
		})
	}
	asking.Wait()
	for i, err := range errs {
		if err != nil {
			wrong = append(wrong, reason.New(reason.ObserveFailed, w.figures[i].Name, w.redact(err.Error())))
		}
	}
	return wrong
}

// Start begins to ask, at base and every second from then on.
func (w *Watch) Start(base time.Time) {
	if w == nil {
		return
	}
	for _, f := range w.figures {
		w.asking.Go(func() { w.watch(f, base) })
	}
}

func (w *Watch) watch(f *figure, base time.Time) {
	for next := 0; ; next++ {
		timer := time.NewTimer(time.Until(base.Add(time.Duration(next) * time.Second)))
		select {
		case <-w.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		ctx, cancel := context.WithTimeout(w.ctx, askWithin)
		at := time.Now()
		v, err := f.ask(ctx)
		cancel()
		if w.ctx.Err() != nil {
			return
		}
		f.keep(next, at, v, err, w.redact)
		next = max(next, int(time.Since(base)/time.Second)) // a machine that slept has missed some
	}
}

// keep notes what was told of a second.
func (f *figure) keep(second int, at time.Time, v float64, err error, redact func(string) string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen.Asked++
	if err != nil {
		if f.seen.Error == "" {
			f.seen.Error = redact(err.Error())
		}
		return
	}
	if f.Rate {
		before := f.before
		f.before = &sample{at, v}
		if before == nil || v < before.value || !at.After(before.at) { // a counter that fell has begun anew
			return
		}
		v = (v - before.value) / at.Sub(before.at).Seconds()
	}
	f.seen.Values = append(f.seen.Values, measure.ObservedSecond{Second: second, Value: v})
}

// Told is everything that was seen until now, in the order of the scenario. It is not
// to be changed.
func (w *Watch) Told() (list []measure.Observed) {
	if w == nil {
		return nil
	}
	for _, f := range w.figures {
		f.mu.Lock()
		list = append(list, f.seen) // what is seen later is added behind
		f.mu.Unlock()
	}
	return list
}

// News is what was seen since it was last called, of figures that were asked for since,
// in the order of the scenario.
func (w *Watch) News() (list []measure.Observed) {
	for i, now := range w.Told() {
		f := w.figures[i]
		if now.Asked == f.asked {
			continue
		}
		f.asked = now.Asked
		from := f.told
		f.told = len(now.Values)
		now.Values = now.Values[from:]
		list = append(list, now)
	}
	return list
}

// Stop ends the asking.
func (w *Watch) Stop() {
	if w == nil {
		return
	}
	w.end()
	w.asking.Wait()
	for _, f := range w.figures {
		f.client.CloseIdleConnections()
	}
}
