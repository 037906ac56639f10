package refserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cstest/cstest/reference-server/answer"
)

// Above desk.max_wait people are kept for the questions that are theirs on any
// day, with Redis and without.
func TestAFullDeskTakesOnlyWhatIsItsOwn(t *testing.T) {
	for _, tier := range []string{"handoff", "static"} {
		t.Run(tier, func(t *testing.T) {
			l := newScriptedLLM(t)
			// A ticket a minute: the third would wait for two.
			s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "desk.per_hour", "60", "desk.max_wait", "1m"))
			force(t, s, tier)
			for n := 1; n <= 2; n++ {
				r := say(t, s, "u1", "", fmt.Sprintf("随便问一件事%d", n))
				r.want(t, "tier", tier)
				if r.get("ticket.id").String() == "" {
					t.Errorf("question %d got no ticket: %s", n, r.body)
				}
				if tier == "handoff" {
					r.want(t, "ticket.eta_s", fmt.Sprint(60*n))
				}
			}
			declined := say(t, s, "u1", "", "再问一件事")
			declined.want(t, "tier", "static")
			declined.want(t, "degraded", "true")
			declined.want(t, "degrade_reason", "desk_full")
			declined.want(t, "answer", answer.BusyText)
			if declined.get("ticket").Exists() {
				t.Errorf("a full desk took it: %s", declined.body)
			}
			for _, own := range []string{"我要投诉", "充电宝起火了", "转人工"} {
				if r := say(t, s, "u1", "", own); r.get("ticket.id").String() == "" || r.get("degrade_reason").String() == "desk_full" {
					t.Errorf("%s: no ticket: %s", own, r.body)
				}
			}
			if r := send(t, "GET", s.AdminURL()+"/metrics", "", ""); !strings.Contains(r.body, "\nticket_declined_total 1\n") {
				t.Error("the metrics do not count it")
			}
			if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"desk.max_wait":"0s"}`); r.status != 200 {
				t.Fatal(r.body)
			}
			if r := say(t, s, "u1", "", "还有一件事"); r.get("ticket.id").String() == "" {
				t.Errorf("without a bound: %s", r.body)
			}
		})
	}
}
