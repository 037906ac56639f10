package load

import (
	"testing"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	"github.com/cstest/cstest/usage"
)

// instant answers every turn at once with the same reply, and allocates nothing.
type instant struct{ reply driver.Reply }

func (d *instant) Open(*driver.User) driver.Channel          { return d }
func (d *instant) Prepare(int) error                         { return nil }
func (d *instant) Interrupt()                                {}
func (d *instant) Connections() int                          { return 0 }
func (d *instant) Traffic() driver.Traffic                   { return driver.Traffic{} }
func (d *instant) Do(turn *driver.Turn, reply *driver.Reply) { *reply = d.reply }
func (d *instant) Free(*driver.Reply)                        {}

// instantDriver is instant as a driver, whose Close answers an error.
type instantDriver struct{ *instant }

func (d instantDriver) Close() error { return nil }

func (d *instant) Close() {}

// shop is a scenario with everything that costs: data, canaries, an
// expectation, planted values, canned lines, budgets.
func shop() *scenario.Scenario {
	sc := closed(4, time.Hour,
		scenario.Turn{Say: "我要退货,订单号 ${orders.order_no},电话 ${orders.phone}", Expect: &scenario.Expect{Contains: "退货"}})
	sc.Target.Bundled = &scenario.Bundled{Profile: "hardened"}
	sc.Checks = scenario.Checks{
		Memory: "on", Planted: []string{"orders.phone"},
		Canned: []string{`系统繁忙[,,]?请稍后再试`, `客服繁忙`, `(?i)^sorry, (i am|we are) (busy|unavailable)`},
	}
	sc.Data = map[string]scenario.Data{"orders": {Pick: "random", Columns: []string{"order_no", "phone"}}}
	rows := sc.Data["orders"]
	for i := range 1000 {
		rows.Table = append(rows.Table, []string{"88" + string(rune('0'+i%10)) + "1234567", "138001" + string(rune('0'+i%10)) + "8000"})
	}
	sc.Data["orders"] = rows
	sc.SLA.RateLimited.Contract = 1e9
	sc.Guard.MaxTurns = 1e9
	sc.Load.Think = &scenario.Think{Constant: unit.Duration(0)}
	return sc
}

func recorderOf(sc *scenario.Scenario) *measure.Recorder {
	s := NewSchedule(&sc.Load, 1)
	ok := measure.SetOf(measure.OK, measure.Degraded, measure.Unexpected)
	return measure.NewRecorder(&measure.Plan{
		Stages: s.Stages(), Slots: Slots(sc), Drain: time.Duration(sc.Load.Drain),
		Budgets: []measure.Budget{
			{Name: "p99", Stages: 1, Valid: 1<<measure.Outcomes - 1, Good: ok, Limit: 500 * time.Millisecond},
			{Name: "availability", Stages: 1, Valid: 1<<measure.Outcomes - 1, Good: ok},
		},
	}, 2)
}

// bench gives a worker and a user of shop, and what carries one turn.
func bench(tb testing.TB, sc *scenario.Scenario, change func(*driver.Reply)) func() {
	d := &instant{driver.Reply{
		Status: 200, OK: true, ContextTurns: 1, ContextStatus: []byte("new"), Tier: []byte("llm"),
		DialogID: []byte("0123456789abcdef0123456789abcdef"), Begun: time.Second, Sent: time.Second,
		FirstByte: time.Second + time.Millisecond, Done: time.Second + 2*time.Millisecond,
	}}
	r, err := newRun(Options{Scenario: sc, Seed: 7, Driver: instantDriver{d}, Lanes: lanesOf(recorderOf(sc)), Base: time.Now(), plain: true})
	if err != nil {
		tb.Fatal(err)
	}
	w := &worker{r: r, lane: r.o.Lanes[0]}
	c := &conversation{state: issued, loop: &loop{windows: []Window{{0, 1 << 62}}}}
	c.identify(0)
	answer := []byte("您好,退货请在订单页面点击申请退货,七天内免费上门取件,审核通过后一到三个工作日原路退款。⟦seen c:AAAAAAAA.1⟧")
	d.reply.Answer = answer
	mark := len(answer) - len("AAAAAAAA.1⟧")
	if change != nil {
		change(&d.reply)
	}
	return func() {
		if c.state != talking {
			c.state = issued
			r.open(c)
			copy(answer[mark:], c.canary[:])
		}
		if _, again := w.perform(c); !again {
			tb.Fatal("the user was retired")
		}
	}
}

func TestATurnAllocatesNothing(t *testing.T) {
	turn := bench(t, shop(), nil)
	turn()
	if n := testing.AllocsPerRun(1000, turn); n != 0 {
		t.Errorf("%v allocations a turn, want 0", n)
	}
}

func BenchmarkTurn(b *testing.B) {
	turn := bench(b, shop(), nil)
	b.ReportAllocs()
	before, _ := usage.Own()
	for b.Loop() {
		turn()
	}
	after, _ := usage.Own()
	b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
}

func BenchmarkRender(b *testing.B) {
	s, err := NewScript(shop(), 7, "r")
	if err != nil {
		b.Fatal(err)
	}
	var c conversation
	var st scratch
	c.identify(1)
	b.ReportAllocs()
	for k := int64(0); b.Loop(); k++ {
		c.begin(k, s)
		st.ask(&c, s)
	}
}

func BenchmarkClassify(b *testing.B) {
	sc := shop()
	rules, err := NewRules(sc)
	if err != nil {
		b.Fatal(err)
	}
	canary := newCanary(7, 1)
	answer := append([]byte("您好,退货请在订单页面点击申请退货,七天内免费上门取件,审核通过后一到三个工作日原路退款。⟦seen c:"), canary[:]...)
	reply := &driver.Reply{Status: 200, OK: true, ContextTurns: 1, Tier: []byte("llm"), Answer: append(answer, ".1⟧"...)}
	asked := &Asked{Turn: 1, Canary: canary, Memory: true, Expect: &Expectation{contains: []byte("退货")}}
	b.ReportAllocs()
	for b.Loop() {
		if j := Classify(reply, asked, &rules); j.Outcome != measure.OK || j.Memory != measure.Verified {
			b.Fatalf("%+v", j)
		}
	}
}

func lanesOf(recorder *measure.Recorder) []Lane {
	lanes := make([]Lane, recorder.Lanes())
	for i := range lanes {
		lanes[i] = recorder.Lane(i)
	}
	return lanes
}
