package derive

import (
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// request is the template of a turn, as it is found in recorded requests.
type request struct {
	path   string
	query  string
	body   *tree
	form   []Field
	text   string // a body that is no JSON
	model  string
	openAI bool
	stream bool
	notes  reason.Reasons
	env    *secrets
	// nameless: the server's answers name no dialog.
	nameless bool
}

// value says what stands for a recorded one.
func (r *request) value(name, val, dialogOfServer string) (string, bool) {
	isText := val != "" && !strings.HasPrefix(val, "${env:")
	switch roleOf(name, false) {
	case roleDialog:
		switch none := val == "" || val == "null"; {
		case none && r.nameless:
			return val, false
		case none || val == dialogOfServer:
			return "${dialog.id}", true
		}
		r.notes = append(r.notes, reason.New(reason.DeriveDialogChosen, name))
		return "${conversation.id}", true
	case roleUser:
		return "${user.id}", true
	case roleTurn:
		return "${turn.id}", true
	case roleSecret:
		if isText {
			return r.env.keep(name, val), true
		}
	case roleClock:
		r.notes = append(r.notes, reason.New(reason.DeriveClock, name))
	case roleOther, roleText:
	}
	return val, false
}

// candidates are the texts of a request that may be what a customer says.
func candidates(x *Exchange) (out []leaf) {
	if t, err := parseJSON(x.Body); err == nil {
		for _, l := range t.leaves() {
			if l.kind == 's' {
				out = append(out, l)
			}
		}
	}
	for _, f := range x.Form {
		if !f.File {
			out = append(out, leaf{&tree{kind: 's', text: f.Value}, f.Name, f.Name, false})
		}
	}
	for pair := range strings.SplitSeq(x.URL.RawQuery, "&") {
		if name, val, ok := strings.Cut(pair, "="); ok {
			out = append(out, leaf{&tree{kind: 's', text: unescape(val)}, unescape(name), "?" + unescape(name), false})
		}
	}
	if x.media() == "text/plain" && x.Body != "" {
		out = append(out, leaf{&tree{kind: 's', text: x.Body}, "text", "body", false})
	}
	return out
}

// saidIn finds what the customer says in a request: the text whose name and whose
// look say so most. Of messages with roles it is the last of the user's.
func saidIn(x *Exchange) (best leaf, score int) {
	if t, err := parseJSON(x.Body); err == nil {
		if l, ok := lastOfUser(t); ok {
			return l, 100
		}
	}
	for _, l := range candidates(x) {
		s := 0
		if r := rank(textNames, l.key); r < len(textNames) {
			s += 40 - r
		}
		if isSpeech(l.text) {
			s += 30
		}
		if role := roleOf(l.key, false); role != roleOther && role != roleClock || l.text == "" || strings.HasPrefix(l.text, "http") {
			s = 0
		}
		if s > score {
			best, score = l, s
		}
	}
	return best, score
}

// lastOfUser finds {"role": "user", "content": "…"} at the end of a list.
func lastOfUser(t *tree) (leaf, bool) {
	list := t.member("messages")
	if list == nil || list.kind != '[' {
		return leaf{}, false
	}
	for _, m := range slices.Backward(list.items) {
		role, content := m.member("role"), m.member("content")
		if role != nil && role.text == "user" && content != nil && content.kind == 's' {
			return leaf{content, "content", "messages.#.content", true}, true
		}
	}
	return leaf{}, false
}

// saidInTree finds a leaf of another reading of the same document.
func saidInTree(t *tree, said leaf) (leaf, bool) {
	for _, l := range t.leaves() {
		if l.path == said.path && l.text == said.text {
			return l, true
		}
	}
	return leaf{}, false
}

// newRequest turns the first of the recorded turns into a template. dialog is an id
// that the server handed out, as later requests have it; "" is none known.
func newRequest(x *Exchange, said leaf, dialog string, nameless bool, env *secrets) *request {
	r := &request{path: x.URL.EscapedPath(), env: env, nameless: nameless}
	r.path = bare(r.path)
	if r.path == "" {
		r.path = "/"
	}
	r.query = r.queryOf(x, said, dialog)
	if t, err := parseJSON(x.Body); err == nil && t.kind == '{' {
		r.readBody(t, said, dialog)
		return r
	}
	for _, f := range x.Form {
		switch {
		case f.File:
		case f.Name == said.path:
			f.Value = "${turn.text}"
		default:
			f.Value, _ = r.value(f.Name, f.Value, dialog)
		}
		r.form = append(r.form, f)
	}
	if len(x.Form) == 0 && x.Body != "" {
		r.text = strings.Replace(x.Body, said.text, "${turn.text}", 1)
	}
	return r
}

func (r *request) queryOf(x *Exchange, said leaf, dialog string) string {
	var out []string
	for pair := range strings.SplitSeq(x.URL.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, val, _ := strings.Cut(pair, "=")
		plain := unescape(val)
		switch {
		case "?"+unescape(name) == said.path && plain == said.text:
			val = "${turn.text}"
		default:
			if v, replaced := r.value(unescape(name), plain, dialog); replaced {
				val = v
			}
		}
		out = append(out, name+"="+val)
	}
	return strings.Join(out, "&")
}

// readBody turns a JSON body into a template.
func (r *request) readBody(t *tree, said leaf, dialog string) {
	if l, score := saidInTree(t, said); score {
		said = l
	}
	if messages := t.member("messages"); messages != nil && said.path == "messages.#.content" {
		r.messages(t, messages)
	}
	if s := t.member("stream"); s != nil && s.text == "true" {
		r.stream = true
	}
	r.fill(t, said.tree, dialog)
	r.body = t
}

// messages puts the dialog so far before the turn's text, behind what is neither the
// user's nor the model's.
func (r *request) messages(t, list *tree) {
	kept := &tree{kind: '['}
	for _, m := range list.items {
		if role := m.member("role"); role != nil && role.text != "user" && role.text != "assistant" {
			kept.items = append(kept.items, m)
		}
	}
	kept.items = append(kept.items, &tree{kind: 's', text: "${history}"},
		&tree{kind: '{', keys: []string{"role", "content"}, items: []*tree{{kind: 's', text: "user"}, {kind: 's', text: "${turn.text}"}}})
	*list = *kept
	if m := t.member("model"); m != nil && m.kind == 's' && strings.HasSuffix(r.path, "/chat/completions") {
		r.openAI, r.model = true, m.text
		for _, k := range t.keys {
			if k != "model" && k != "messages" && k != "stream" && k != "stream_options" {
				r.notes = append(r.notes, reason.New(reason.DeriveFieldLeftOut, k))
			}
		}
	}
}

// fill replaces what stands in members by variables.
func (r *request) fill(t, said *tree, dialog string) {
	for i, item := range t.items {
		switch {
		case item == said:
			item.text = "${turn.text}"
		case item.kind == '{' || item.kind == '[':
			r.fill(item, said, dialog)
		case t.kind == '{' && item.kind == 'n' && plainName(t.keys[i]) == "from": // where a list begins, not who talks
		case t.kind == '{':
			if v, replaced := r.value(t.keys[i], item.text, dialog); replaced {
				item.kind, item.text = 's', v
			}
		}
	}
}

// bare gives the variables of an escaped path their braces back.
func bare(path string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(path, "$%7B")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, rest, closed := strings.Cut(after, "%7D")
		if b.WriteString("${"); !closed {
			path = after
			continue
		}
		b.WriteString(name + "}")
		path = rest
	}
}

// target is the address without what belongs to the request.
func target(u *url.URL) string { return u.Scheme + "://" + u.Host }
