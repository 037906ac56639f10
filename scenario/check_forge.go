package scenario

import (
	"slices"
	"strings"
)

// maxForged is how long forge.size may make a text.
const maxForged = 256 << 10

// refused checks the statuses that a turn must be refused with.
func (c *checker) refused(path string, e *Expect) {
	if !e.ToRefuse() {
		if e.Refused != nil {
			c.bad(path+".refused", "is an empty list: name the statuses, such as [401, 403]")
		}
		return
	}
	if e.OfAnswer() {
		c.bad(path, "a turn that must be refused has no answer: refused goes without contains, not_contains and matches")
	}
	socket := c.Target.Mode == ModeWebSocket
	if len(e.Refused) > 10 {
		c.bad(path+".refused", "has %d statuses: at most 10", len(e.Refused))
	}
	for i, status := range e.Refused {
		at := item(path+".refused", i, "")
		switch {
		case socket && closesFor(status):
		case status >= 200 && status < 300 && !socket, socket && status == 101:
			if r := c.Target.Response; r == nil || len(r.OK)+len(r.Error) == 0 {
				c.bad(at, "with a status of %d only target.response.ok or error can tell a refusal from an answer: give one", status)
			}
		case socket && (status < 300 || status >= 500):
			c.bad(at, "%d refuses nothing: write statuses from 300 to 499, 101 for an answer over an open socket, or what the server closes it with: 1003, 1007, 1008, 1009, 3000 to 4999", status)
		case status < 300 || status >= 500:
			c.bad(at, "%d refuses nothing: write statuses from 300 to 499", status)
		}
		if slices.Contains(e.Refused[:i], status) {
			c.bad(at, "%d is there twice", status)
		}
	}
}

// closesFor tells whether a server closes a socket with the code because of what its
// customer is or sent (RFC 6455, 7.4).
func closesFor(code int) bool {
	return code == 1003 || code >= 1007 && code <= 1009 || code >= 3000 && code <= 4999
}

// forge checks what the k-th turn of a conversation is sent with.
func (c *checker) forge(path string, k int, t *Turn) {
	f := t.Forge
	if f == nil {
		return
	}
	path += ".forge"
	if f.Token == "" && f.Size == 0 && len(f.Claims)+len(f.Headers) == 0 {
		c.bad(path, "forges nothing: give token, claims, headers or size")
	}
	if (f.Token != "" || len(f.Claims) > 0) && !t.Expect.ToRefuse() {
		c.bad(path, "nobody says what must become of the turn: add expect: {refused: [401, 403]} beside it")
	}
	if f.Size < 0 || f.Size > maxForged {
		c.bad(path+".size", "%s: at most 256KiB", f.Size)
	}
	c.forgedToken(path, k, f)
	c.forgedHeaders(path, f)
}

// forgedToken checks that a token can be what it should be.
func (c *checker) forgedToken(path string, k int, f *Forge) {
	target := &c.Target
	signed := target.Bundled != nil || target.Auth != nil && target.Auth.JWT != nil
	switch f.Token {
	case "":
	case TokenMissing, TokenTampered:
		if !signed && target.Auth == nil && !target.sends("authorization") {
			c.bad(path+".token", "the target has no token: give target.auth, or change another header with forge.headers")
		}
	case TokenExpired:
		if !signed {
			c.bad(path+".token", "cstest can let a token expire that it signs itself: give target.auth.jwt, or an old one with forge.headers")
		}
	case TokenAnotherUser:
		c.anotherUser(path+".token", k)
	}
	switch {
	case len(f.Claims) > 0 && !signed:
		c.bad(path+".claims", "cstest can change a token that it signs itself: give target.auth.jwt")
	case len(f.Claims) > 0 && (f.Token == TokenMissing || f.Token == TokenTampered):
		c.bad(path+".claims", "a token that is %s shows no claims: forge one of both", f.Token)
	}
}

// forgedHeaders checks that they stand for some that are sent.
func (c *checker) forgedHeaders(path string, f *Forge) {
	c.headerNames(path+".headers", f.Headers)
	for _, name := range sortedKeys(f.Headers) {
		if strings.ContainsFunc(f.Headers[name], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			c.bad(join(path+".headers", name), "has a control character in it")
		}
		if strings.Contains(f.Headers[name], "${") {
			c.bad(join(path+".headers", name), "is sent as it stands: no ${…} in it")
		}
		if strings.EqualFold(name, "authorization") && (f.Token != "" || len(f.Claims) > 0) {
			c.bad(join(path+".headers", name), "forge.token and forge.claims say what stands there: remove one")
		}
	}
}

// anotherUser refuses to ask for a dialog as another user where that is none.
func (c *checker) anotherUser(path string, k int) {
	t := &c.Target
	if k == 0 {
		c.bad(path, "the first turn begins the conversation: there is no dialog yet that could be another user's")
	}
	switch {
	case t.API == APIOpenAI:
		c.bad(path, "api openai has no dialog that belongs to a user")
	case t.Login != nil:
		c.bad(path, "the other user would have to log in: forge a token or a header that the login saved instead")
	case t.Cookies == CookiesPerUser:
		c.bad(path, "the cookies would still be those of the dialog's own user: it is for targets without")
	case len(t.Before) > 0 || slices.Contains(t.Variables(), "history"):
		c.bad(path, "with before or ${history} the other user would have what is not theirs: it is for a dialog that the server keeps")
	case t.Bundled == nil && (t.Auth == nil || !t.tellsUsers()):
		c.bad(path, "nothing that proves who a user is differs from user to user: put user.id, user.index or a column of data into target.auth")
	}
}

// tellsUsers tells whether the token of one user is not that of another.
func (t *Target) tellsUsers() bool {
	for _, f := range t.templates() {
		if f.place&(InBearer|InClaims) == 0 {
			continue
		}
		for _, use := range f.Uses() {
			if v := familyOf(use.Name); v != nil && (v.Name == anyColumn || v.Name == "user.id" || v.Name == "user.index") {
				return true
			}
		}
	}
	return false
}

// sends tells whether a header is in every turn's request.
func (t *Target) sends(name string) bool {
	has := func(headers map[string]string) bool {
		for h := range headers {
			if strings.EqualFold(h, name) {
				return true
			}
		}
		return false
	}
	return has(t.Headers) || t.Request != nil && has(t.Request.Headers)
}

// ForgedHeaders are the headers that turns are sent without or with another value of,
// in lower case.
func (s *Scenario) ForgedHeaders() (names []string) {
	add := func(name string) {
		if name = strings.ToLower(name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i := range s.Conversations {
		for _, t := range s.Conversations[i].Turns {
			if t.Forge == nil {
				continue
			}
			if t.Forge.Token != "" || len(t.Forge.Claims) > 0 {
				add("authorization")
			}
			for _, name := range sortedKeys(t.Forge.Headers) {
				add(name)
			}
		}
	}
	slices.Sort(names)
	return names
}
