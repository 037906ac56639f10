//go:build unix

package refserver

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"

	"github.com/cstest/cstest/reference-server/knobs"
)

// BenchmarkTurn drives dialogs of three turns through listener, token, Redis
// and model, all in this process: CPU per turn of everything together. The
// model answers at once.
func BenchmarkTurn(b *testing.B) {
	for _, profile := range []string{knobs.Hardened, "article-3"} {
		b.Run(profile, func(b *testing.B) {
			model := fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
				ctx.SetContentType("application/json")
				ctx.SetBodyString(`{"choices":[{"text":"可以的,请在结算页选用。","message":{"role":"assistant","content":"可以的,请在结算页选用。"}}]}`)
			}}
			ln := listenLoopback(b)
			go func() { _ = model.Serve(ln) }()
			b.Cleanup(func() { _ = model.Shutdown() })
			s, err := Start(context.Background(), Config{
				LLM: "http://" + ln.Addr().String(), Secrets: map[string]Secret{"k1": testSecret}, Profile: profile,
				Knobs: map[string]string{"limit.global": "0/s", "limit.user": "0/s", "redis.timeout": "5s"},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { s.Close(context.Background()) })
			var users atomic.Int64
			before := cpuTime()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				c := fasthttp.HostClient{Addr: s.publicAddr, ReadTimeout: 5 * time.Second}
				auth := "Bearer " + tokenFor(b, fmt.Sprint("u", users.Add(1)))
				req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
				for turn, dialog := 0, ""; pb.Next(); turn++ {
					if turn%3 == 0 {
						dialog = ""
					}
					req.Reset()
					req.SetRequestURI(s.URL() + "/v1/chat")
					req.Header.SetMethod("POST")
					req.Header.SetContentType("application/json")
					req.Header.Set("Authorization", auth)
					body := `{"text":"这件衣服和那条裤子搭配吗 ⟦c:K7F3Q2ZA.1⟧"`
					if dialog != "" {
						body += `,"dialog_id":"` + dialog + `"`
					}
					req.SetBodyString(body + "}")
					if err := c.Do(req, resp); err != nil || resp.StatusCode() != 200 {
						b.Errorf("%v %d %s", err, resp.StatusCode(), resp.Body())
						return
					}
					dialog = strings.Clone(gjson.GetBytes(resp.Body(), "dialog_id").Str)
				}
			})
			b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/turn")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
		})
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
