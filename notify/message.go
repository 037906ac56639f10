// Package notify tells people of a verdict where they talk: robots of DingTalk, Feishu
// and WeCom, Slack, or a webhook of one's own.
package notify

import (
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// mostRunes is how much of a text that somebody else wrote is passed on.
const mostRunes = 600

// Message is what is told: a title, three numbers, why, and where to read more.
type Message struct {
	Title   string
	Numbers [3]string
	Why     string // "" where nothing is to be said
	Link    string // "" without one
	Doc     *result.Document
}

// New makes the message about a result in a language. Nothing in it can be taken for
// markup or for a mention of somebody.
func New(doc *result.Document, link string, lang reason.Lang) *Message {
	m := &Message{Title: plain("cstest " + doc.Scenario.Name + ": " + reason.Word(doc.Verdict).Text(lang)), Link: link, Doc: doc}
	m.Numbers = [3]string{
		reason.Say("answered %s", optionalShare(doc.Availability.Answers)).Text(lang),
		reason.Say("P99 %s", optionalTime(doc)).Text(lang),
		reason.Say("%s turns, %s of full quality", unit.Count(doc.Counts.Turns).Text(), fullQuality(doc)).Text(lang),
	}
	for i, o := range doc.Objectives {
		if o.Kind == scenario.KindFullQuality && o.Measured != nil {
			m.Numbers[2] = reason.Say("%s turns, %s of full quality", unit.Count(doc.Counts.Turns).Text(), optionalShare(doc.Objectives[i].Measured)).Text(lang)
			break
		}
	}
	switch {
	case len(doc.ReasonCodes) > 0 && doc.ReasonCodes.Known():
		m.Why = plain(doc.ReasonCodes[0].Text(lang))
	case len(doc.Reasons) > 0:
		m.Why = plain(doc.Reasons[0])
	}
	return m
}

// Lines are the message but for its title and link.
func (m *Message) Lines() []string {
	lines := []string{strings.Join(m.Numbers[:], " · ")}
	if m.Why != "" {
		lines = append(lines, m.Why)
	}
	return lines
}

const none = "–"

func optionalShare(v *float64) string {
	if v == nil {
		return none
	}
	return unit.Share(*v).Text()
}

// optionalTime is the P99 of the answers that are judged.
func optionalTime(doc *result.Document) string {
	q := doc.Latency.Response
	if doc.Latency.Judged != nil {
		q = *doc.Latency.Judged
	}
	if q.P99Ns == nil {
		return none
	}
	return unit.Duration(*q.P99Ns).Text()
}

// fullQuality is the share of all turns that were answered as they should be.
func fullQuality(doc *result.Document) string {
	if doc.Counts.Asked() == 0 {
		return none
	}
	return unit.Share(float64(doc.Counts.OK) / float64(doc.Counts.Asked())).Text()
}

// markup are the characters that mean something to one of the receivers, and others
// that look like them.
var markup = strings.NewReplacer("<", "＜", ">", "＞", "@", "＠", "[", "［", "]", "］", "*", "＊", "`", "'", "#", "＃", "&", "＆", "_", "＿", "~", "～")

// plain is a text on one line, without markup.
func plain(text string) string {
	text = escape.Clean(text)
	if r := []rune(text); len(r) > mostRunes {
		text = string(r[:mostRunes]) + "…"
	}
	return markup.Replace(text)
}
