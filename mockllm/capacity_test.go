package mockllm

import (
	"bufio"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// crowd sends n calls at one instant, in order, and tells when each was answered
// and with which status.
func crowd(t *testing.T, dial dialer, n int) (took []time.Duration, status []int) {
	t.Helper()
	took, status = make([]time.Duration, n), make([]int, n)
	conns := make([]net.Conn, n)
	began := time.Now()
	done := make(chan int)
	for i := range n {
		conns[i] = dial(t)
		send(t, conns[i], "POST", chatPath, hello)
		synctest.Wait()
		go func() {
			res, _, err := answerOf(t, bufio.NewReader(conns[i]))
			if err == nil {
				took[i], status[i] = time.Since(began), res.StatusCode
			}
			_ = conns[i].Close()
			done <- i
		}()
	}
	for range n {
		<-done
	}
	return took, status
}

func TestCapacityQueuesInOrderAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Constant(100 * time.Millisecond), Capacity: Capacity{MaxInFlight: 2, Queue: 3, RetryAfter: ms(2000)}})
		defer s.stop()
		took, status := crowd(t, dial, 7)
		if !slices.Equal(status, []int{200, 200, 200, 200, 200, 503, 503}) {
			t.Errorf("status %v", status)
		}
		for i, want := range []time.Duration{100, 100, 200, 200, 300, 0, 0} {
			if took[i] != want*time.Millisecond {
				t.Errorf("call %d took %v, want %v", i, took[i], want*time.Millisecond)
			}
		}
		synctest.Wait()
		f := s.Facts()
		if f.Outcomes["ok"] != 5 || f.Outcomes["overloaded"] != 2 || f.InFlight != 0 {
			t.Errorf("%+v", f)
		}
		if r := records(s)[len(records(s))-1]; r.QueueNs != 200e6 || r.InjectedNs != 300e6 || r.DrawnNs != 100e6 {
			t.Errorf("last record %+v", r)
		}
		if busy := s.setup.Load().gate.Busy.Load(); busy != 0 {
			t.Errorf("%d places still taken", busy)
		}
	})
}

func TestSlowdownUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Constant(100 * time.Millisecond), Capacity: Capacity{MaxInFlight: 4, Slowdown: 3}})
		defer s.stop()
		took, _ := crowd(t, dial, 4)
		for i, want := range []time.Duration{150, 200, 250, 300} { // 1 + 2·n/4
			if took[i] != want*time.Millisecond {
				t.Errorf("call %d took %v, want %v", i, took[i], want*time.Millisecond)
			}
		}
	})
}

func TestAbandonedCalls(t *testing.T) {
	for _, finish := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, dial := piped(t, Config{Latency: Constant(time.Second), Capacity: Capacity{MaxInFlight: 1, Queue: 5, FinishAbandoned: finish}})
			defer s.stop()
			first, second, third := dial(t), dial(t), dial(t)
			for _, c := range []net.Conn{first, second, third} {
				send(t, c, "POST", chatPath, hello)
				synctest.Wait()
			}
			_ = second.Close() // leaves the queue
			time.Sleep(300 * time.Millisecond)
			_ = first.Close() // leaves its place
			began := time.Now()
			if _, _, err := answerOf(t, bufio.NewReader(third)); err != nil {
				t.Fatal(err)
			}
			want := time.Second
			if finish {
				want += 700 * time.Millisecond
			}
			if took := time.Since(began); took != want {
				t.Errorf("finish_abandoned %v: the third waited %v, want %v", finish, took, want)
			}
			_ = third.Close()
			synctest.Wait()
			if got := s.Facts().Outcomes; got["client_gone"] != 2 || got["ok"] != 1 {
				t.Errorf("outcomes %v", got)
			}
		})
	}
}

func TestStreamsHoldTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{
			Latency:  Latency{FirstToken: &Dist{Constant: ms(100)}, PerToken: &Dist{Constant: ms(100)}},
			Answers:  []Answer{{Match: ".", Say: "一二三四五六"}},
			Capacity: Capacity{MaxInFlight: 1, Queue: 1},
		})
		defer s.stop()
		began := time.Now()
		first := make(chan time.Duration)
		go func() {
			ask(t, dial, chatPath, helloSSE)
			first <- time.Since(began)
		}()
		synctest.Wait()
		ask(t, dial, chatPath, hello)
		if a, b := <-first, time.Since(began); a != 300*time.Millisecond || b != 600*time.Millisecond {
			t.Errorf("stream %v, plain %v; want 300ms, 600ms", a, b)
		}
	})
}

func TestPipelinedCallIsWokenFromTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Constant(100 * time.Millisecond), Capacity: Capacity{MaxInFlight: 1, Queue: 9}})
		defer s.stop()
		a, b := dial(t), dial(t)
		defer a.Close()
		defer b.Close()
		send(t, a, "POST", chatPath, hello)
		synctest.Wait()
		go func() { _, _ = b.Write([]byte(wireForm("POST", chatPath, hello) + wireForm("POST", chatPath, hello))) }()
		synctest.Wait()
		go func() { _, _, _ = answerOf(t, bufio.NewReader(a)) }()
		began := time.Now()
		r := bufio.NewReader(b)
		for range 2 {
			if _, _, err := answerOf(t, r); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 300*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}
