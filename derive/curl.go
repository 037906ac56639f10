package derive

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// ParseCurl reads curl commands, in the order in which they were sent. The notes say
// what of them the scenario will not do.
func ParseCurl(text string) (list []*Exchange, notes reason.Reasons, err error) {
	if len(text) > MaxSource {
		return nil, nil, reason.Errorf("the command is too long")
	}
	all, err := commands(strings.TrimSpace(text))
	if err != nil {
		return nil, nil, reason.Errorf("curl command: %w", err)
	}
	for _, words := range all {
		if strings.TrimSuffix(words[0], ".exe") != "curl" {
			if len(list) > 0 {
				continue
			}
			break
		}
		c := curl{x: &Exchange{}}
		if err := c.options(words[1:]); err != nil {
			return nil, nil, err
		}
		x, said, err := c.exchange()
		if err != nil {
			return nil, nil, err
		}
		list, notes = append(list, x), append(notes, said...)
	}
	if len(list) == 0 {
		return nil, nil, reason.Errorf(`that is no curl command: it begins with curl; in a browser's network tab choose "Copy as cURL (bash)"`)
	}
	return list, notes, nil
}

// curl is a command as far as it was read.
type curl struct {
	x     *Exchange
	url   string
	data  []string
	json  bool
	get   bool
	head  bool
	notes reason.Reasons
}

// option is how one of curl's options is taken: with a value, or without.
type option struct {
	value bool
	take  func(c *curl, val string)
}

// curlOptions are those that say what the request is, by long name.
var curlOptions = map[string]option{
	"request":    {true, func(c *curl, v string) { c.x.Method = strings.ToUpper(v) }},
	"url":        {true, func(c *curl, v string) { c.url = v }},
	"header":     {true, (*curl).header},
	"user-agent": {true, func(c *curl, v string) { c.x.Headers = append(c.x.Headers, Field{Name: "user-agent", Value: v}) }},
	"referer":    {true, func(c *curl, v string) { c.x.Headers = append(c.x.Headers, Field{Name: "referer", Value: v}) }},
	"cookie":     {true, (*curl).cookie},
	"user":       {true, (*curl).user},
	"oauth2-bearer": {true, func(c *curl, v string) {
		c.x.Headers = append(c.x.Headers, Field{Name: "authorization", Value: "Bearer " + v})
	}},
	"data":           {true, (*curl).dataOrFile},
	"data-ascii":     {true, (*curl).dataOrFile},
	"data-binary":    {true, (*curl).dataOrFile},
	"data-raw":       {true, func(c *curl, v string) { c.data = append(c.data, v) }},
	"data-urlencode": {true, (*curl).encoded},
	"json":           {true, func(c *curl, v string) { c.json = true; c.dataOrFile(v) }},
	"form":           {true, (*curl).form},
	"form-string":    {true, func(c *curl, v string) { c.part(v, false) }},
	"get":            {false, func(c *curl, _ string) { c.get = true }},
	"head":           {false, func(c *curl, _ string) { c.head = true }},
	"insecure":       {false, func(c *curl, _ string) { c.x.Insecure = true }},
	"proxy":          {true, func(c *curl, _ string) { c.leftOut("--proxy", "target.resolve") }},
	"cert":           {true, func(c *curl, _ string) { c.leftOut("--cert", "target.tls") }},
	"key":            {true, func(*curl, string) {}},
	"cacert":         {true, func(c *curl, _ string) { c.leftOut("--cacert", "target.tls.ca") }},
	"resolve":        {true, func(c *curl, _ string) { c.leftOut("--resolve", "target.resolve") }},
}

// curlShort are the letters of options.
var curlShort = map[byte]string{
	'X': "request", 'H': "header", 'A': "user-agent", 'e': "referer", 'b': "cookie", 'u': "user", 'd': "data", 'F': "form", 'G': "get", 'I': "head",
	'k': "insecure", 'x': "proxy", 'E': "cert",
}

// Options that change nothing of the request: those with a value, and letters.
var (
	curlIgnoredValues  = []string{"output", "max-time", "connect-timeout", "retry", "retry-delay", "retry-max-time", "write-out", "cookie-jar", "limit-rate", "max-redirs", "dump-header", "trace", "trace-ascii", "interface", "keepalive-time", "config", "range", "speed-limit", "speed-time", "stderr", "ciphers", "tls-max", "unix-socket", "noproxy", "user-agent-file"}
	curlIgnoredLetters = map[byte]bool{'o': true, 'm': true, 'w': true, 'c': true, 'D': true, 'r': true, 'K': true, 'Y': true, 'y': true}
)

