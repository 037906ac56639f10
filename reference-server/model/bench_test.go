//go:build unix

package model

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/trace"
)

// BenchmarkAsk asks a server in another process: CPU of the client alone, of
// both carriers, with few callers and with many.
func BenchmarkAsk(b *testing.B) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CSTEST_MODEL_SERVER=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	url = strings.TrimSpace(url)
	o := usual
	o.MaxIdle, o.MaxConns = 1024, 1024
	for _, callers := range []int{1, 64} {
		for _, c := range []struct {
			name    string
			carrier func(m *Client)
		}{
			{"plain", func(*Client) {}},
			{"library", func(m *Client) { m.carrier = newLibrary(url+"/v1/chat/completions", "", o) }},
		} {
			b.Run(fmt.Sprintf("%s/callers=%d", c.name, callers), func(b *testing.B) {
				m := NewClient(url, "", o)
				c.carrier(m)
				defer m.Close()
				body := m.Body(Prompt{Text: "这件衣服和那条裤子搭配吗", Turns: []Exchange{{User: "有优惠券吗", Replies: []string{"可以的,请在结算页选用。"}}}})
				tr := trace.From("")
				b.ReportAllocs()
				b.SetParallelism(max(1, callers/2))
				before := cpuTime()
				each := func() bool {
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
					defer cancel()
					_, err := m.Ask(ctx, body, tr, "")
					if err != nil {
						b.Error(err)
					}
					return err == nil
				}
				if callers == 1 {
					for b.Loop() {
						each()
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() && each() {
						}
					})
				}
				b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1e3/float64(b.N), "cpu-µs/call")
			})
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// instant is a model that costs nothing.
type instant struct{}

func (instant) Ask(context.Context, []byte, trace.Context, string) (string, error) { return "好", nil }

func (instant) Stream(context.Context, []byte, trace.Context, func(string) error) error { return nil }

// BenchmarkCall is what surrounds an attempt.
func BenchmarkCall(b *testing.B) {
	c := NewCaller(instant{}, Options{
		API: Chat, Attempts: 2, BackoffBase: 20 * time.Millisecond, RetryBudget: 0.1, Bulkhead: 1024,
		Breaker: "ratio", BreakerOpen: time.Second, BreakerFailures: 0.5, BreakerSlow: 0.6,
	}, func() Live { return Live{Timeout: time.Second, Slow: time.Second} }, func(Fault, time.Duration, bool) {})
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	tr := trace.From("")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Call(ctx, time.Now().Add(time.Hour), nil, tr); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	m := &Client{chat: true}
	raw := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"chat","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		strings.Repeat("可以的,请在结算页选用。", 6) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":60,"total_tokens":180}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBody(b *testing.B) {
	m := &Client{chat: true}
	p := Prompt{Text: "这件衣服和那条裤子搭配吗", Turns: []Exchange{{User: "有优惠券吗", Replies: []string{strings.Repeat("可以的,请在结算页选用。", 6)}}}}
	b.ReportAllocs()
	for b.Loop() {
		m.Body(p)
	}
}
