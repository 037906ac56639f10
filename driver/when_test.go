package driver

import (
	"testing"

	"github.com/cstest/cstest/scenario"
)

func TestWhenHoldsOfAnswers(t *testing.T) {
	literal := func(s string) *scenario.Literal { l := scenario.Literal(s); return &l }
	no := false
	r := &Reply{Status: 200, Answer: []byte("请提供订单号"), Body: []byte(`{"code":0,"data":{"intent":"refund","items":[1,2]}}`)}
	for _, c := range []struct {
		name string
		list scenario.Conditions
		want bool
	}{
		{"a path that equals", scenario.Conditions{{Path: "data.intent", Equals: literal("refund")}}, true},
		{"a path that does not", scenario.Conditions{{Path: "data.intent", Equals: literal("coupon")}}, false},
		{"one of two", scenario.Conditions{{Path: "data.intent", Equals: literal("refund")}, {Path: "code", Equals: literal("1")}}, false},
		{"nothing there", scenario.Conditions{{Path: "data.ticket", Exists: &no}}, true},
		{"the text", scenario.Conditions{{Path: "body:text", Matches: "订单"}}, true},
		{"another text", scenario.Conditions{{Path: "body:text", Matches: "退款"}}, false},
		{"not the JSON around it", scenario.Conditions{{Path: "body:text", Matches: "intent"}}, false},
		{"the status", scenario.Conditions{{Path: "http:status", Equals: literal("200")}}, true},
	} {
		w, err := NewWhen(c.list)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := w.Hold(r); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
		if w.Hold(&Reply{Body: []byte(`{"data"`)}) && c.name != "nothing there" {
			t.Errorf("%s holds of a broken answer", c.name)
		}
	}
}
