package refserver

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/reference-server/answer"
)

// nothing are messages that nobody could answer.
var nothing = map[string]string{
	"one letter":  strings.Repeat("a", 500),
	"keys":        "sdlkfjsldkfj fghfgh dfgdfg zxccxv",
	"one smile":   strings.Repeat("😀", 300),
	"base64":      strings.Repeat("jNjEacYVK4HRjW6A/dee9Hi8kvEly/2SABI6HTH5rr1ksaVWKv", 30),
	"no language": "quelle heure est-il à Montréal maintenant",
}

// unknown are questions that a person could answer, and nobody else here.
var unknown = []string{
	"小提琴的弓要不要擦松香", "饺子皮擀多厚", "羽毛球拍拉多少磅", "多肉叶子软了", "棉花糖机一小时费多少电", "沙拉酱热量高吗", "隐形眼镜戴着能游泳吗",
}

func wantAskedAgain(t *testing.T, what string, r reply, tier string) {
	t.Helper()
	if r.status != 200 || !strings.HasPrefix(r.get("answer").Str, answer.AgainText) || r.get("suggestions.#").Int() != 3 || r.get("ticket").Exists() || r.get("tier").Str != tier {
		t.Errorf("%s: %d %s, want it asked for again, tier %s", what, r.status, r.body, tier)
	}
}

// What says nothing is asked for again, once in a dialog; then a person looks, and no
// other is called for it. A question that nobody here knows goes to one at once.
func TestFAQAsksAgainForWhatSaysNothing(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	for name, text := range nothing {
		if r := say(t, s, "u1", "", text); r.get("source").Str != "llm" || r.get("ticket").Exists() {
			t.Errorf("%s, with the model well: %s", name, r.body)
		}
	}
	force(t, s, "faq")
	if r := say(t, s, "u1", "", "please tell me about purple umbrella"); r.get("ticket").Exists() {
		t.Errorf("another language: %s", r.body)
	}
	for name, text := range nothing {
		uid := "u-" + strings.ReplaceAll(name, " ", "-")
		first := say(t, s, uid, "", text)
		wantAskedAgain(t, name, first, "faq")
		id := first.get("dialog_id").String()
		second := say(t, s, uid, id, text)
		second.want(t, "tier", "handoff")
		second.want(t, "ticket.queue", "general")
		wantAskedAgain(t, name+", behind a ticket", say(t, s, uid, id, text), "faq")
	}
	say(t, s, "u1", "", "小提琴的弓要不要擦松香").want(t, "ticket.queue", "general")
	for _, tier := range []string{"handoff", "static"} {
		force(t, s, tier)
		for name, text := range nothing {
			wantAskedAgain(t, name+" at "+tier, say(t, s, "u2", "", text), "static")
		}
		if r := say(t, s, "u2", "", "小提琴的弓要不要擦松香"); !r.get("ticket").Exists() {
			t.Errorf("a real question at %s: %s", tier, r.body)
		}
	}
}

// What says nothing is not asked again of the model, either.
func TestFAQKeepsNothingForLater(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.Knobs = backflowKnobs("backflow.hold", "1h") })
	force(t, s, "faq")
	for _, text := range nothing {
		wantAskedAgain(t, text, say(t, s, "u1", "", text), "faq")
	}
	say(t, s, "u1", "", "小提琴的弓要不要擦松香")
	waitFor(t, func() bool { return backflowState(t, s).get("in").Int() == 1 })
}

// One user has so many tickets of questions that nobody but people can answer, whatever
// they ask, in however many dialogs; what is people's on any day is not counted.
func TestFAQTicketsOfOneUserAreLimited(t *testing.T) {
	for _, tier := range []string{"faq", "handoff", "static"} {
		t.Run(tier, func(t *testing.T) {
			l := newScriptedLLM(t)
			s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.tickets", "3/h"))
			force(t, s, tier)
			tickets := 0
			for _, text := range unknown {
				r := say(t, s, "u1", "", text)
				if r.get("ticket").Exists() {
					tickets++
					continue
				}
				r.want(t, "answer", answer.BusyText)
				r.want(t, "degrade_reason", "user_tickets")
			}
			if tickets != 3 {
				t.Errorf("%d tickets, want 3", tickets)
			}
			for _, own := range []string{"我要投诉", "充电宝起火了", "转人工"} {
				if r := say(t, s, "u1", "", own); !r.get("ticket").Exists() {
					t.Errorf("%s: %s", own, r.body)
				}
			}
			if r := say(t, s, "u2", "", "小提琴的弓要不要擦松香"); !r.get("ticket").Exists() {
				t.Errorf("another user: %s", r.body)
			}
		})
	}
}
