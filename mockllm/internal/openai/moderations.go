package openai

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// categories are those of the vendor, with the words by which this server
// finds them: a stated rule, not a judgement.
var categories = []struct {
	name  string
	words []string
}{
	{"harassment", []string{"傻逼", "idiot"}},
	{"harassment/threatening", nil},
	{"hate", nil},
	{"hate/threatening", nil},
	{"illicit", []string{"毒品", "drugs"}},
	{"illicit/violent", []string{"炸弹", "bomb"}},
	{"self-harm", []string{"自杀", "suicide"}},
	{"self-harm/instructions", nil},
	{"self-harm/intent", nil},
	{"sexual", []string{"色情", "porn"}},
	{"sexual/minors", nil},
	{"violence", []string{"杀了", "kill"}},
	{"violence/graphic", nil},
}

// Moderations writes what was found in each input.
type Moderations struct {
	prompt.Reply
	found []uint32 // a bit for each category
}

// DecodeModerations reads a moderation request into r and what is found into m.
func DecodeModerations(r *prompt.Request, m *Moderations, body []byte, limits *prompt.Limits) error {
	return decodeInputs(r, body, limits, func(name string, v gjson.Result) error {
		if name != "input" {
			return nil
		}
		if first := v.Get("0"); v.IsArray() && first.IsObject() { // parts of one input
			var all []string
			for _, part := range v.Array() {
				all = append(all, part.Get("text").String())
			}
			r.Asked = true
			text := strings.Join(all, "\n")
			r.Text(text)
			m.found = append(m.found, categoriesOf(text))
			return nil
		}
		return readInputs(r, v, func(text string) { m.found = append(m.found, categoriesOf(text)) })
	})
}

func categoriesOf(text string) uint32 {
	found := uint32(0)
	text = strings.ToLower(text)
	for i, c := range categories {
		for _, w := range c.words {
			if strings.Contains(text, w) {
				found |= 1 << i
			}
		}
	}
	return found
}

// Whole appends the body of the answer.
func (m *Moderations) Whole(dst []byte, _, _ string, _ prompt.Usage) []byte {
	dst = append(m.head(dst), `,"results":[`...)
	for i, found := range m.found {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendBool(append(dst, `{"flagged":`...), found != 0)
		dst = append(m.each(append(dst, `,"categories":{`...), func(dst []byte, c int) []byte {
			return strconv.AppendBool(dst, found&(1<<c) != 0)
		}), '}')
		dst = append(m.each(append(dst, `,"category_scores":{`...), func(dst []byte, c int) []byte {
			if found&(1<<c) != 0 {
				return append(dst, "0.99"...)
			}
			return append(dst, "0.001"...)
		}), '}')
		dst = append(m.each(append(dst, `,"category_applied_input_types":{`...), func(dst []byte, _ int) []byte {
			return append(dst, `["text"]`...)
		}), "}}"...)
	}
	return append(dst, "]}"...)
}

func (m *Moderations) each(dst []byte, value func(dst []byte, category int) []byte) []byte {
	for i, c := range categories {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = value(append(jsontext.AppendString(dst, c.name), ':'), i)
	}
	return dst
}

func (m *Moderations) head(dst []byte) []byte {
	dst = append(append(append(dst, `{"id":"modr-`...), m.ID[:]...), `","model":`...)
	return jsontext.AppendString(dst, m.Model)
}

// Hollow appends an answer without results.
func (m *Moderations) Hollow(dst []byte, _ prompt.Usage) []byte {
	return append(m.head(dst), `,"results":[]}`...)
}
