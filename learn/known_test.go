package learn

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"
)

// known is a model of customers from which a log is made: what is learned from
// the log is held against it.
type known struct {
	n             int
	median, sigma float64   // of think times, in seconds
	turns         []float64 // share of dialogs with so many messages
	hours         []float64 // share of dialogs that begin in each hour
	planted       []string
}

func knownModel(n int) known {
	k := known{n: n, median: 8, sigma: 0.9, turns: []float64{0, 0.15, 0.25, 0.3, 0.2, 0.1}}
	sum := 0.0
	for h := range 24 {
		k.hours = append(k.hours, 1+0.9*math.Sin(2*math.Pi*float64(h-14)/24))
		sum += k.hours[h]
	}
	for h := range k.hours {
		k.hours[h] /= sum
	}
	return k
}

var (
	openings = []string{"优惠券怎么用", "请问什么时候发货呢", "我想要退货退款", "会员等级怎么升", "发票抬头写错了怎么改"}
	tails    = []string{"", "？", "，急", "，谢谢", " 谢谢了"}
	further  = []string{"好的", "还有别的办法吗", "那要几天", "订单号 2026111100%04d", "我的手机号是 138%08d", "邮箱 li%d@qq.com"}
)

func pickShare(r *rand.Rand, shares []float64) int {
	u := r.Float64()
	for i, s := range shares {
		if u < s {
			return i
		}
		u -= s
	}
	return len(shares) - 1
}

// write makes the log, a JSON object a line, rows of a dialog together.
func (k *known) write(w io.Writer) {
	r := rand.New(rand.NewPCG(1, 2))
	b := bufio.NewWriter(w)
	defer b.Flush()
	day := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	for i := range k.n {
		at := day.Add(time.Duration(pickShare(r, k.hours)) * time.Hour).Add(time.Duration(r.Float64() * float64(time.Hour)))
		for turn := range max(1, pickShare(r, k.turns)) {
			text := openings[r.IntN(len(openings))] + tails[r.IntN(len(tails))]
			if turn > 0 {
				at = at.Add(time.Duration(math.Exp(math.Log(k.median)+k.sigma*r.NormFloat64()) * float64(time.Second)))
				if text = further[r.IntN(len(further))]; text[len(text)-1] == 'd' || text[len(text)-1] == 'm' {
					text = fmt.Sprintf(text, 10_000_000+i)
				}
			}
			if turn > 0 && len(k.planted) < 1000 && i%7 == 0 {
				phone := fmt.Sprintf("139%08d", 20_000_000+i)
				k.planted = append(k.planted, phone)
				text = "电话 " + phone
			}
			fmt.Fprintf(b, `{"session_id":"s%d","ts":"%s","role":"user","text":%q}`+"\n", i, at.Format(time.RFC3339Nano), text)
			at = at.Add(350 * time.Millisecond)
			fmt.Fprintf(b, `{"session_id":"s%d","ts":"%s","role":"assistant","text":"您好"}`+"\n", i, at.Format(time.RFC3339Nano))
		}
	}
}
