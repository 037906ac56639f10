package derive

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/reason"
)

// step is a request that comes before the turns: its answer had what later requests send.
type step struct {
	method, path string
	form         bool
	headers      []Field
	body         string            // YAML
	ok           string            // YAML
	save         map[string]string // name to place
	names        []string          // of save, in order
}

// shortest is how long a value has to be to be known again.
const shortest = 8

// given is a value that an answer had, and where.
type given struct{ text, place, key string }

// gives lists the values of an answer that a later request may send.
func (a *Answer) gives() (list []given) {
	add := func(text, place, key string) {
		if utf8.RuneCountInString(text) >= shortest && !isSpeech(text) {
			list = append(list, given{text, place, key})
		}
	}
	if t, err := parseJSON(a.Body); err == nil {
		for _, l := range t.leaves() {
			if !l.list {
				add(l.text, l.path, l.key)
			}
		}
	} else if strings.Contains(a.Type, "html") {
		for _, f := range fieldsOfPage(a.Body) {
			add(f.text, f.place, f.key)
		}
	}
	for _, f := range a.Headers {
		if strings.HasPrefix(f.Name, "x-") || isSecretName(f.Name) {
			add(f.Value, "header:"+f.Name, f.Name)
		}
	}
	for _, f := range a.Cookies {
		add(f.Value, "cookie:"+f.Name, f.Name)
	}
	return list
}

