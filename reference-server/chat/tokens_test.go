package chat

import "testing"

func TestTokensIn(t *testing.T) {
	for text, want := range map[string]int{"": 0, "a": 1, "abcd": 1, "abcde": 2, "优惠券": 3, "优惠券 coupon": 5, "\xff\xfe": 2, "é": 0} {
		if got := tokensIn(text); got != want {
			t.Errorf("%q has %d tokens, want %d", text, got, want)
		}
	}
}
