package trial

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
)

// exchangeWords are the texts around what was said. Fields that end in F are formats.
type exchangeWords struct {
	lang                                               reason.Lang
	Request, Response, Extracted, Paths, Outcome       string
	Nothing, None, NotFound, Found, NotMapped, Unheard string
	Instead                                            string // behind NotFound
	Tier, Answer, StatusF, AfterF                      string
	UnknownAuthority, Colon                            string
	Spent, SpentF, UntoldF, CallsF, NotTrueF, ExampleF string
}

func exchangeWordsIn(lang reason.Lang) exchangeWords {
	if lang == reason.Chinese {
		return exchangeWords{
			lang: lang, Request: "请求", Response: "响应", Extracted: "取出的内容", Paths: "路径", Outcome: "结果",
			Nothing: "（空）", None: "（无）", NotFound: "未找到", Found: "找到：", Instead: "；那里有 ", NotMapped: "与映射不符：", Unheard: "没有应答",
			Tier: "档位", Answer: "应答", StatusF: "状态码 %d", AfterF: "%s，%s，用时 %s", ExampleF: "例如 %s",
			UnknownAuthority: "（请在 target.tls.ca 中写明其 CA，或加 --insecure）", Colon: "：",
			Spent: "token", SpentF: "输入 %d，输出 %d；%d 个应答中有 %d 个告知", UntoldF: "未告知（%d 个应答）", CallsF: "；工具调用 %d 次",
			NotTrueF: "，不是 true：若它表示一切正常，请写 ok: {path: %s, equals: %s}",
		}
	}
	return exchangeWords{
		lang: lang, Request: "request", Response: "response", Extracted: "extracted", Paths: "paths", Outcome: "outcome",
		Nothing: "(nothing)", None: "(none)", NotFound: "not found", Found: "found: ", Instead: "; there is ", NotMapped: "not as mapped: ", Unheard: "no answer",
		Tier: "tier", Answer: "answer", StatusF: "status %d", AfterF: "%s, %s after %s", ExampleF: "such as %s",
		UnknownAuthority: " (name its CA in target.tls.ca, or add --insecure)", Colon: ": ",
		Spent: "tokens", SpentF: "%d in, %d out; of %d answers %d told", UntoldF: "not told (%d answers)", CallsF: "; %d tool calls",
		NotTrueF: ", which is not true: where that means that all is well, write ok: {path: %s, equals: %s}",
	}
}

// outcome is the name of the outcome: in English as in results, where it is looked for.
func (w *exchangeWords) outcome(e *Exchange) string {
	if w.lang == reason.English {
		return e.Outcome.String()
	}
	return reason.Word(e.Outcome.String()).Text(w.lang)
}

func (w *exchangeWords) orNone(s string) string { return cmp.Or(s, w.None) }

// Why says in one line what was wrong.
func (e *Exchange) Why(lang reason.Lang) string {
	w := exchangeWordsIn(lang)
	why := cmp.Or(e.cause(&w), fmt.Sprintf(w.StatusF, e.Status))
	return w.outcome(e) + w.Colon + why
}

// cause is what is known of why, with what to do where that is known; may be empty.
func (e *Exchange) cause(w *exchangeWords) string {
	why := cmp.Or(e.Message, e.Because)
	text := reason.Word(why).Text(w.lang)
	if strings.Contains(why, "unknown authority") {
		text += w.UnknownAuthority
	}
	return text
}

// Text is the whole exchange, indented.
func (e *Exchange) Text(lang reason.Lang) string {
	w := exchangeWordsIn(lang)
	var b strings.Builder
	section := func(title, text string) {
		text = cmp.Or(strings.TrimSpace(text), w.Nothing)
		if len(text) > 4000 {
			text = strings.ToValidUTF8(text[:4000], "") + "…"
		}
		fmt.Fprintf(&b, "  %s\n    %s\n", title, strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\n    "))
	}
	for _, m := range e.Before {
		section(w.Request, m.Request)
		section(w.Response, m.Response)
	}
	section(w.Request, e.Request)
	section(w.Response, e.Response)
	fmt.Fprintf(&b, "  %s\n    dialog_id  %s\n    %-9s  %s\n    %-9s  %s\n", w.Extracted, w.orNone(e.DialogID), w.Answer, w.orNone(e.Answer), w.Tier, e.Tier)
	if tokens := w.tokens(e); tokens != "" {
		fmt.Fprintf(&b, "    %-9s  %s\n", w.Spent, tokens)
	}
	if len(e.Paths) > 0 {
		fmt.Fprintf(&b, "  %s\n", w.Paths)
	}
	for _, p := range e.Paths {
		what := w.NotFound
		switch {
		case p.Found:
			what = w.Found + w.orNone(oneLine(p.Value))
		case p.Instead != "":
			what += w.Instead + p.Instead
		}
		if p.Found && p.Truth && p.Value != "true" && p.Value != "false" {
			what += fmt.Sprintf(w.NotTrueF, p.Path, oneLine(p.Value))
		}
		fmt.Fprintf(&b, "    %-13s  %s  %s\n", p.Field, p.Path, what)
	}
	status := w.Unheard
	if e.Status != 0 {
		status = fmt.Sprintf(w.StatusF, e.Status)
	}
	fmt.Fprintf(&b, "  %s\n    "+w.AfterF+"\n", w.Outcome, w.outcome(e), status, e.Took.Round(10*time.Microsecond))
	if why := e.cause(&w); why != "" {
		fmt.Fprintf(&b, "    %s\n", why)
	}
	if e.Example != "" {
		fmt.Fprintf(&b, "    "+w.ExampleF+"\n", shortened(e.Example, shownExample))
	}
	for _, what := range e.Unmapped {
		fmt.Fprintf(&b, "    %s%s\n", w.NotMapped, what.Text(lang))
	}
	return b.String()
}

// tokens are those that the answers told; empty where no model was asked for any.
func (w *exchangeWords) tokens(e *Exchange) string {
	u := &e.Usage
	if u.Answers == 0 {
		return ""
	}
	text := fmt.Sprintf(w.UntoldF, u.Answers)
	if u.Told > 0 {
		text = fmt.Sprintf(w.SpentF, u.Input, u.Output, u.Answers, u.Told)
	}
	if u.Calls > 0 {
		text += fmt.Sprintf(w.CallsF, u.Calls)
	}
	return text
}

// shownExample is how much is shown of what came in place of an answer.
const shownExample = 300

// oneLine is the beginning of a value, for a table.
func oneLine(s string) string { return shortened(s, 60) }

// shortened is the first so many characters of a text, in one line.
func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.ReplaceAll(s, "\n", " ")
}
