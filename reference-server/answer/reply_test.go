package answer

import (
	"errors"
	"testing"
)

func TestReplyCompletesFollowUps(t *testing.T) {
	f, err := NewFAQ()
	if err != nil {
		t.Fatal(err)
	}
	in := NewIntents()
	for _, c := range []struct {
		before []string
		text   string
		want   string // entry, or the text of a template
	}{
		{[]string{"我有一张满减优惠券,怎么用?"}, "还能用吗?", "coupon-still-valid"},
		{[]string{"我有一张满减优惠券,怎么用?", "我要退货,订单号 20261111000123"}, "还能用吗?", "coupon-still-valid"},
		{[]string{"能开发票吗"}, "怎么开", "invoice"},
		{[]string{"我想申请价保"}, "能保多少天", "price-protect"},
		{nil, "那还能吗", AskBackText},
		{[]string{"你好"}, "还能用吗?", AskBackText},
		{nil, "我的订单20261111000123到哪了", OrderNoText},
		{nil, "我的快递到哪了", OrderText},
	} {
		r, ok := ReplyTo(Question{Text: c.text, Intent: in.Of(c.text), Before: c.before}, f)
		got := r.FAQID
		if got == "" {
			got = r.Text
		}
		if !ok || got != c.want {
			t.Errorf("%q after %q: %q %v, want %q", c.text, c.before, got, ok, c.want)
		}
	}
}

// noFAQ cannot be looked into.
type noFAQ struct{}

func (noFAQ) Find(string) (Hit, error) { return Hit{}, errors.New("down") }
func (noFAQ) Topic(string) string      { return "优惠券" }

func TestReplyWithoutFAQ(t *testing.T) {
	if r, ok := ReplyTo(Question{Text: "优惠券怎么用"}, noFAQ{}); ok {
		t.Errorf("%+v from an index that is down", r)
	}
	if r, ok := ReplyTo(Question{Text: "我的快递呢", Intent: ReadOrder}, noFAQ{}); !ok || r.Text != OrderText {
		t.Errorf("a template needs no index: %+v %v", r, ok)
	}
}
