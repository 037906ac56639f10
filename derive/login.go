package derive

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/reason"
)

// step is a request that comes before the turns: its answer had what they send.
type step struct {
	method, path string
	form         bool
	body         string            // YAML
	save         map[string]string // name to place
	names        []string          // of save, in order
}

// shortest is how long a value has to be to be known again.
const shortest = 8

// logins finds the requests before the first turn whose answers had something that
// the turn sends, and gives, by recorded value, what stands for it. cookies: they set
// one that the turn sends.
func logins(before []*Exchange, turn *Exchange, env *secrets) (steps []step, known map[string]string, cookies bool) {
	known = map[string]string{}
	sent := everythingSent(turn)
	jar := cookieNames(turn)
	for _, x := range before {
		if x.Answer == nil || x.Answer.Status >= 400 || x.URL.Host != turn.URL.Host {
			continue
		}
		s := step{method: x.Method, path: requestPath(x), save: map[string]string{}}
		if t, err := parseJSON(x.Answer.Body); err == nil {
			for _, l := range t.leaves() {
				if l.list || utf8.RuneCountInString(l.text) < shortest || known[l.text] != "" || !strings.Contains(sent, l.text) || isSpeech(l.text) {
					continue
				}
				name := saveName(l.key, s.save)
				s.save[name] = l.path
				s.names = append(s.names, name)
				known[l.text] = "${login." + name + "}"
			}
		}
		sets := slices.ContainsFunc(x.Answer.Cookies, func(name string) bool { return slices.Contains(jar, name) })
		cookies = cookies || sets
		if len(s.save) == 0 && !sets || len(steps) == maxSteps {
			continue
		}
		s.readBody(x, env)
		steps = append(steps, s)
	}
	return steps, known, cookies
}

// maxSteps is how many steps a login is taken to have at most.
const maxSteps = 5

// everythingSent is all of a request in which a value may be looked for.
func everythingSent(x *Exchange) string {
	var b strings.Builder
	b.WriteString(x.URL.String() + "\n" + x.Body + "\n")
	for _, f := range slices.Concat(x.Headers, x.Form) {
		b.WriteString(f.Value + "\n")
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

// readBody writes the body of a login: what proves who it is stays out.
func (s *step) readBody(x *Exchange, env *secrets) {
	if t, err := parseJSON(x.Body); err == nil && t.kind == '{' {
		hideAccount(t, env)
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
	hideAccount(t, env)
	s.body = t.String()
}

var accountNames = []string{"username", "user", "account", "phone", "mobile", "email", "login", "loginname", "code", "idcard", "name", "tel"}

func hideAccount(t *tree, env *secrets) {
	for i, item := range t.items {
		switch {
		case item.kind == '{' || item.kind == '[':
			hideAccount(item, env)
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
		paths = append(paths, s.path)
	}
	return reason.Reasons{reason.New(reason.DeriveLogin, strings.Join(paths, ", "))}
}
