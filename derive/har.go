package derive

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/cstest/cstest/reason"
)

// har is what of HTTP Archive 1.2 matters here.
type har struct{ Log struct{ Entries []harEntry } }

type harEntry struct {
	Request struct {
		Method   string
		URL      string
		Headers  []harField
		PostData *struct {
			MimeType string
			Text     string
			Params   []struct{ Name, Value, FileName string }
		}
	}
	Response struct {
		Status  int
		Headers []harField
		Content struct {
			MimeType, Text, Encoding string
		}
	}
}

type harField struct{ Name, Value string }

// ParseHAR reads a HAR file: its requests over HTTP in their order.
func ParseHAR(file []byte) ([]*Exchange, error) {
	if len(file) > MaxSource {
		return nil, reason.Errorf("the file is too long")
	}
	var h har
	if err := json.Unmarshal(file, &h); err != nil {
		return nil, reason.Errorf("that is no HAR file (JSON with log.entries): %w", err)
	}
	var out []*Exchange
	for i := range h.Log.Entries {
		if x := h.Log.Entries[i].exchange(); x != nil {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		return nil, reason.Errorf("the HAR file has no request over http or https")
	}
	return out, nil
}

// exchange is nil for what does not go over HTTP: data:, blob:, ws: and extensions.
func (e *harEntry) exchange() *Exchange {
	u, err := parseURL(literal(e.Request.URL))
	if err != nil {
		return nil
	}
	x := &Exchange{Method: strings.ToUpper(e.Request.Method), URL: u}
	for _, f := range e.Request.Headers {
		if !strings.HasPrefix(f.Name, ":") {
			x.Headers = append(x.Headers, Field{Name: literal(f.Name), Value: literal(f.Value)})
		}
	}
	e.readPost(x)
	if e.Response.Status > 0 {
		x.Answer = e.answer()
	}
	return x
}

func (e *harEntry) readPost(x *Exchange) {
	p := e.Request.PostData
	if p == nil {
		return
	}
	if x.media() == "" && p.MimeType != "" {
		x.Headers = append(x.Headers, Field{Name: "content-type", Value: p.MimeType})
	}
	for _, f := range p.Params {
		x.Multi = x.media() == "multipart/form-data"
		x.Form = append(x.Form, Field{Name: literal(f.Name), Value: literal(f.Value + f.FileName), File: f.FileName != ""})
	}
	if len(x.Form) == 0 {
		x.setBody(literal(p.Text))
	}
}

func (e *harEntry) answer() *Answer {
	r := &e.Response
	media, _, _ := strings.Cut(r.Content.MimeType, ";")
	out := &Answer{Status: r.Status, Type: strings.ToLower(strings.TrimSpace(media)), Body: r.Content.Text}
	if r.Content.Encoding == "base64" {
		if b, err := base64.StdEncoding.DecodeString(r.Content.Text); err == nil {
			out.Body = string(b)
		}
	}
	for _, f := range r.Headers {
		out.setHeader(f.Name, f.Value)
	}
	return out
}
