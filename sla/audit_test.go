package sla

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// Users who wait have one request in flight each at most, within the half per cent
// that figures are rounded by.
func TestAuditAtItsEdge(t *testing.T) {
	users := 200.0
	for _, c := range []struct {
		name  string
		claim Claim
		want  Audited
	}{
		{"as many as may be", Claim{Users: 200, Rate: users * 1.005, Mean: time.Second}, Audited{
			InFlight: users * 1.005, Most: 200, Possible: true,
			Reason: reason.New(reason.ClaimPossible, users*1.005, 200, time.Duration(0)), // thinking for less than no time
		}},
		{"one more", Claim{Users: 200, Rate: 202, Mean: time.Second}, Audited{
			InFlight: 202, Most: 200, Reason: reason.New(reason.ClaimImpossible, unit.Rate(202), time.Second, 202.0, 200, unit.Rate(200)),
		}},
		{"more than a whole rate", Claim{Users: 200, Rate: 1000, Mean: 300 * ms}, Audited{
			InFlight: 300, Most: 200 / 0.3, Reason: reason.New(reason.ClaimImpossible, unit.Rate(1000), 300*ms, 300.0, 200, unit.Rate(666)),
		}},
		{"with time to think", Claim{Users: 200, Rate: 100, Mean: 500 * ms}, Audited{
			InFlight: 50, Most: 400, Possible: true, Reason: reason.New(reason.ClaimPossible, 50.0, 200, 1500*ms),
		}},
		{"a nanosecond", Claim{Users: 1, Rate: 1, Mean: 1}, Audited{
			InFlight: 1e-9, Most: 1e9, Possible: true, Reason: reason.New(reason.ClaimPossible, 1e-9, 1, time.Second-1),
		}},
		{"no time", Claim{Users: 4, Rate: 2}, Audited{Possible: true, Reason: reason.New(reason.ClaimPossible, 0.0, 4, 2*time.Second)}},
	} {
		c.want.Claim = c.claim
		got := Audit(c.claim)
		if math.Abs(got.Most/c.want.Most-1) < 1e-12 {
			got.Most = c.want.Most
		}
		if math.Abs(got.InFlight-c.want.InFlight) < 1e-12 {
			got.InFlight = c.want.InFlight
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v,\nwant %+v", c.name, got, c.want)
		}
	}
}

// The figures that the article states.
func TestFiguresOfTheArticle(t *testing.T) {
	want := []Claim{
		{Users: 200, Rate: 520, Mean: 380 * ms, P99: 1200 * ms, CPU: 0.95},
		{Users: 200, Rate: 1100, Mean: 220 * ms, P99: 600 * ms, CPU: 0.80},
		{Users: 200, Rate: 1800, Mean: 150 * ms, P99: 400 * ms, CPU: 0.75},
		{Users: 200, Rate: 3200, Mean: 90 * ms, P99: 220 * ms, CPU: 0.65},
	}
	for i, c := range ArticleClaims() {
		c.Name = reason.Phrase{}
		if !reflect.DeepEqual(c, want[i]) {
			t.Errorf("%d: %+v, want %+v", i, c, want[i])
		}
	}
}
