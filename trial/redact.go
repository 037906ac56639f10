package trial

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// redactFailures takes secrets out of what a target said when it failed, before
// anybody sees it or it is written down. Kinds that only a secret told apart
// become one.
func redactFailures(s *measure.Snapshot, redact func(string) string) {
	type kind struct {
		outcome measure.Outcome
		message string
	}
	at := make(map[kind]int, len(s.Failures))
	kept := s.Failures[:0]
	for _, f := range s.Failures {
		f.Message = redact(f.Message)
		f.First.Message = redact(f.First.Message)
		f.First.TraceID = redact(f.First.TraceID)
		k := kind{f.Outcome, f.Message}
		i, known := at[k]
		if !known {
			at[k] = len(kept)
			kept = append(kept, f)
			continue
		}
		kept[i].Count += f.Count
		if f.First.At < kept[i].First.At {
			kept[i].First = f.First
		}
	}
	clear(s.Failures[len(kept):])
	s.Failures = kept
}

// leastCredential is how long a credential in a request must be to be looked
// for in the answer.
const leastCredential = 8

// credentials are the values of a request's secret headers, whole and without
// their scheme: tokens that were made or fetched during the run are in no file.
func (h secretHeaders) credentials(request string) []string {
	head, _, _ := strings.Cut(request, "\r\n\r\n")
	var list []string
	for line := range strings.SplitSeq(head, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if !h.has(name) {
			continue
		}
		value = strings.TrimSpace(value)
		_, token, _ := strings.Cut(value, " ")
		for _, s := range []string{value, strings.TrimSpace(token)} {
			if len(s) >= leastCredential {
				list = append(list, s)
			}
		}
	}
	return list
}

// secretHeaders are the names, in lower case, of headers that carry credentials.
type secretHeaders map[string]bool

// secretHeadersOf are those that do so everywhere, in either direction, and those
// that the scenario fills from a login or from outside.
func secretHeadersOf(t *scenario.Target) secretHeaders {
	h := secretHeaders{
		"authorization": true, "proxy-authorization": true, "cookie": true, "set-cookie": true, "x-api-key": true, "api-key": true,
	}
	own := []map[string]string{t.Headers}
	if t.Request != nil {
		own = append(own, t.Request.Headers)
	}
	for _, headers := range own {
		for name, value := range headers {
			t, _ := template.Parse(value, template.Header) // a scenario's are right
			for _, use := range t.Uses() {
				if strings.HasPrefix(use.Name, "login.") || strings.Contains(use.Name, ":") {
					h[strings.ToLower(name)] = true
				}
			}
		}
	}
	return h
}

// loginStep is the step of the target's login that a request is, nil where it is none.
func loginStep(t *scenario.Target, request string) *scenario.Step {
	line, _, _ := strings.Cut(request, "\r\n")
	method, path, _ := strings.Cut(line, " ")
	base := ""
	if u, err := url.Parse(t.URL); err == nil {
		base = strings.TrimSuffix(u.EscapedPath(), "/")
	}
	steps := t.Login.All()
	for i := range steps {
		begin, _, _ := strings.Cut(steps[i].Path, "${")
		if string(steps[i].Method) == method && strings.HasPrefix(path, base+begin) {
			return &steps[i]
		}
	}
	return nil
}

// maskLogin hides, in a login as it was sent, what its body had from a data table
// or from outside: passwords are kept there. It gives the values long enough to
// be looked for elsewhere, too. Of a body that is no JSON nothing is shown.
func maskLogin(l *scenario.Step, request string) (masked string, values []string) {
	head, body, ok := strings.Cut(request, "\r\n\r\n")
	if !ok || len(l.Body) == 0 {
		return request, nil
	}
	if l.As != "" && l.As != scenario.AsJSON {
		if fields, err := url.ParseQuery(body); err == nil && l.As == scenario.AsForm {
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				if value := fields.Get(name); len(value) >= leastCredential {
					values = append(values, value)
				}
			}
		}
		return head + "\r\n\r\n[redacted]", values
	}
	t, err := template.ParseJSON(l.Body)
	if err != nil || !gjson.Valid(body) {
		return request, nil
	}
	for _, use := range t.Uses() {
		family, _, _ := strings.Cut(use.Name, ".")
		switch family {
		case "user", "run", "conversation", "trace", "span":
			continue // cstest's own
		}
		value := gjson.Get(body, gjsonPath(use.At))
		if value.Raw == "" || value.Raw == `""` {
			continue
		}
		body = strings.ReplaceAll(body, value.Raw, `"[redacted]"`)
		if len(value.String()) >= leastCredential {
			values = append(values, value.String())
		}
	}
	return head + "\r\n\r\n" + body, values
}

// gjsonPath is a place of a template, "a.b[0].c", as gjson writes it.
func gjsonPath(at string) string {
	return strings.NewReplacer("[", ".", "]", "").Replace(at)
}

func (h secretHeaders) has(name string) bool { return h[strings.ToLower(strings.TrimSpace(name))] }

// mask hides the values of headers that carry credentials.
func (h secretHeaders) mask(message string) string {
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	for i, line := range lines {
		if name, _, ok := strings.Cut(line, ":"); ok && h.has(name) {
			lines[i] = name + ": [redacted]"
		}
	}
	return strings.Join(lines, "\n") + "\n\n" + body
}
