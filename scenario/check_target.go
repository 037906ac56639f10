package scenario

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
)

func (c *checker) target() {
	t := &c.Target
	switch {
	case t.Bundled != nil && t.URL != "":
		c.bad("target", "has both bundled and url: remove one (--target URL replaces bundled)")
	case t.Bundled == nil && t.URL == "":
		c.bad("target", "has neither bundled nor url: write bundled: {} or url: https://…")
	case t.Bundled != nil:
		c.bundled()
	default:
		c.url("target.url", t.URL)
	}
	c.wire()
	c.socket()
	c.agents()
	c.headers("target.headers", t.Headers)
	for _, from := range sortedKeys(t.Resolve) {
		path := "target.resolve." + from
		if !hostPort(from) {
			c.bad(path, "%q is not HOST:PORT", short(from))
		}
		if to := t.Resolve[from]; !hostPort(to) || net.ParseIP(hostOf(to)) == nil {
			c.bad(path, "%q is not ADDRESS:PORT", short(to))
		}
	}
	c.auth()
	c.mapping()
	c.openAI()
	if t.Timeout <= 0 {
		c.bad("target.timeout", "must be above 0s")
	}
}

// maxProcesses bounds target.bundled.processes: one machine starts them all.
const maxProcesses = 32

// bundled refuses what only one's own server can have.
func (c *checker) bundled() {
	t := &c.Target
	for _, f := range []struct {
		path  string
		given bool
		why   reason.Phrase
	}{
		{"target.resolve", t.Resolve != nil, reason.Say("its address is known")},
		{"target.auth", t.Auth != nil, reason.Say("cstest signs its tokens itself")},
		{"target.login", t.Login != nil, reason.Say("cstest signs its tokens itself")},
		{"target.cookies", t.Cookies != "", reason.Say("it sets none")},
		{"target.before", t.Before != nil, reason.Say("its API is known")},
		{"target.then", t.Then != nil, reason.Say("its API is known")},
		{"target.request", t.Request != nil, reason.Say("its API is known")},
		{"target.response", t.Response != nil, reason.Say("its API is known")},
		{"target.openai", t.OpenAI != nil, reason.Say("its API is known")},
		{"target.prices", t.Prices != nil, reason.Say("its answers tell no tokens")},
		{"target.tls", t.TLS != nil, reason.Say("it speaks plain HTTP on loopback")},
	} {
		if f.given {
			c.bad(f.path, "is for one's own server (target.url); the bundled one needs none: %s", f.why)
		}
	}
	if t.API != APIReference && t.API != APIArticle {
		c.bad("target.api", "the bundled server speaks reference and article, not %s", t.API)
	}
	r := t.Bundled.Redis
	if r != "embedded" && !strings.HasPrefix(r, "redis://") && !strings.HasPrefix(r, "rediss://") {
		c.bad("target.bundled.redis", "%q: write embedded or redis://HOST:PORT/0", short(r))
	}
	switch n := t.Bundled.Processes; {
	case n < 1 || n > maxProcesses:
		c.bad("target.bundled.processes", "must be from 1 to %d", maxProcesses)
	case n > 1 && r == "embedded":
		c.bad("target.bundled.processes", "%d processes need one Redis for all, and an embedded one is in each: write redis: redis://HOST:PORT/0", n)
	}
	var wrong map[string]error
	if check := c.source.options.Knobs; check != nil {
		wrong = check(string(t.Bundled.Profile), t.Bundled.Knobs)
	}
	for _, knob := range sortedKeys(t.Bundled.Knobs) {
		if group, name, ok := strings.Cut(knob, "."); !ok || group == "" || name == "" || len(knob) > maxName {
			c.bad("target.bundled.knobs."+knob, "is not a knob: see `cstest serve reference-server --list-knobs`%s", reason.Phrase{})
		} else if err := wrong[knob]; err != nil {
			c.bad("target.bundled.knobs."+knob, "%s", err)
		}
	}
	if err := wrong[""]; err != nil {
		c.bad("target.bundled.knobs", "%s", err)
	}
}

