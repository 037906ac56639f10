package pii

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMasking(t *testing.T) {
	m := New()
	for in, want := range map[string]string{
		"我的手机13812345678,谢谢":               "我的手机***********,谢谢",
		"电话:138 1234 5678":                 "电话:*************",
		"电话138-1234-5678。":                 "电话*************。",
		"１３８１２３４５６７８":                      "***********",
		"+8613812345678":                   "**************",
		"13812345678 13912345678":          "*********** ***********",
		"身份证11010519491231002X":            "身份证******************",
		"身份证110105194912310021":            "身份证110105194912310021", // wrong check digit
		"卡号6222021234567890129":            "卡号6222021234567890129", // wrong check digit
		"卡号4111 1111 1111 1111":            "卡号*******************",
		"座机010-62345678":                   "座机************",
		"电话01062345678":                    "电话***********",
		"邮箱zhang.san@example.com.cn":       "邮箱************************",
		"车牌京A12345":                        "车牌*******",
		"我叫张伟,手机13812345678":               "我叫**,手机***********",
		"收件人:欧阳娜娜 电话13812345678":           "收件人:**** 电话***********",
		"联系人李雷电话13812345678":               "联系人**电话***********",
		"订单号13812345678":                   "订单号13812345678",
		"订单号 2026111100012345678":          "订单号 2026111100012345678",
		"订单4111111111111111":               "订单4111111111111111",
		"包邮吗?费用多少,单号和金额是什么":                "包邮吗?费用多少,单号和金额是什么",
		"满300减50,第2件8折":                    "满300减50,第2件8折",
		"A13812345678B":                    "A13812345678B",
		"2026-11-11 00:00:00":              "2026-11-11 00:00:00",
		"优惠券还能用吗? ⟦c:K7F3Q2ZA.1⟧":          "优惠券还能用吗? ⟦c:K7F3Q2ZA.1⟧",
		"⟦seen c:23456723.1 c:A2345672.2⟧": "⟦seen c:23456723.1 c:A2345672.2⟧",
		"客服本来有":                            "客服本来有",
		"我的订单手机号13812345678查一下":            "我的订单手机号***********查一下",
		"(021)62345678打不通":                 "*************打不通",
		"vx13812345678":                    "vx***********",
		"加V：１３８１２３４５６７８":                   "加V：***********",
		"身份证11010519491231002Ｘ":            "身份证******************",
		"订单退款卡号6222 0212 3456 7890 128":    "订单退款卡号***********************",
		"138\u200b1234\u200b5678":          "*************",
		"收件人和电话能改吗":                        "收件人和电话能改吗",
		"我叫安装师傅":                           "我叫安装师傅",
		"1399 1299 999":                    "1399 1299 999",
		"新S24ULTRA":                        "新S24ULTRA",
		"张伟 13812345678 杭州市西湖区":            "** *********** 杭州市西湖区",
		"王芳女士的订单":                          "**女士的订单",
		"阿依古丽·买买提女士":                       "********女士",
		"发票发到zhang＠qq.com谢谢":               "发票发到************谢谢",
		"a@b@c@d":                          "a@b@c@d",
		"a@qq.com13812345678":              "*******************",
		"手机订单号13812345678":                 "手机订单号13812345678",
		"400-820-8820":                     "400-820-8820",
		"粤B·D12345":                        "*********",
		"座机0571--87654321":                 "座机**************",
		"电话138 - 1234 - 5678":              "电话*****************",
		"电话:138/1234/5678":                 "电话:*************",
		"138/1399/1299":                    "138/1399/1299",
		"1 3 8 1 2 3 4 5 6 7 8":            "*********************",
		"我手机幺三八一二三四五六七八":                   "我手机***********",
		"138一二三四5678":                      "***********",
		"一二三四五六七八九十一":                      "一二三四五六七八九十一",
		"我手机①③⑧①②③④⑤⑥⑦⑧":                   "我手机***********",
		"证件号11010519491231002Ⅹ":            "证件号******************",
		"身份证11010519491231002 X":           "身份证*******************",
		"订单退到6222021234567890128":          "订单退到*******************",
		"visa4111111111111111":             "visa****************",
		"amex 378282246310005":             "amex ***************",
		"礼品卡号4111111111111111":             "礼品卡号4111111111111111",
		"会员卡号6222021234567890128":          "会员卡号6222021234567890128",
		"区号021电话62345678":                  "区号021电话********",
		"电话62345678":                       "电话********",
		"qq13812345678":                    "qq***********",
		"邮箱zhang.san @ qq.com":             "邮箱******************",
		"满300 @ 客服":                        "满300 @ 客服",
		"收件人：张　伟 电话多少":                     "收件人：*** 电话多少",
		"联系人:王 小明":                         "联系人:****",
		"电话138****5678":                    "电话138****5678",
	} {
		if got, _ := m.Mask(in); got != want {
			t.Errorf("mask(%q) = %q, want %q", in, got, want)
		}
	}
}