func (c *curl) options(list []string) error {
	for len(list) > 0 {
		arg := list[0]
		list = list[1:]
		var err error
		switch {
		case arg == "--" || arg == "-" || arg == "":
		case strings.HasPrefix(arg, "--"):
			list, err = c.long(arg[2:], list)
		case arg[0] == '-':
			list, err = c.short(arg[1:], list)
		case c.url == "":
			c.url = arg
		default:
			c.notes = append(c.notes, reason.New(reason.DeriveWordLeftOut, arg))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *curl) long(name string, list []string) ([]string, error) {
	name, val, attached := strings.Cut(name, "=")
	o, known := curlOptions[name]
	if !known && !slices.Contains(curlIgnoredValues, name) || known && !o.value {
		if known {
			o.take(c, "")
		}
		return list, nil // a switch, such as --compressed
	}
	if !attached {
		if len(list) == 0 {
			return nil, reason.Errorf("curl command: --%s has no value", name)
		}
		val, list = list[0], list[1:]
	}
	if known {
		o.take(c, val)
	}
	return list, nil
}

func (c *curl) short(letters string, list []string) ([]string, error) {
	for i := range len(letters) {
		name := curlShort[letters[i]]
		o := curlOptions[name]
		if !o.value && !curlIgnoredLetters[letters[i]] {
			if name != "" {
				o.take(c, "")
			}
			continue
		}
		val := letters[i+1:]
		if val == "" {
			if len(list) == 0 {
				return nil, reason.Errorf("curl command: -%c has no value", letters[i])
			}
			val, list = list[0], list[1:]
		}
		if name != "" {
			o.take(c, val)
		}
		break
	}
	return list, nil
}

func (c *curl) leftOut(option, see string) {
	c.notes = append(c.notes, reason.New(reason.DeriveOptionLeftOut, option, see))
}

func (c *curl) header(v string) {
	name, val, ok := strings.Cut(v, ":")
	if !ok || strings.HasPrefix(v, "@") {
		return // -H 'Name;' and files of headers say nothing of a chat
	}
	c.x.Headers = append(c.x.Headers, Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(val)})
}

func (c *curl) cookie(v string) {
	if !strings.Contains(v, "=") {
		c.leftOut("--cookie "+v, "target.cookies")
		return
	}
	c.x.Headers = append(c.x.Headers, Field{Name: "cookie", Value: v})
}

func (c *curl) user(v string) {
	c.x.Headers = append(c.x.Headers, Field{Name: "authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(v))})
}

func (c *curl) dataOrFile(v string) {
	if file, ok := strings.CutPrefix(v, "@"); ok {
		c.notes = append(c.notes, reason.New(reason.DeriveBodyInFile, file))
		return
	}
	c.data = append(c.data, v)
}

// encoded takes --data-urlencode NAME=TEXT, =TEXT or TEXT.
func (c *curl) encoded(v string) {
	name, val, ok := strings.Cut(v, "=")
	if !ok {
		name, val = "", v
	}
	if name != "" {
		name += "="
	}
	c.data = append(c.data, name+url.QueryEscape(val))
}

func (c *curl) form(v string) { c.part(v, true) }

func (c *curl) part(v string, files bool) {
	name, val, ok := strings.Cut(v, "=")
	if !ok {
		return
	}
	f := Field{Name: name, Value: val}
	if files && len(val) > 1 && (val[0] == '@' || val[0] == '<') {
		path, _, _ := strings.Cut(val[1:], ";")
		f.Value, f.File = path, true
	}
	c.x.Multi = true
	c.x.Form = append(c.x.Form, f)
}

// exchange puts together what the options said.
func (c *curl) exchange() (*Exchange, reason.Reasons, error) {
	x := c.x
	if c.url == "" {
		return nil, nil, reason.Errorf("curl command: it has no address")
	}
	if !strings.Contains(c.url, "://") {
		c.url = "http://" + c.url
	}
	u, err := parseURL(c.url)
	if err != nil {
		return nil, nil, reason.Errorf("curl command: %w", err)
	}
	x.URL = u
	if c.head {
		return nil, nil, reason.Errorf("curl command: -I asks for headers only: that is no chat")
	}
	body := strings.Join(c.data, "&")
	if c.json {
		body = strings.Join(c.data, "")
		x.Headers = append(x.Headers, Field{Name: "content-type", Value: "application/json"})
	}
	switch {
	case c.get && body != "":
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+body, "&")
	case body != "":
		if x.media() == "" {
			x.Headers = append(x.Headers, Field{Name: "content-type", Value: guessMedia(body)})
		}
		x.setBody(body)
	}
	if x.Method == "" {
		x.Method = "GET"
		if !c.get && (len(c.data) > 0 || len(x.Form) > 0) {
			x.Method = "POST"
		}
	}
	return x, c.notes, nil
}

// guessMedia: curl says that every body is a form, and people forget the header of JSON.
func guessMedia(body string) string {
	if _, err := parseJSON(body); err == nil && strings.HasPrefix(strings.TrimSpace(body), "{") {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// setBody keeps a body as what its content type says it is.
func (x *Exchange) setBody(body string) {
	if x.media() != "application/x-www-form-urlencoded" {
		x.Body = body
		return
	}
	for pair := range strings.SplitSeq(body, "&") {
		name, val, _ := strings.Cut(pair, "=")
		x.Form = append(x.Form, Field{Name: unescape(name), Value: unescape(val)})
	}
}

// unescape gives a form's text; one that is none stays as it is.
func unescape(s string) string {
	if t, err := url.QueryUnescape(s); err == nil {
		return t
	}
	return s
}

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, reason.Errorf("%.200q is no http or https address", text)
	}
	return u, nil
}