// url checks the address of one's own server. Whether it may be loaded at all
// is decided where the run starts.
func (c *checker) url(path, text string) {
	u, err := url.Parse(text)
	if err == nil && c.Target.Mode == ModeWebSocket && (u.Scheme == "ws" || u.Scheme == "wss") {
		u.Scheme = "http" // the rest is the same
	}
	switch {
	case err != nil || len(text) > 2048:
		c.bad(path, "%q is not a URL: write for example https://chat.pre.shop.example", short(text))
	case u.Scheme != "http" && u.Scheme != "https":
		c.bad(path, "%q must begin with http:// or https://", short(text))
	case u.Hostname() == "":
		c.bad(path, "%q has no host: write for example https://chat.pre.shop.example", short(text))
	case u.User != nil:
		c.bad(path, "has a user or a password in it, which would be written to the results: use target.auth or target.headers with ${env:NAME}")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		c.bad(path, "has a query or a fragment: put them into target.request.path")
	case !validPort(u.Port(), true):
		c.bad(path, "the port %q is not between 1 and 65535", short(u.Port()))
	}
}

func (c *checker) secure() bool {
	scheme, _, _ := strings.Cut(strings.ToLower(c.Target.URL), ":")
	return c.Target.Bundled == nil && (scheme == "https" || scheme == "wss")
}

// modesOf says which modes an API has.
func modesOf() map[API][]Mode {
	return map[API][]Mode{
		APIReference: {ModeSync, ModeStream, ModeAsync, ModeWebSocket, ModeAgents},
		APIArticle:   {ModeSync},
		APIOpenAI:    {ModeSync, ModeStream},
		APICustom:    {ModeSync, ModeStream, ModeAsync, ModeWebSocket},
	}
}

// wire checks which of api, mode, http and connections go together.
func (c *checker) wire() {
	t := &c.Target
	modes := modesOf()[t.API]
	if !slices.Contains(modes, t.Mode) {
		c.bad("target.mode", "api %s has no %s: possible are %s", t.API, t.Mode, strings.Join(texts(modes...), ", "))
	}
	if t.HTTP != HTTP1 {
		c.http2()
	}
	if t.Pool > 0 && t.Connections != Shared {
		c.bad("target.pool", "is for connections: shared")
	}
	if t.Pool > 100_000 {
		c.bad("target.pool", "more than 100k connections do not exist: write fewer")
	}
	if t.API == APIOpenAI && t.Model == "" {
		c.bad("target.model", "is missing: api openai sends it with every request")
	}
	if t.API != APIOpenAI && t.Model != "" {
		c.bad("target.model", "is for api: openai")
	}
	if tls := t.TLS; tls != nil && t.Bundled == nil {
		if !c.secure() {
			c.bad("target.tls", "is for https URLs")
		}
		if (tls.Cert == "") != (tls.Key == "") {
			c.bad("target.tls", "cert and key are needed together")
		}
		if tls.Insecure {
			c.warn("target.tls.insecure", "certificates are not checked; the report will say so")
		}
	}
}

func (c *checker) http2() {
	t := &c.Target
	if t.Mode == ModeAgents || t.Mode == ModeWebSocket {
		c.bad("target.http", "mode: %s needs http: \"1.1\"", t.Mode)
	}
	if t.Connections != Shared {
		c.bad("target.connections", "HTTP/2 carries many conversations over few connections: write shared (and pool: N)")
	}
	switch {
	case t.HTTP == HTTP2 && t.Bundled != nil:
		c.bad("target.http", "the bundled server has no TLS: write h2c")
	case t.HTTP == HTTP2 && !c.secure():
		c.bad("target.http", "\"2\" needs an https URL; over http:// it is h2c")
	case t.HTTP == H2C && c.secure():
		c.bad("target.http", "h2c needs an http:// URL; over https:// it is \"2\"")
	}
}

