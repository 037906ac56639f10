package derive

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/cstest/cstest/reason"
)

// maxAnswer is how much of an answer is looked at, in bytes.
const maxAnswer = 1 << 20

// Send asks the server once, as the exchange says, and keeps its answer. env gives the
// variables of the environment that it names.
func (x *Exchange) Send(ctx context.Context, client *http.Client, env func(string) (string, bool)) error {
	body, kind := x.content()
	r, err := http.NewRequestWithContext(ctx, x.Method, expand(strings.ReplaceAll(x.URL.String(), "$%7B", "${"), env), strings.NewReader(expand(body, env)))
	if err != nil {
		return reason.Errorf("send the request: %w", err)
	}
	for _, f := range x.Headers {
		if !strings.EqualFold(f.Name, "accept-encoding") && !strings.EqualFold(f.Name, "content-length") && isHeaderName(f.Name) {
			r.Header.Set(f.Name, expand(f.Value, env))
		}
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := client.Do(r)
	if err != nil {
		return reason.Errorf("send the request: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return reason.Errorf("read the answer: %w", err)
	}
	media, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	x.Answer = &Answer{Status: answer.StatusCode, Type: strings.ToLower(strings.TrimSpace(media)), Body: string(text)}
	return nil
}

// content is the body, and its content type where the headers do not have it.
func (x *Exchange) content() (body, kind string) {
	if len(x.Form) == 0 {
		return x.Body, ""
	}
	if !x.Multi {
		vals := make([]string, len(x.Form))
		for i, f := range x.Form {
			vals[i] = url.QueryEscape(f.Name) + "=" + url.QueryEscape(f.Value)
		}
		return strings.Join(vals, "&"), ""
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range x.Form {
		if !f.File {
			_ = w.WriteField(f.Name, f.Value) // into memory: cannot fail
		}
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

// expand puts values for ${env:NAME} into a template, and ${ for $${.
func expand(s string, env func(string) (string, bool)) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		if !found {
			b.WriteString(s)
			return b.String()
		}
		if strings.HasSuffix(before, "$") {
			b.WriteString(before[:len(before)-1] + "${")
			s = after
			continue
		}
		b.WriteString(before)
		name, rest, closed := strings.Cut(after, "}")
		val, ok := "", false
		if closed {
			val, ok = env(strings.TrimPrefix(name, "env:"))
		}
		if !ok {
			b.WriteString("${")
			s = after
			continue
		}
		b.WriteString(val)
		s = rest
	}
}
