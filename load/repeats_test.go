package load

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// asking is a scenario of n questions.
func asking(n int) *scenario.Scenario {
	sc := &scenario.Scenario{Target: scenario.Target{API: scenario.APICustom}}
	var turns []scenario.Turn
	for i := range n {
		turns = append(turns, scenario.Turn{Say: strings.Repeat("问", i+1)})
	}
	sc.Conversations = []scenario.Conversation{{Name: "talk", Turns: turns}}
	return sc
}

func TestAnswersAreTheSameWithoutWhatDiffers(t *testing.T) {
	same := [][]string{
		{"您好,您的单号 A-1029 正在处理", "您好,您的单号 B-77 正在处理", "您好, 您的单号正在处理"},
		{"Please Wait.", "please wait.", " please  wait. "},
		{"好的⟦c:1f:1⟧", "好的⟦c:2e:2⟧", "好的"},
		{"关于“问题”,我不清楚", "关于“”,我不清楚"},
	}
	seen := map[uint64]int{}
	for i, list := range same {
		for _, text := range list {
			seen[answerKey([]byte(text), []byte("问题"))] = i
		}
	}
	if len(seen) != len(same) {
		t.Errorf("%d answers told apart, want %d", len(seen), len(same))
	}
	if answerKey([]byte("好的"), nil) == answerKey([]byte("不好"), nil) {
		t.Error("different answers are the same")
	}
	if answerKey(nil, nil) != answerKey([]byte(" 12 "), nil) {
		t.Error("a number alone is an answer")
	}
}

func TestRepeatsTellOfWhatComesAgain(t *testing.T) {
	r := newRepeats(asking(4))
	for i := range 400 {
		question := i % 4
		answer := "应答" + string(rune(0x4e00+i))
		if i%5 == 0 {
			answer = fmt.Sprintf("这边为您记录了 %d", i)
		}
		r.note([]byte(answer), []byte("问"), question, time.Duration(i))
	}
	told := r.told()
	if len(told.Answers) == 0 {
		t.Fatal("nothing told")
	}
	first := told.Answers[0]
	if first.N != 80 || first.Questions[0] != 0xf || first.Text != "这边为您记录了 0" || first.Exempt {
		t.Errorf("%+v", first)
	}
	for q, n := range told.Asked {
		if want := map[bool]int64{true: 100}[q < 4]; n != want {
			t.Errorf("question %d asked %d times, want %d", q, n, want)
		}
	}
	if len(told.Answers) > 1 && told.Answers[1].N > 10 {
		t.Errorf("an answer that came once counts %d", told.Answers[1].N)
	}
}

// Turns that say the same ask the same; the bundled server says itself who answers.
func TestQuestionsOfRepeats(t *testing.T) {
	sc := asking(2)
	sc.Conversations = append(sc.Conversations, sc.Conversations[0])
	r := newRepeats(sc)
	for slot := range 4 {
		r.note([]byte("好的"), nil, slot, 0)
	}
	r.note([]byte("好的"), nil, 9, 0) // no slot of the plan
	if got := r.told().Answers[0]; got.N != 4 || got.Questions[0] != 0b11 {
		t.Errorf("%+v", got)
	}
	sc.Target.Bundled = &scenario.Bundled{}
	if none := newRepeats(sc); none != nil || none.told() != nil {
		t.Error("the bundled server's answers are counted")
	}
}

// What the mock LLM says before its first fault is its own, not a stand-in.
func TestRepeatsOfTheMockBeforeItsFaults(t *testing.T) {
	sc := asking(3)
	sc.LLM = &scenario.LLM{Faults: []scenario.Fault{{At: unit.Duration(5 * time.Second)}}}
	r := newRepeats(sc)
	for slot := range 3 {
		r.note([]byte("stock"), nil, slot, time.Second)
		r.note([]byte("stock"), nil, slot, 6*time.Second)
		r.note([]byte("fallback"), nil, slot, 6*time.Second)
	}
	for _, a := range r.told().Answers {
		if a.Exempt != (a.Text == "stock") {
			t.Errorf("%s: exempt %t", a.Text, a.Exempt)
		}
	}
}

func TestRepeatsShowWholeRunes(t *testing.T) {
	for n := 150; n < 170; n++ {
		r := newRepeats(asking(1))
		for range 2 {
			r.note([]byte(strings.Repeat("a", n-100)+strings.Repeat("客", 40)+"\xff"), nil, 0, 0)
		}
		if text := r.told().Answers[0].Text; !utf8.ValidString(text) || !strings.HasPrefix(text, "aaa") {
			t.Errorf("%q", text)
		}
	}
}

func TestRepeatsAllocateNothing(t *testing.T) {
	r := newRepeats(asking(3))
	answer := []byte("您好,退货请在订单页面点击申请退货,七天内免费上门取件")
	if n := testing.AllocsPerRun(100, func() { r.note(answer, []byte("退货"), 1, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRepeats(b *testing.B) {
	r := newRepeats(asking(3))
	answer := []byte("您好,退货请在订单页面点击申请退货,七天内免费上门取件,审核通过后一到三个工作日原路退款。")
	b.ReportAllocs()
	for b.Loop() {
		r.note(answer, []byte("退货怎么办"), 1, 0)
	}
}

// The text of an answer is of whoever got it first: what may be that customer's
// number is not shown to others.
func TestShownAnswersHaveNoCustomersNumbers(t *testing.T) {
	for answer, want := range map[string]string{
		"您的订单 E1024 已发货":               "您的订单 ##### 已发货",
		"手机 13800138000 尾号":            "手机 ########### 尾号",
		"请致电 138 0013 8000。":           "请致电 ### #### ####。",
		"卡号 6222-0210-0000-1234":       "卡号 ###################",
		"+1 (555) 010-0199":            "+1 (555) ########",
		"订单Ａ１２３４５":                     "订单Ａ#####",
		"运单SF1A2B3C4D":                 "运单##########",
		"满 200 减 30，24 小时内退款":          "满 200 减 30，24 小时内退款",
		"3 to 5 days, 100 % free, 9-5": "3 to 5 days, 100 % free, 9-5",
		"":                             "",
	} {
		if got := shown([]byte(answer)); got != want {
			t.Errorf("%q is shown as %q, want %q", answer, got, want)
		}
	}
	long := strings.Repeat("a ", repeatText/2-1) + "13"
	if got := shown([]byte(long)); !strings.HasSuffix(got, " ##…") {
		t.Errorf("cut in a number: %q", got)
	}
}