// Around every @ of a text the characters that could be an address are looked at
// once from the left and once from the right. BenchmarkMaskHostile2KiB times it.
func TestMailAddressesAreLinear(t *testing.T) {
	for _, piece := range []string{"a@b", "@", "a@", "a@b.", "a@b.c", "a@b.cn", "a@b.cn@", "a.b@c-d.e1", "a@b@c.de", "a", "a.", "aaaa@"} {
		for _, length := range []int{2048, 1 << 15} {
			for _, end := range []string{"", "@b", "@b.cn"} {
				text := []rune(strings.Repeat(piece, length/len(piece)) + end)
				if _, looks := emails(text); looks > 2*len(text) {
					t.Errorf("%q %d times: %d characters are looked at %d times", piece, length/len(piece), len(text), looks)
				}
			}
		}
	}
}

func TestMaskCountsByType(t *testing.T) {
	_, found := New().Mask("13812345678, 13912345678, a@b.cn, 我叫王芳")
	if want := (Found{Mobile: 2, Email: 1, Name: 1}); found != want {
		t.Errorf("found %v, want %v", found, want)
	}
}

// Every mobile number in any surrounding without digits or letters is gone.
func TestEveryMobileIsMasked(t *testing.T) {
	m := New()
	rapid.Check(t, func(t *rapid.T) {
		number := fmt.Sprintf("1%d%09d", rapid.IntRange(3, 9).Draw(t, "second"), rapid.IntRange(0, 999_999_999).Draw(t, "rest"))
		around := rapid.StringMatching(`[你我他,。!?、的号 ]{0,10}`)
		text := around.Draw(t, "before") + "," + number + "," + around.Draw(t, "after")
		if got, _ := m.Mask(text); strings.Contains(got, number) {
			t.Fatalf("mask(%q) = %q", text, got)
		}
	})
}

func TestMaskTwiceIsMaskOnce(t *testing.T) {
	m := New()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9０-９a@.\-王叫我人 京A]{0,40}`).Draw(t, "text")
		once, _ := m.Mask(text)
		if twice, _ := m.Mask(once); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
	})
}

func BenchmarkMask2KiB(b *testing.B) {
	m := New()
	text := strings.Repeat("我叫张伟,手机13812345678,想问优惠券怎么用,", 40)[:2048]
	b.ReportAllocs()
	for b.Loop() {
		m.Mask(text)
	}
}

func BenchmarkMaskHostile2KiB(b *testing.B) {
	m := New()
	for name, text := range map[string]string{
		"mail":   strings.Repeat("a", 1023) + "@" + strings.Repeat("b", 1024),
		"mails":  strings.Repeat("a@b", 683)[:2048],
		"cues":   strings.Repeat("我叫", 342)[:2046],
		"dots":   strings.Repeat("a@b.", 512),
		"groups": strings.Repeat("138 1234 ", 227),
		"names":  strings.Repeat("王王·", 256)[:2040],
		"plates": strings.Repeat("京A", 512),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m.Mask(text)
			}
		})
	}
}

func BenchmarkMaskNothing(b *testing.B) {
	m := New()
	b.ReportAllocs()
	for b.Loop() {
		m.Mask("我有一张满减优惠券,怎么用? ⟦c:K7F3Q2ZA.1⟧")
	}
}
