package derive

import (
	"slices"
	"strings"
)

// Headers that a client writes itself, or that mean nothing to a chat.
var noise = []string{
	"host", "content-length", "connection", "accept-encoding", "user-agent", "accept", "accept-language", "cache-control", "pragma", "priority", "te", "dnt",
	"upgrade-insecure-requests", "if-none-match", "if-modified-since", "traceparent", "tracestate", "keep-alive", "proxy-connection", "transfer-encoding",
	"trailer", "expect", "content-type", "cookie", "upgrade", "proxy-authorization", "http2-settings",
}

// headersOf gives the headers that the turns send, and the bearer token apart. known
// are values that a login's answer had.
func (r *request) headersOf(x *Exchange, known map[string]string, dialog string, cookies bool) (list []Field, bearer string) {
	for _, f := range x.Headers {
		name := strings.ToLower(f.Name)
		switch {
		case name == "cookie" && !cookies && f.Value != "":
			list = append(list, Field{Name: "cookie", Value: r.env.keep("cookie", f.Value)})
		case slices.Contains(noise, name) || strings.HasPrefix(name, "sec-") || strings.HasPrefix(name, ":") || !isHeaderName(name):
		case name == "authorization" && strings.HasPrefix(strings.ToLower(f.Value), "bearer "):
			token := strings.TrimSpace(f.Value[len("bearer "):])
			if bearer = known[token]; bearer == "" {
				bearer = r.env.keep("token", token)
			}
		default:
			list = append(list, Field{Name: name, Value: r.headerValue(name, f.Value, known, dialog)})
		}
	}
	return list, bearer
}

func (r *request) headerValue(name, val string, known map[string]string, dialog string) string {
	if v := known[val]; v != "" {
		return v
	}
	for old, v := range known {
		if strings.Contains(val, old) {
			return strings.ReplaceAll(val, old, v)
		}
	}
	if v, replaced := r.value(strings.TrimPrefix(name, "x-"), val, dialog); replaced {
		return v
	}
	return val
}

// isHeaderName tells a token of RFC 9110 that YAML takes in quotes.
func isHeaderName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r > 0x7e || r <= ' ' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) < 0
}
