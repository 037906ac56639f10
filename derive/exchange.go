package derive

import (
	"net/url"
	"strings"
)

// MaxSource is how long a curl command or a HAR file may be, in bytes.
const MaxSource = 64 << 20

// Exchange is a request, and its answer where one was recorded. Its texts but for the
// answer's are templates: ${env:NAME} stands for a shell variable, and every ${ that
// was there is $${.
type Exchange struct {
	Method   string
	URL      *url.URL
	Headers  []Field
	Body     string  // whole, when it is no form
	Form     []Field // of multipart/form-data or application/x-www-form-urlencoded
	Multi    bool    // the form is multipart
	Insecure bool    // certificates were not checked
	// Described: nobody asked this; it was made of what an API's description says.
	Described bool
	Answer    *Answer
}

// Field is a header or a field of a form. File: the value is a file's name.
type Field struct {
	Name, Value string
	File        bool
}

// Answer is what came back.
type Answer struct {
	Status  int
	Type    string // the media type, lower case
	Body    string
	Headers []Field // but for cookies
	Cookies []Field // that it set
}

// header gives the first of that name, empty where there is none.
func (x *Exchange) header(name string) string {
	for _, f := range x.Headers {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// media is the media type of the body.
func (x *Exchange) media() string {
	media, _, _ := strings.Cut(x.header("content-type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// literal is a text as a template that gives that text.
func literal(s string) string { return strings.ReplaceAll(s, "${", "$${") }

// setHeader keeps a header of the answer.
func (a *Answer) setHeader(name, val string) {
	if !strings.EqualFold(name, "set-cookie") {
		a.Headers = append(a.Headers, Field{Name: strings.ToLower(name), Value: val})
		return
	}
	for line := range strings.SplitSeq(val, "\n") { // as browsers write several into a HAR file
		pair, _, _ := strings.Cut(line, ";")
		if name, val, ok := strings.Cut(pair, "="); ok {
			a.Cookies = append(a.Cookies, Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(val)})
		}
	}
}
