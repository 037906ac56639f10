package answer

import "testing"

func TestFAQ(t *testing.T) {
	f, err := NewFAQ()
	if err != nil {
		t.Fatal(err)
	}
	if len(f.entries) < 40 {
		t.Fatalf("%d entries", len(f.entries))
	}
	for text, want := range map[string]string{
		"我有一张满减优惠券,怎么用?":          "coupon-use",
		"优惠券还能用吗?":                "coupon-still-valid",
		"退货退了以后优惠券还能用吗":           "coupon-still-valid",
		"我要退货,订单号 20261111000123": "return-how",
		"什么时候发货呀":                 "ship-time",
		"发货时间":                    "ship-time",
		"会员等级怎么升":                 "member-level",
		"退款什么时候能到账":               "refund-time",
		"请问可以开发票吗":                "invoice",
		"你们包邮吗":                   "free-shipping",
		"物流一直不更新怎么办":              "delivery-stuck",
		"你好":                      "greeting",
	} {
		hit, err := f.Find(text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if hit.Entry != nil {
			got = hit.Entry.ID
		}
		if got != want {
			t.Errorf("find(%q) = %q %v, want %q", text, got, hit.Suggestions, want)
		}
	}
	if hit, _ := f.Find("量子力学的测不准原理"); hit.Entry != nil {
		t.Errorf("nonsense is answered by %s", hit.Entry.ID)
	}
	if hit, _ := f.Find("qwertyuiop"); hit.Entry != nil || len(hit.Suggestions) > 0 {
		t.Errorf("letters that are no word: %+v, want nothing", hit)
	}
	if hit, _ := f.Find("想问问尺码的事"); hit.Entry != nil || len(hit.Suggestions) == 0 {
		t.Errorf("a vague question: %+v, want suggestions", hit)
	}
	for id, e := range f.entries {
		for _, q := range e.Q {
			if hit, _ := f.Find(q); hit.Entry == nil || hit.Entry.ID != id {
				t.Errorf("%s does not find itself by %q", id, q)
			}
		}
	}
}

// What has a reviewed answer is information: it must not be sent to people.
func TestReviewedQuestionsStay(t *testing.T) {
	f, err := NewFAQ()
	if err != nil {
		t.Fatal(err)
	}
	in := NewIntents()
	asked, alarms := 0, 0
	for id, e := range f.entries {
		for _, q := range e.Q {
			asked++
			if i := in.Of(q); i.Human() {
				alarms++
				t.Logf("%s: %v: %s", id, i, q)
			}
		}
	}
	if got := share(alarms, asked); got > 0.01 {
		t.Errorf("%d of %d reviewed questions are sent to people", alarms, asked)
	}
}
