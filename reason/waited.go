package reason

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// waitedRows are pieces of failures' messages that cstest words around what stands in a
// scenario: what a turn waited for, and what came instead. %s are the arguments.
func waitedRows() []phraseRow {
	return []phraseRow{
		{"more than %s messages came, %s", "收到超过 %s 条消息，%s"},
		{"more than %s events came, %s", "收到超过 %s 个事件，%s"},
		{"more than %s lines came, %s", "收到超过 %s 行，%s"},
		{"more than %s answers came, %s", "收到超过 %s 个应答，%s"},
		{"1 message came, %s", "收到 1 条消息，%s"},
		{"%s messages came, %s", "收到 %s 条消息，%s"},
		{"1 event came, %s", "收到 1 个事件，%s"},
		{"%s events came, %s", "收到 %s 个事件，%s"},
		{"1 line came, %s", "收到 1 行，%s"},
		{"%s lines came, %s", "收到 %s 行，%s"},
		{"1 answer came, %s", "收到 1 个应答，%s"},
		{"%s answers came, %s", "收到 %s 个应答，%s"},
		{"%s holds for none: %s", "%s 对它们都不成立：%s"},
		{"none is the acknowledgement", "其中没有确认"},
		{"the body did not end", "响应体没有结束"},
		{"all have status 202", "状态码都是 202"},
		{"none says at %s that the job is done", "%s 处都没有说作业已完成"},
		{"there is no %s at %s", "%[2]s 处没有出现 %[1]s"},
		{"there is no %s", "没有出现 %s"},
		{"there is nothing at %s", "%s 处没有内容"},
		{"what is at %s does not fit (%s)", "%s 处的内容不符（%s）"},
		{"the answer is empty: there is no text at %s, or response.stream.delta_when holds for none", "应答为空：%s 处没有文本，或者没有一个事件使 response.stream.delta_when 成立"},
		{"the answer is empty: there is no text at %s", "应答为空：%s 处没有文本"},
		{"the job was not done within the timeout", "作业未在超时前完成"},
		{"the customer left: no answer within load.patience", "客户已离开：在 load.patience 内没有应答"},
		{"the upgrade was not answered within the timeout", "升级请求在超时前没有得到应答"},
		{"the stream ended without its terminal event", "流在结束事件之前终止"},
		{"the stream ended without an event that is the answer", "流结束了，其中没有一个事件是应答"},
		{"no event done came", "没有收到 done 事件"},
		{"no response.completed came", "没有收到 response.completed"},
		{"neither a finish_reason nor [DONE] came", "既没有收到 finish_reason，也没有收到 [DONE]"},
		{"socket.io: no open packet of engine.io within the timeout", "socket.io：超时前没有收到 engine.io 的 open 包"},
		{"socket.io: no answer to the connect packet of %s within the timeout", "socket.io：对 %s 的 connect 包在超时前没有应答"},
		{"ok does not hold, %s", "ok 不成立，%s"},
	}
}

// waitedForm is a row ready to be looked for.
type waitedForm struct {
	literal string // of the row, in every piece that it fits: most are told from it by that
	english *regexp.Regexp
	chinese string
}

var waitedForms = sync.OnceValue(func() (out []waitedForm) {
	for _, r := range waitedRows() {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(r.en), "%s", "(.+?)")
		literal := slices.MaxFunc(strings.Split(r.en, "%s"), func(a, b string) int { return len(a) - len(b) })
		out = append(out, waitedForm{literal, regexp.MustCompile("^" + pattern + "$"), r.zh})
	}
	return out
})

// causes are the messages that are one piece.
var causes = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for _, w := range causeWords() {
		out[w.en] = w.zh
	}
	return out
})

// inPieces is a failure's message in Chinese: of its pieces, those that cstest words.
func inPieces(message string) string {
	pieces := strings.Split(message, "; ")
	for i, p := range pieces {
		pieces[i] = inChinesePiece(p)
	}
	if len(pieces) > 1 && strings.Join(pieces, "; ") == message {
		return message // somebody else's
	}
	return strings.Join(pieces, "；")
}

func inChinesePiece(piece string) string {
	if zh, ok := causes()[piece]; ok {
		return zh
	}
	for _, f := range waitedForms() {
		if !strings.Contains(piece, f.literal) {
			continue
		}
		if m := f.english.FindStringSubmatch(piece); m != nil {
			args := make([]any, len(m)-1)
			for i, text := range m[1:] {
				args[i] = inChinesePiece(text)
			}
			return fmt.Sprintf(f.chinese, args...)
		}
	}
	// The step that it was said of stands before.
	if before, rest, ok := strings.Cut(piece, ": "); ok {
		if said := inChinesePiece(rest); said != rest {
			return before + "：" + said
		}
	}
	return piece
}
