package reason

import (
	"strings"
	"testing"
)

func TestWaitedTextsKeepToTheVocabulary(t *testing.T) {
	for _, r := range waitedRows() {
		for _, fault := range Faults(r.en, r.zh) {
			t.Errorf("%q: %q: %s", r.en, r.zh, fault)
		}
		if n := strings.Count(r.en, "%s"); n != strings.Count(r.zh, "%s")+strings.Count(r.zh, "%[") {
			t.Errorf("%q: %q takes other arguments", r.en, r.zh)
		}
	}
}

// What stands in a scenario or came from a server reads as it does, whatever it looks
// like, and English is never touched.
func TestMessagesInPieces(t *testing.T) {
	for message, want := range map[string]string{
		"no answer in time": "未按时应答",
		"then ask: the job was not done within the timeout; 1 answer came, poll.is_answer holds for none: there is nothing at turns":             "then ask：作业未在超时前完成；收到 1 个应答，poll.is_answer 对它们都不成立：turns 处没有内容",
		"no answer in time; 2 events came, response.stream.done holds for none: what is at a at b does not fit (in: [x, y], matches: no answer)": "未按时应答；收到 2 个事件，response.stream.done 对它们都不成立：a at b 处的内容不符（in: [x, y], matches: no answer）",
		"before: ok does not hold, what is at code does not fit (equals: 0): 40101 %s":                                                           "before：ok 不成立，what is at code does not fit (equals: 0): 40101 %s",
		"backend down; try later": "backend down; try later",
		"40101: mean":             "40101: mean",
		"turns":                   "轮次",
		"50 %d ;; %s":             "50 %d ;; %s",
		"":                        "",
	} {
		if got := Word(message).Text(Chinese); got != want {
			t.Errorf("%q is %q, want %q", message, got, want)
		}
		if got := Word(message).Text(English); got != message {
			t.Errorf("%q is %q in English", message, got)
		}
	}
}
