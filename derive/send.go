package derive

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
)

const (
	maxAnswer = 1 << 20 // bytes of an answer that are looked at
	maxAsked  = 20      // requests that are sent
	maxSaid   = 3       // turns among them
)

// Send asks the server what a browser has asked it, in one visit: what comes before the
// first turn, and the first turns. Nothing goes to another host, nor for scripts and
// pictures. Cookies and tokens that its answers give take the place of recorded ones.
// env gives the variables of the environment that the requests name. The notes say what
// was sent.
func Send(ctx context.Context, client *http.Client, env func(string) (string, bool), list []*Exchange) (reason.Reasons, error) {
	turns, first := chatOf(list)
	if len(turns) == 0 {
		return nil, ErrNoChat
	}
	v := visit{client: client, env: env, fresh: map[secretKind]string{}}
	var sent []string
	for i, x := range list {
		isTurn := slices.Contains(turns[:min(len(turns), maxSaid)], x)
		if x.URL.Host != turns[0].URL.Host || !isTurn && (i > first || !mayGive(x)) {
			continue
		}
		if len(sent) == maxAsked && !isTurn {
			continue
		}
		if err := v.send(ctx, x); err != nil {
			return nil, err
		}
		sent = append(sent, x.Method+" "+x.URL.Path+" "+strconv.Itoa(x.Answer.Status))
	}
	return reason.Reasons{reason.New(reason.DeriveSent, strings.Join(sent, ", "))}, nil
}

// mayGive tells a request whose answer may have what a turn sends from one for a part of
// a page.
func mayGive(x *Exchange) bool {
	return slices.Contains([]string{"GET", "POST", "PUT", "PATCH"}, x.Method) &&
		!slices.Contains([]string{".js", ".mjs", ".css", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".woff", ".woff2", ".ttf", ".mp3", ".mp4", ".wasm"}, strings.ToLower(path.Ext(x.URL.Path)))
}

// visit is what one customer does on the server.
type visit struct {
	client  *http.Client
	env     func(string) (string, bool)
	cookies []Field
	fresh   map[secretKind]string // what answers gave last
}

// secretKind is for what a secret is shown.
type secretKind uint8

const (
	secretOther   secretKind = iota
	secretToken              // who asks
	secretForgery            // that no other page asks
)

// secretKindOf is of what a server gives, by its name; a password is nothing that it gives.
func secretKindOf(name string) secretKind {
	plain := plainName(name)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(plain, part) })
	}
	switch {
	case has("csrf", "xsrf"):
		return secretForgery
	case has("refresh", "password", "secret", "captcha"):
		return secretOther
	case has("token", "jwt", "accesskey", "authorization"):
		return secretToken
	}
	return secretOther
}

// send asks one request and keeps its answer.
func (v *visit) send(ctx context.Context, x *Exchange) error {
	v.renew(x)
	body, kind := x.content()
	r, err := http.NewRequestWithContext(ctx, x.Method, expand(strings.ReplaceAll(x.URL.String(), "$%7B", "${"), v.env), strings.NewReader(expand(body, v.env)))
	if err != nil {
		return reason.Errorf("send the request: %w", err)
	}
	for _, f := range x.Headers {
		if !strings.EqualFold(f.Name, "accept-encoding") && !strings.EqualFold(f.Name, "content-length") && isHeaderName(f.Name) {
			r.Header.Set(f.Name, expand(f.Value, v.env))
		}
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := v.client.Do(r)
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
	for name, vals := range answer.Header {
		for _, val := range vals {
			x.Answer.setHeader(name, val)
		}
	}
	v.learn(x.Answer)
	return nil
}

// learn keeps what an answer gives.
func (v *visit) learn(a *Answer) {
	if a.Status >= 400 {
		return
	}
	for _, c := range a.Cookies {
		if i := slices.IndexFunc(v.cookies, func(f Field) bool { return f.Name == c.Name }); i >= 0 {
			v.cookies[i] = c
			continue
		}
		v.cookies = append(v.cookies, c)
	}
	told := map[secretKind]bool{}
	for _, g := range a.gives() {
		kind := secretKindOf(g.key)
		if kind == secretOther || told[kind] || strings.HasPrefix(g.place, "cookie:") && v.fresh[kind] != "" {
			continue
		}
		told[kind], v.fresh[kind] = true, g.text
	}
}

// renew puts what answers gave in the place of what was recorded; a variable of the
// environment stays.
func (v *visit) renew(x *Exchange) {
	if len(v.cookies) > 0 {
		v.renewCookies(x)
	}
	for i := range x.Headers {
		f := &x.Headers[i]
		before, after := "", f.Value
		if strings.EqualFold(f.Name, "authorization") {
			scheme, token, ok := strings.Cut(f.Value, " ")
			if !ok || !strings.EqualFold(scheme, "bearer") {
				continue
			}
			before, after = scheme+" ", token
		}
		f.Value = before + v.renewed(f.Name, after)
	}
	for i := range x.Form {
		if f := &x.Form[i]; !f.File {
			f.Value = v.renewed(f.Name, f.Value)
		}
	}
	t, err := parseJSON(x.Body)
	if err != nil {
		return
	}
	changed := false
	for _, l := range t.leaves() {
		if val := v.renewed(l.key, l.text); l.kind == 's' && val != l.text {
			l.text, changed = val, true
		}
	}
	if changed {
		x.Body = t.String()
	}
}

func (v *visit) renewed(name, val string) string {
	fresh := v.fresh[secretKindOf(name)]
	if secretKindOf(name) == secretOther || fresh == "" || val == "" || strings.HasPrefix(val, "${env:") {
		return val
	}
	return literal(fresh)
}

// renewCookies sends the cookies of this visit, and those recorded that it has not.
func (v *visit) renewCookies(x *Exchange) {
	var pairs []string
	for _, c := range v.cookies {
		pairs = append(pairs, c.Name+"="+literal(c.Value))
	}
	for part := range strings.SplitSeq(x.header("cookie"), ";") {
		name, _, ok := strings.Cut(strings.TrimSpace(part), "=")
		if ok && !slices.ContainsFunc(v.cookies, func(f Field) bool { return f.Name == name }) {
			pairs = append(pairs, strings.TrimSpace(part))
		}
	}
	x.Headers = slices.DeleteFunc(x.Headers, func(f Field) bool { return strings.EqualFold(f.Name, "cookie") })
	x.Headers = append(x.Headers, Field{Name: "cookie", Value: strings.Join(pairs, "; ")})
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