var (
	fieldTag  = regexp.MustCompile(`(?i)<(?:input|meta)\b[^<>]{0,1000}>`)
	fieldAttr = regexp.MustCompile(`(?i)\b(name|id|value|content)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
)

// fieldsOfPage are the hidden fields of forms, and what a page says of itself: a token
// against forgery stands in the one or the other.
func fieldsOfPage(page string) (list []given) {
	for _, tag := range fieldTag.FindAllString(page, 200) {
		var name, val []int
		for _, m := range fieldAttr.FindAllStringSubmatchIndex(tag, -1) {
			switch strings.ToLower(tag[m[2]:m[3]]) {
			case "value", "content":
				val = m
			default:
				if name == nil {
					name = m
				}
			}
		}
		if name == nil || val == nil {
			continue
		}
		inside := func(m []int) (from, to int) {
			if m[4] >= 0 {
				return m[4], m[5]
			}
			return m[6], m[7]
		}
		key, _ := inside(name)
		_, keyEnd := inside(name)
		from, to := inside(val)
		mark := tag[to : to+1]
		what := regexp.QuoteMeta(tag[val[0]:from]) + "([^" + mark + "]+)" + mark
		label := regexp.QuoteMeta(tag[name[0]:name[1]])
		place := label + "[^>]*" + what
		if val[0] < name[0] {
			place = what + "[^>]*" + label
		}
		list = append(list, given{tag[from:to], "regex:" + place, tag[key:keyEnd]})
	}
	return list
}

// logins finds the requests before the first turn whose answers had something that
// the turn sends, or that another of them does, and gives, by recorded value, what stands
// for it. cookies: they set one that the turn sends.
func logins(before []*Exchange, turn *Exchange, env *secrets) (steps []step, known map[string]string, cookies bool) {
	needed := givers(before, turn)
	known = map[string]string{}
	taken := map[string]string{}
	jar := cookieNames(turn)
	for i, x := range before {
		values, isNeeded := needed[i]
		if !isNeeded {
			continue
		}
		s := step{method: x.Method, path: requestPath(x), save: map[string]string{}}
		s.readBody(x, env, known)
		s.readHeaders(x, known)
		s.readOutcome(x.Answer)
		for _, v := range values {
			name := saveName(v.key, taken)
			taken[name] = v.place
			s.save[name] = v.place
			s.names = append(s.names, name)
			known[v.text] = "${login." + name + "}"
		}
		cookies = cookies || slices.ContainsFunc(x.Answer.Cookies, func(f Field) bool { return slices.Contains(jar, f.Name) })
		steps = append(steps, s)
	}
	return steps, known, cookies
}

// givers are the requests that have to come before a turn, by their place, and the
// values that their answers give: those that the turn sends, or one of them does.
func givers(before []*Exchange, turn *Exchange) map[int][]given {
	sent, jar := everythingSent(turn), cookieNames(turn)
	needed := map[int][]given{}
	for {
		added := false
		values, taken := map[int][]given{}, map[string]bool{}
		for i, x := range before {
			if x.Answer == nil || x.Answer.Status >= 400 || x.URL.Host != turn.URL.Host {
				continue
			}
			for _, v := range x.Answer.gives() {
				if !taken[v.text] && strings.Contains(sent, v.text) {
					taken[v.text] = true
					values[i] = append(values[i], v)
				}
			}
			sets := slices.ContainsFunc(x.Answer.Cookies, func(f Field) bool { return slices.Contains(jar, f.Name) })
			_, isNeeded := needed[i]
			if !isNeeded && (len(values[i]) > 0 || sets) && len(needed) < maxSteps {
				needed[i], added = nil, true
				sent += everythingSent(x)
				jar = append(jar, cookieNames(x)...)
			}
		}
		if !added {
			for i := range needed {
				needed[i] = values[i]
			}
			return needed
		}
	}
}

// maxSteps is how many steps a login is taken to have at most.
const maxSteps = 5

// everythingSent is all of a request, but for its cookies, in which a value may be
// looked for.
func everythingSent(x *Exchange) string {
	var b strings.Builder
	b.WriteString(x.URL.String() + "\n" + x.Body + "\n")
	for _, f := range slices.Concat(x.Headers, x.Form) {
		if !slices.Contains(noise, strings.ToLower(f.Name)) {
			b.WriteString(f.Value + "\n")
		}
	}
	return b.String()
}

func cookieNames(x *Exchange) (names []string) {
	for part := range strings.SplitSeq(x.header("cookie"), ";") {
		if name, _, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			names = append(names, name)
		}
	}
	return names
}

// saveName is a field's name as ${login.NAME} takes it.
func saveName(key string, taken map[string]string) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && isNameByte(byte(r)) {
			return r
		}
		return '_'
	}, key)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "v" + name
	}
	for base, i := name, 2; ; i++ {
		if _, ok := taken[name]; !ok {
			return name
		}
		name = base + strconv.Itoa(i)
	}
}

// readBody writes the body of a login: what proves who it is stays out, what steps
// before it have saved goes in.
func (s *step) readBody(x *Exchange, env *secrets, known map[string]string) {
	if t, err := parseJSON(x.Body); err == nil && t.kind == '{' {
		hideAccount(t, env, known)
		s.body = t.String()
		return
	}
	if len(x.Form) == 0 {
		return
	}
	s.form = true
	t := &tree{kind: '{'}
	for _, f := range x.Form {
		t.keys = append(t.keys, f.Name)
		t.items = append(t.items, &tree{kind: 's', text: f.Value})
	}
	hideAccount(t, env, known)
	s.body = t.String()
}

// readHeaders keeps those that send what a step before has saved.
func (s *step) readHeaders(x *Exchange, known map[string]string) {
	for _, f := range x.Headers {
		name := strings.ToLower(f.Name)
		if slices.Contains(noise, name) || !isHeaderName(name) {
			continue
		}
		for old, v := range known {
			if strings.Contains(f.Value, old) {
				s.headers = append(s.headers, Field{Name: name, Value: strings.ReplaceAll(f.Value, old, v)})
				break
			}
		}
	}
}

// readOutcome keeps by what the answer said that all was well.
func (s *step) readOutcome(a *Answer) {
	if a.Status >= 300 {
		s.ok = "{path: \"http:status\", equals: " + strconv.Itoa(a.Status) + "}"
		return
	}
	if t, err := parseJSON(a.Body); err == nil {
		var r response
		r.readOutcome(t)
		s.ok = r.ok
	}
}

var accountNames = []string{"username", "user", "account", "phone", "mobile", "email", "login", "loginname", "code", "idcard", "name", "tel"}

func hideAccount(t *tree, env *secrets, known map[string]string) {
	for i, item := range t.items {
		switch {
		case item.kind == '{' || item.kind == '[':
			hideAccount(item, env, known)
		case known[item.text] != "":
			item.kind, item.text = 's', known[item.text]
		case t.kind == '{' && item.text != "" && item.text != "null" && (isSecretName(t.keys[i]) || slices.Contains(accountNames, plainName(t.keys[i]))):
			item.kind, item.text = 's', env.keep(t.keys[i], item.text)
		}
	}
}

func loginNote(steps []step) reason.Reasons {
	if len(steps) == 0 {
		return nil
	}
	var paths []string
	for _, s := range steps {
		paths = append(paths, s.method+" "+s.path)
	}
	return reason.Reasons{reason.New(reason.DeriveLogin, strings.Join(paths, ", "))}
}
