package reason

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Term is a word of the field and what it is called in every text: one word per
// thing, in either language.
type Term struct {
	English string
	Chinese string
	Meaning string
	// Also are other forms that the Chinese one takes in a sentence; Never are words
	// for it that no text may have.
	Also, Never []string
}

// Vocabulary is every term, by what they are about.
func Vocabulary() []Term {
	return []Term{
		{English: "conversation", Chinese: "会话", Meaning: "a user's turns from the first to the last"},
		{English: "turn", Chinese: "轮次", Also: []string{"轮"}, Meaning: "one message of a user and its answer"},
		{English: "answer", Chinese: "应答", Never: []string{"回答"}, Meaning: "what came back for a turn"},
		{English: "degraded", Chinese: "降级", Meaning: "answered, but not by the model"},
		{English: "arrivals", Chinese: "到达", Meaning: "conversations that are begun in a second"},
		{English: "starts", Chinese: "会话到达", Never: []string{"新会话"}, Meaning: "beginnings of conversations"},
		{English: "users", Chinese: "用户", Meaning: "who holds the conversations"},
		{English: "stage", Chinese: "阶段", Meaning: "a stretch of the load"},
		{English: "seed", Chinese: "随机种子", Meaning: "what the arrivals and the choices of users follow from"},
		{English: "in flight", Chinese: "在途", Never: []string{"处理中"}, Meaning: "turns sent and not yet answered"},
		{English: "response time", Chinese: "响应时间", Meaning: "from the intended start of a turn to its answer"},
		{English: "latency", Chinese: "延迟", Meaning: "response time as an objective"},
		{English: "lag", Chinese: "发送滞后", Never: []string{"延迟 P99"}, Meaning: "how late the generator sent a turn"},
		{English: "generator", Chinese: "压测机", Meaning: "cstest itself, and its machine"},
		{English: "tainted", Chinese: "受扰", Never: []string{"受干扰"}, Meaning: "seconds in which the generator was too late to measure the target"},
		{English: "target", Chinese: "被测系统", Meaning: "the server under test"},
		{English: "bad seconds", Chinese: "坏秒", Never: []string{"不可用秒"}, Meaning: "seconds in which fewer than 95 % of turns were answered"},
		{English: "availability", Chinese: "可用性", Meaning: "share of turns that were answered"},
		{English: "full quality", Chinese: "完整质量", Meaning: "answered by the model, as expected"},
		{English: "canary", Chinese: "金丝雀", Meaning: "a mark in a message by which whose content an answer holds is known"},
		{English: "storm", Chinese: "风暴", Meaning: "a time in which the mock LLM fails on purpose"},
		{English: "metastable", Chinese: "亚稳态", Meaning: "bad after its cause is gone"},
		{English: "goodput", Chinese: "有效吞吐", Meaning: "turns that were answered in time"},
		{English: "tier", Chinese: "档位", Also: []string{"档"}, Meaning: "who answered: the model, the FAQ, a person, a fixed text"},
		{English: "mock LLM", Chinese: "模拟 LLM", Meaning: "the bundled server that stands for the model"},
		{English: "LLM calls", Chinese: "LLM 调用", Never: []string{"模型调用"}, Meaning: "what the target asked the model"},
		{English: "chunk gap", Chinese: "分块间隔", Never: []string{"分片间隔"}, Meaning: "time between two pieces of a streamed answer"},
		{English: "first token", Chinese: "首个 token", Meaning: "time to the first piece of a streamed answer"},
		{English: "shard", Chinese: "分片", Meaning: "the part of a load that one process or machine bears"},
		{English: "journal", Chinese: "运行记录", Meaning: "the file that a run is recovered from"},
		{English: "objective", Chinese: "目标", Meaning: "one thing the SLA asks"},
		{English: "budget", Chinese: "预算", Meaning: "how much may be bad"},
		{English: "burn", Chinese: "消耗", Meaning: "how fast a budget is spent"},
		{English: "verdict", Chinese: "结论", Meaning: "the answer to an objective, or to the run"},
		{English: "inconclusive", Chinese: "证据不足", Meaning: "too little was seen either way"},
		{English: "not verified", Chinese: "未验证", Meaning: "nothing that was recorded bears on it"},
		{English: "confidence", Chinese: "置信度", Meaning: "how sure an inference is"},
		{English: "recovery", Chinese: "恢复", Meaning: "the return after a storm"},
		{English: "descriptors", Chinese: "描述符", Meaning: "what the system lends for connections"},
		{English: "connections", Chinese: "连接", Meaning: "whom a connection is shared by"},
		{English: "knobs", Chinese: "参数", Meaning: "settings of the bundled server"},
		{English: "baseline", Chinese: "基线", Meaning: "what is compared with"},
		{English: "candidate", Chinese: "候选", Meaning: "what is compared"},
	}
}

// known is a term ready to be looked for.
type knownTerm struct {
	Term
	english *regexp.Regexp
}

var knownTerms = sync.OnceValue(func() []knownTerm {
	var out []knownTerm
	for _, t := range Vocabulary() {
		word := regexp.QuoteMeta(t.English)
		if before, ok := strings.CutSuffix(word, "y"); ok {
			word = before + "(y|ie)"
		}
		out = append(out, knownTerm{t, regexp.MustCompile(`(?i)(^|[^\w./-])` + word + `s?($|[^\w./-]|\.( |$))`)})
	}
	return out
})

// halfWidth is punctuation of the other script beside a Chinese character.
var halfWidth = regexp.MustCompile(`\p{Han}[,;:!?()]|[,;:!?()]\p{Han}`)

// Faults says what is wrong with a Chinese text, given the English one: a term
// that is called otherwise, or punctuation that is not full-width. None is nil.
func Faults(english, chinese string) (faults []string) {
	if at := halfWidth.FindString(chinese); at != "" {
		faults = append(faults, "half-width punctuation in "+at)
	}
	english = hole.ReplaceAllString(english, "")
	for _, t := range knownTerms() {
		for _, never := range t.Never {
			if strings.Contains(chinese, never) {
				faults = append(faults, never+" is called "+t.Chinese)
			}
		}
		says := func(form string) bool { return strings.Contains(chinese, form) }
		if t.english.MatchString(english) && !slices.ContainsFunc(append([]string{t.Chinese}, t.Also...), says) {
			faults = append(faults, t.English+" is "+t.Chinese)
		}
	}
	return faults
}

// hole is an argument in a text of the table.
var hole = regexp.MustCompile(`\{(\w+)(?::(\w+))?\}`)
