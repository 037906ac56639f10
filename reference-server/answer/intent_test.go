package answer

import "testing"

func TestIntents(t *testing.T) {
	in := NewIntents()
	for text, want := range map[string]Intent{
		"我有一张满减优惠券,怎么用?":          Info,
		"我要退货,订单号 20261111000123": Info, // returning is self-service
		"优惠券还能用吗?":                Info,
		"发货时间":                    Info,
		"会员等级":                    Info,
		"怎么取消订单":                  Info,
		"怎么查物流":                   Info,
		"退款多久到账":                  Info,
		"人工客服几点上班":                Info,
		"是正品吗,假一赔三吗":              Info,
		"我的订单到哪了":                 ReadOrder,
		"查一下订单20261111000123":     ReadOrder,
		"我的快递到哪里了":                ReadOrder,
		"帮我取消订单":                  ChangeOrder,
		"改一下收货地址":                 ChangeOrder,
		"我要投诉你们":                  Complaint,
		"打12315举报":                Complaint,
		"钱被重复扣了":                  Payment,
		"退款一直没到账":                 Payment,
		"转人工":                     Human,
		"我要真人客服":                  Human,
		"爆炸盐怎么用":                  Info,
		"帮我把订单取消了":                ChangeOrder,
		"充电宝冒烟了":                  Safety,
		"充电寶冒煙了":                  Safety,
		"在吗 订单能取消吗":               Info,
		"充电宝起火了":                  Safety,
		"吃了之后中毒了,我要投诉":            Safety,
	} {
		if got := in.Of(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
	// The short cut by characters must never hide a match.
	for text := range map[string]bool{"自残": true, "人工服务": true, "乱扣": true, "起诉": true, "合并订单": true, "包裹在哪": true, "支付一直失败": true, "有没有真人": true, "拦截那个包裹": true, "发货了没": true} {
		if in.Of(text) == Info {
			t.Errorf("%q is taken for information", text)
		}
	}
}

// Where the rules are not asked, asking them would have changed nothing.
func TestRulesAreLeftOutOnlyWhereTheyDecideNothing(t *testing.T) {
	in := NewIntents()
	always := func(text string) Intent { // behind plain
		rule := in.rules.first(text)
		best, most := Info, 0.0
		for part := range parts(text) {
			if i, chance := matter(in.learned.odds(pieces(nil, part)).with(rule)); chance > most {
				best, most = i, chance
			}
		}
		if most >= sure {
			return best
		}
		return in.others.first(text)
	}
	n, asked := 0, 0
	for _, name := range []string{"examples.tsv", "testdata/intents-third.tsv"} {
		for _, e := range intentCorpus(t, name) {
			n++
			ends := in.ends(plain(e.text))
			for _, end := range ends {
				if end != ends[Info] {
					asked++
					break
				}
			}
			got, want := in.Of(e.text), in.orOutright(plain(e.text), always(plain(e.text)))
			if got != want {
				t.Errorf("%q is %v, with all rules asked %v", e.text, got, want)
			}
			if human := in.Human(e.text); human != got.Human() {
				t.Errorf("%q goes to a person: %v, but is %v", e.text, human, got)
			}
		}
	}
	t.Logf("the rules for people were asked of %d of %d", asked, n)
	if asked == 0 || asked > n/2 {
		t.Errorf("the rules for people were asked of %d of %d", asked, n)
	}
}

// What is said outright is heard whatever else is in the message, and of the examples
// that say so nearly all mean it.
func TestWhatIsSaidOutrightIsHeard(t *testing.T) {
	in := NewIntents()
	demands := []string{"我要投诉", "我想举报", "我还要投诉", "我现在要投诉", "我得去投诉"}
	n := 0
	for _, e := range intentCorpus(t, "examples.tsv") {
		if n++; n%40 != 0 {
			continue
		}
		for _, text := range []string{demands[n/40%len(demands)] + e.text, e.text + "," + demands[n/40%len(demands)]} {
			if got := in.Of(text); !got.Human() {
				t.Errorf("%q is %v", text, got)
			}
		}
	}
	heard, meant := 0, 0
	for _, e := range intentCorpus(t, "examples.tsv") {
		if said := in.outright.first(plain(e.text)); said != Info {
			if heard++; e.intent.Human() {
				meant++
			} else {
				t.Logf("%v: %s", e.intent, e.text)
			}
		}
	}
	t.Logf("%d of %d mean it", meant, heard)
	if heard < 25 || float64(meant) < 0.98*float64(heard) {
		t.Errorf("%d of %d mean it", meant, heard)
	}
}
