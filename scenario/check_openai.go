package scenario

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxTools   = 128
	maxCalls   = 100 // of the model, within a turn
	maxPartsOf = 32  // of a message
	maxPrice   = 1e6
)

// openAI checks what is said of api openai, and of prices.
func (c *checker) openAI() {
	t := &c.Target
	c.prices()
	o := t.OpenAI
	switch {
	case o == nil:
		return
	case t.API != APIOpenAI:
		c.bad("target.openai", "is for api: openai")
		return
	case o.Form == FormChat && o.History == HistoryServer:
		c.bad("target.openai.history", "server is for form: responses: with chat completions the client keeps the dialog")
	}
	if o.MaxCalls < 1 || o.MaxCalls > maxCalls {
		c.bad("target.openai.max_calls", "must be 1 to %d", maxCalls)
	}
	c.tools(o)
}

func (c *checker) tools(o *OpenAI) {
	if len(o.Tools) > maxTools {
		c.bad("target.openai.tools", "has more than %d tools", maxTools)
	}
	seen := map[string]bool{}
	for i := range o.Tools {
		tool, path := &o.Tools[i], item("target.openai.tools", i, "")
		if !isFunctionName(tool.Name) {
			c.bad(path+".name", "%q is not the name of a function: 1 to 64 letters, digits, _ and -", short(tool.Name))
		}
		c.unique(seen, path+".name", tool.Name)
		if v, err := readJSON(tool.Parameters); len(tool.Parameters) > 0 && (err != nil || v.token != json.Delim('{')) {
			c.bad(path+".parameters", "must be a JSON Schema: a mapping such as {type: object, properties: {order_no: {type: string}}}")
		}
		if len(tool.Result) == 0 {
			c.bad(path+".result", "is missing: say what %s answers when the model calls it", short(tool.Name))
		}
	}
}

func isFunctionName(name string) bool {
	return len(name) >= 1 && len(name) <= 64 && strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}

// members checks what a request of api openai has beside what the API itself sends.
func (c *checker) members(body []byte) {
	const path = "target.request.body"
	v, err := readJSON(body)
	if err != nil || v.token != json.Delim('{') {
		c.bad(path, "must be a mapping: of api openai it is what the request has besides, such as {temperature: 0.2}")
		return
	}
	for _, name := range v.keys {
		switch own := c.Target.OpenAI; {
		case slices.Contains([]string{"messages", "input", "model", "stream", "previous_response_id"}, name):
			c.bad(join(path, name), "is what cstest itself writes: remove it, or describe the API with api: custom")
		case name == "instructions" && own != nil && own.System != "":
			c.bad(join(path, name), "is target.openai.system already: remove one of the two")
		case name == "tools" && own != nil && own.Tools != nil:
			c.bad(join(path, name), "is target.openai.tools already: remove one of the two")
		}
	}
}

func (c *checker) prices() {
	p := c.Target.Prices
	if p == nil {
		return
	}
	switch {
	case c.Target.API != APIOpenAI && (c.Target.Response == nil || c.Target.Response.Usage == nil):
		c.bad("target.prices", "nothing tells the tokens of an answer: say in target.response.usage where they stand")
	case p.Input > maxPrice || p.Output > maxPrice || p.Cached != nil && *p.Cached > maxPrice:
		c.bad("target.prices", "are of a million tokens: above 1000000 cannot be meant")
	case p.Currency != "" && (utf8.RuneCountInString(p.Currency) > 8 || strings.ContainsAny(p.Currency, " \t\r\n")):
		c.bad("target.prices.currency", "must be a word of 8 characters at most, such as USD")
	}
}

// contentParts checks what a message has beside its text.
func (c *checker) contentParts(path string, parts []ContentPart) {
	if len(parts) > 0 && c.Target.API != APIOpenAI {
		c.bad(path, "is for api: openai, whose messages have parts")
	}
	if len(parts) > maxPartsOf {
		c.bad(path, "has more than %d parts", maxPartsOf)
	}
	for i := range parts {
		p, at := &parts[i], item(path, i, "")
		switch {
		case (p.Text == "") == (p.Image == ""):
			c.bad(at, "must have exactly one of text and image")
		case p.Text != "" && p.Detail != "":
			c.bad(at+".detail", "is of an image")
		case !p.IsFile():
		case ImageType(p.Image) == "":
			c.bad(at+".image", "%q is not an image that models read: png, jpg, gif or webp, or an address that begins with https:// or data:", short(p.Image))
		case c.source.options.Recorded:
		default:
			if _, err := c.Upload(p.Image); err != nil {
				c.bad(at+".image", "%s", err)
			}
		}
	}
}