// connectionHeaders are the fields that belong to the connection or frame the
// message (RFC 9110, 7.6.1, and the two that older clients send).
var connectionHeaders = []string{
	"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}

// ConnectionHeader tells whether a header, in any case, is no scenario's to set.
func ConnectionHeader(name string) bool {
	return slices.Contains(connectionHeaders, strings.ToLower(name))
}

// codings refuses to ask for bodies that cstest cannot read.
func (c *checker) codings(at, value string) {
	if !constant(value) {
		return
	}
	for one := range strings.SplitSeq(value, ",") {
		name, _, _ := strings.Cut(one, ";")
		if name = strings.ToLower(strings.TrimSpace(name)); !slices.Contains([]string{"", "*", "identity", "gzip", "x-gzip", "deflate", "br", "zstd"}, name) {
			c.bad(at, "cstest cannot read bodies in %q: ask for gzip, deflate, br or zstd", short(name))
		}
	}
}

// headers refuses what would break a request or what the driver sets itself.
func (c *checker) headers(path string, headers map[string]string) {
	c.headerNames(path, headers)
	for _, name := range sortedKeys(headers) {
		if low := strings.ToLower(name); (low == "authorization" || low == "cookie" || strings.Contains(low, "api-key")) && constant(headers[name]) {
			c.warn(join(path, name), "the secret itself stands here and will be written to the results: use ${env:NAME}")
		}
	}
}

// headerNames checks that a scenario may set headers of these names.
func (c *checker) headerNames(path string, headers map[string]string) {
	if len(headers) > maxHeaders {
		c.bad(path, "has more than %d headers", maxHeaders)
	}
	for _, name := range sortedKeys(headers) {
		at := join(path, name)
		if !isToken(name) {
			c.bad(at, "%q is not the name of a header", short(name))
			continue
		}
		switch {
		case strings.EqualFold(name, "host"):
			c.bad(at, "the host is that of target.url: write the name there, and where it is to be found in target.resolve, for example {\"chat.example:443\": \"10.0.0.7:443\"}")
		case ConnectionHeader(name):
			c.bad(at, "belongs to the connection, and cstest sets what is needed itself: remove it")
		case strings.EqualFold(name, "traceparent"):
			c.bad(at, "cstest sets traceparent itself: turns are told apart by it")
		case strings.EqualFold(name, "accept-encoding"):
			c.codings(at, headers[name])
		}
	}
}

func isToken(s string) bool {
	for _, r := range s {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) {
			return false
		}
	}
	return s != "" && len(s) <= 256
}

func (c *checker) auth() {
	a := c.Target.Auth
	if a == nil || c.Target.Bundled != nil {
		return
	}
	if (a.Bearer != "") == (a.JWT != nil) {
		c.bad("target.auth", "must have exactly one of bearer and jwt")
		return
	}
	if a.JWT == nil {
		if constant(a.Bearer) {
			c.warn("target.auth.bearer", "the token itself stands here and will be written to the results: use ${env:NAME} or a data table")
		}
		return
	}
	if a.JWT.Secret == "" {
		c.bad("target.auth.jwt.secret", "is empty")
	} else if constant(a.JWT.Secret) {
		c.warn("target.auth.jwt.secret", "the secret itself stands here and will be written to the results: use ${env:NAME} or ${file:PATH}")
	}
	if a.JWT.TTL <= 0 {
		c.bad("target.auth.jwt.ttl", "must be above 0s")
	}
	for _, name := range sortedKeys(a.JWT.Claims) {
		switch name {
		case "sub", "exp", "iat", "nbf", "iss", "aud":
			c.bad("target.auth.jwt.claims."+name, "has a field of its own or is set by cstest: remove it")
		}
	}
}

func (c *checker) path(path, text string) {
	if !strings.HasPrefix(text, "/") || strings.ContainsAny(text, " \t\r\n#") {
		c.bad(path, "%q is not a path: begin with /, without spaces", short(text))
	}
}

func hostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && !strings.ContainsAny(host, " /") && validPort(port, false)
}

func hostOf(s string) string {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		return ""
	}
	return host
}

func validPort(port string, optional bool) bool {
	if port == "" {
		return optional
	}
	n, err := strconv.Atoi(port)
	return err == nil && n > 0 && n < 1<<16
}
