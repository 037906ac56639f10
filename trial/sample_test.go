package trial

import (
	"strings"
	"testing"
)

func TestSampleMask(t *testing.T) {
	mask := sampleMask(func(s string) string { return strings.ReplaceAll(s, "s3cr,et123456", "[redacted]") })
	for body, want := range map[string]string{
		`{"code":40101,"msg":"登录已过期"}`:                                       `{"code":40101,"msg":"登录已过期"}`,
		`{"phone":"13912345678","n":3}`:                                      `{"phone":"***","n":3}`,
		`电话 138 1234 5678，订单 A20261111001`:                                   `电话 ***，订单 ***`,
		`mail li.lei@example.com please`:                                     `mail *** please`,
		`request 4f2a9c1e-77aa-4d1b-9c3e-000000000000 died`:                  `request *** died`,
		`token=9f86d081884c7d65&next=/api/v1/login`:                          `token=***&next=/api/v1/login`,
		"\x1b[31mred\u202e\x00":                                              `^[[31mred<U+202E>^@`,
		`key s3cr,et123456 used`:                                             `key [redacted] used`,
		`key s3cr\u002cet123456 \u767b\u5f55 \ud83d\ude00 \ud83d \u0022\u00`: "key [redacted] 登录 😀 \ufffd \\u0022\\u00",
		`3 of 12 in 250 ms at 14:05:33`:                                      `3 of 12 in 250 ms at 14:05:33`,
		`全角 １３９１２３４５６７８`:                                                     `全角 ***`,
	} {
		if got := mask(body); got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
	long := mask(strings.Repeat("客服 ", 400))
	if len(long) > sampleLength+len("…") || !strings.HasSuffix(long, "…") || !strings.HasPrefix(long, "客服 客服") {
		t.Errorf("%d bytes: %q", len(long), long)
	}
}
