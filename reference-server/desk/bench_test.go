package desk

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
	"github.com/cstest/cstest/reference-server/dialog"
)

// One ticket from the question to the reply: opened, claimed by the winner and
// by one who comes late, closed. No sockets.
func BenchmarkTicket(b *testing.B) {
	for _, c := range []struct {
		name string
		addr func(b *testing.B) string
	}{
		{"miniredis", func(b *testing.B) string { return miniredis.RunT(b).Addr() }},
		{"redis-server", func(b *testing.B) string { return redistest.Start(b).Addr }},
	} {
		b.Run(c.name, func(b *testing.B) {
			rdb := dialog.Connect(&redis.Options{Addr: c.addr(b)}, storeOptions)
			defer rdb.Close()
			ts := newTickets(rdb, dialog.NewMinter([]byte(testKey)), func() Live { return Live{Hold: time.Minute, PerHour: 2000} }, nil)
			who := dialog.Owner{Tenant: "default", UID: "u1"}
			b.SetParallelism(16)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					t, _, _ := ts.open(b.Context(), Question{Owner: who, Queue: "order", Text: "帮我取消订单", TraceID: "tr"}, false)
					first, second := ts.claim(b.Context(), agentAt("a1", "s1"), t.ID), ts.claim(b.Context(), agentAt("a2", "s2"), t.ID)
					third, _ := ts.reply(b.Context(), dialog.Owner{Tenant: "default", UID: "a1"}, t.ID, "好了")
					if got := fmt.Sprint(first, second, third); got != "claimedlostreplied" && got != "claimed lost replied" {
						b.Error(got)
					}
				}
			})
		})
	}
}
