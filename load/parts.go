package load

import (
	"encoding/base64"
	"fmt"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/scenario"
)

// part is what a message has behind its text.
type part struct {
	text   text // of an image its address
	image  bool
	detail string
	whole  []byte // the same in every conversation; nil: text says
}

// newPart makes a part ready to be said. The file of an image is read once.
func (s *Script) newPart(from *scenario.ContentPart, sc *scenario.Scenario) (p part, err error) {
	p = part{image: from.Image != "", detail: string(from.Detail)}
	say := from.Text
	if p.image {
		say = from.Image
	}
	switch {
	case from.IsFile():
		content, err := sc.Upload(from.Image)
		if err != nil {
			return p, err
		}
		p.whole = fmt.Appendf(nil, "data:%s;base64,", scenario.ImageType(from.Image))
		p.whole = base64.StdEncoding.AppendEncode(p.whole, content)
		return p, nil
	case p.image && len(say) > 5 && say[:5] == "data:":
		p.whole = []byte(say)
		return p, nil
	}
	if p.text, err = s.parseText(say); err != nil {
		return p, err
	}
	if whole, ok := p.text.Constant(); ok {
		p.whole = []byte(whole)
	}
	return p, nil
}

// appendParts are those of a turn of c. What differs from conversation to conversation
// is in memory of its own, for the dialog keeps it.
func (c *conversation) appendParts(dst []driver.Part, list []part) []driver.Part {
	for i := range list {
		p := &list[i]
		said := p.whole
		if said == nil {
			said = p.text.Append(nil, c)
		}
		dst = append(dst, driver.Part{Text: said, Image: p.image, Detail: p.detail})
	}
	return dst
}
