package load

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/usage"
)

// sampling is how often turns in flight are counted for their peak.
const sampling = 10 * time.Millisecond

// mostSeconds bounds the seconds of health kept; later ones go to Second only.
const mostSeconds = 24 * 3600

// health watches the generator itself, in a goroutine of its own, until end.
type health struct {
	r       *run
	stop    chan struct{}
	stopped chan struct{}

	out     measure.Generator
	second  int
	peak    int64 // in flight, this second
	cpu     time.Duration
	pause   time.Duration
	gc      debug.GCStats
	started time.Duration // CPU at the start
}

func (r *run) watch() *health {
	h := &health{r: r, stop: make(chan struct{}), stopped: make(chan struct{})}
	h.cpu, _ = usage.Own()
	h.started = h.cpu
	h.pause = h.pauses()
	h.out.Cores = runtime.GOMAXPROCS(0)
	go h.run()
	return h
}

func (h *health) run() {
	defer close(h.stopped)
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.sample(h.r.now())
		case <-h.stop:
			return
		}
	}
}

// sample counts the turns in flight, and closes a second that is over.
func (h *health) sample(now time.Duration) {
	n := h.r.live.InFlight()
	if now <= 0 {
		return
	}
	h.peak = max(h.peak, n)
	h.out.MaxInFlight = max(h.out.MaxInFlight, n)
	if second := int(now / time.Second); second > h.second {
		h.close(second)
	}
}

func (h *health) close(next int) {
	cpu, _ := usage.Own()
	pause := h.pauses()
	s := measure.GeneratorSecond{
		Second: h.second, CPU: cpu - h.cpu, GCPause: pause - h.pause,
		InFlight: h.peak, Conversations: h.r.live.Conversations(), Open: h.descriptors(),
	}
	h.cpu, h.pause, h.peak, h.second = cpu, pause, 0, next
	if len(h.out.Seconds) < mostSeconds {
		h.out.Seconds = append(h.out.Seconds, s)
	}
	if h.r.o.Second != nil {
		h.r.o.Second(s)
	}
	if h.r.o.Abort == nil || h.r.aborted.Load() != nil {
		return
	}
	if why := h.r.o.Abort(); len(why) > 0 {
		h.r.aborted.Store(&why)
		h.r.alarm.wake()
	}
}

// end stops watching and gives what was seen, the last second too.
func (h *health) end() measure.Generator {
	close(h.stop)
	<-h.stopped
	if now := h.r.now(); now > 0 {
		h.sample(now)
		if now > time.Duration(h.second)*time.Second {
			h.close(h.second + 1)
		}
	}
	cpu, rss := usage.Own()
	h.out.CPU, h.out.MaxRSS = cpu-h.started, rss
	if end := time.Duration(h.r.last.Load()); end > 0 {
		h.out.InFlightMean = max(h.r.live.area(end), 0).Seconds() / end.Seconds()
	}
	return h.out
}

func (h *health) pauses() time.Duration {
	debug.ReadGCStats(&h.gc)
	return h.gc.PauseTotal
}

// descriptors is how many are open. Linux since 6.2 tells it as the size of
// the directory; else the driver's connections stand for them.
func (h *health) descriptors() int64 {
	if info, err := os.Stat("/proc/self/fd"); err == nil && info.Size() > 0 {
		return info.Size()
	}
	return int64(h.r.o.Driver.Connections())
}
