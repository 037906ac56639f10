package derive

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// Bounds of an API's description.
const (
	maxDocument  = 16 << 20
	documentDeep = 96
	documentSize = 500_000 // values
	maxHops      = 20      // from $ref to $ref
	sampleDeep   = 10      // values made of a schema
	sampleSize   = 2_000
)

// noAddress stands where a description names no server.
const noAddress = "https://chat.example"

// openAPI is a description while it is looked through.
type openAPI struct {
	doc   *tree
	two   bool           // Swagger 2.0
	notes reason.Reasons // of the operation that is looked at
	env   *secrets       // likewise
}

// operation is one that a customer may talk by.
type operation struct {
	name  string // POST /chat
	x     *Exchange
	said  leaf
	score int
	talks bool // it may be a turn: it is a POST, or its path sounds like a chat
	notes reason.Reasons
	env   *secrets
}

// ParseOpenAPI finds in a description (OpenAPI 3, Swagger 2.0; JSON) the operation by
// which a customer talks, and makes a request and an answer of what is said of it. The
// notes say what was guessed. What no operation says is an error.
func ParseOpenAPI(text []byte) (*Exchange, reason.Reasons, error) {
	doc, err := parseDocument(text)
	if err != nil {
		return nil, nil, err
	}
	o := &openAPI{doc: doc, env: newSecrets()}
	version := doc.member("openapi")
	if version == nil {
		version, o.two = doc.member("swagger"), true
	}
	paths := doc.member("paths")
	if version == nil || paths == nil || paths.kind != '{' {
		return nil, nil, reason.Errorf("that is no OpenAPI document: it has no openapi (or swagger) and paths")
	}
	best, others, err := o.best(paths)
	if err != nil {
		return nil, nil, err
	}
	field := strings.TrimPrefix(best.said.path, "?")
	taken := reason.New(reason.DeriveOperation, best.name, field)
	if r := readAnswer(best.x.Answer, best.said.text); r != nil && r.answer != "" {
		taken = reason.New(reason.DeriveOperationAnswer, best.name, field, r.answer)
	}
	notes := append(reason.Reasons{taken}, best.notes...)
	if len(others) > 0 {
		notes = append(notes, reason.New(reason.DeriveOperations, strings.Join(others[:min(len(others), 5)], ", ")))
	}
	return best.x, append(notes, best.env.notes...), nil
}

// best finds the operation that looks most like a customer's turn.
func (o *openAPI) best(paths *tree) (best *operation, others []string, err error) {
	var why error // the first operation that could not be read
	var all []*operation
	var silent []string // those that sound like a chat and take no text
	for i, path := range paths.keys {
		ops := o.resolved(paths.items[i])
		for _, method := range []string{"post", "put", "patch", "get"} {
			op := ops.member(method)
			if op == nil || op.kind != '{' || !strings.HasPrefix(path, "/") {
				continue
			}
			one, err := o.operation(path, method, ops, op)
			switch {
			case err != nil && why == nil:
				why = err
			case err == nil && one != nil:
				all = append(all, one)
			case err == nil && method == "post" && soundsLikeChat(path[strings.LastIndex(strings.TrimSuffix(path, "/"), "/"):]):
				silent = append(silent, "POST "+path)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *operation) int {
		if a.talks != b.talks {
			return map[bool]int{true: -1, false: 1}[a.talks]
		}
		return b.score - a.score
	})
	for _, one := range all {
		others = append(others, one.name)
	}
	switch {
	case len(all) > 0 && all[0].talks:
		best, others = all[0], others[1:]
	case why != nil:
		return nil, nil, why
	default:
		return nil, nil, noTurn(silent, others)
	}
	if err := o.finish(best); err != nil {
		return nil, nil, err
	}
	return best, others, nil
}

// noTurn says why no operation is a turn, and which come near to one.
func noTurn(silent, texts []string) error {
	list := func(names []string) string { return strings.Join(names[:min(len(names), 5)], ", ") }
	switch {
	case len(silent) > 0:
		return reason.Errorf("no operation takes a text that a customer may say (a field such as message, text, query or messages): %.500s sound like a chat, but no field of theirs is described as such a text; record a request instead, --from curl or --from har", list(silent))
	case len(texts) > 0:
		return reason.Errorf("no operation is a customer's turn: %.500s take a text, but none is a POST or has a path that sounds like a chat; record a request instead, --from curl or --from har", list(texts))
	}
	return reason.Errorf("no operation takes a text that a customer may say (a field such as message, text, query or messages): record a request instead, --from curl or --from har")
}

// chatPath is what a chat's path has; a task is no ask.
var chatPath = regexp.MustCompile(`(?i)chat|message|conversation|dialog|completion|talk|query|session|(?:^|[^a-z])ask(?:[^a-z]|$)`)

func soundsLikeChat(path string) bool { return chatPath.MatchString(path) }

// operation makes a request of what is said of one; nil where it takes no text.
func (o *openAPI) operation(path, method string, ops, op *tree) (*operation, error) {
	name := strings.ToUpper(method) + " " + path
	o.notes, o.env = nil, newSecrets()
	x := &Exchange{Described: true, Method: strings.ToUpper(method), URL: &url.URL{Scheme: "https", Host: "h"}}
	if err := o.body(x, op); err != nil {
		return nil, reason.Errorf("%.100s: %w", name, err)
	}
	route, err := o.parameters(x, path, append(o.list(ops, "parameters"), o.list(op, "parameters")...))
	if err != nil {
		return nil, reason.Errorf("%.100s: %w", name, err)
	}
	x.URL.Path = route
	if o.answer(x, op); isPage(x) {
		return nil, nil
	}
	said, score := saidIn(x)
	if score == 0 {
		return nil, nil
	}
	sounds := soundsLikeChat(path)
	if sounds {
		score += 20
	}
	if r := readAnswer(x.Answer, said.text); r != nil && r.answer != "" {
		score += 10
	}
	if method == "get" {
		score -= 15
	}
	return &operation{name: name, x: x, said: said, score: score, talks: sounds || method == "post", notes: o.notes, env: o.env}, nil
}

// finish puts the address and what proves who asks into the operation that is taken.
func (o *openAPI) finish(op *operation) error {
	o.notes, o.env = nil, op.env
	u, err := parseURL(o.address())
	if err != nil {
		o.notes = append(o.notes, reason.New(reason.DeriveNoAddress, noAddress))
		if u, err = parseURL(noAddress); err != nil {
			return err
		}
	}
	route := strings.TrimSuffix(u.Path, "/") + op.x.URL.Path
	op.x.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: route, RawQuery: op.x.URL.RawQuery}
	method, path, _ := strings.Cut(op.name, " ")
	described := o.resolved(o.doc.member("paths").member(path)).member(strings.ToLower(method))
	err = o.secure(op.x, described)
	op.notes = append(op.notes, o.notes...)
	return err
}

var errRef = reason.Errorf("a $ref leads out of the file, in a circle or to nothing: only what stands in the file itself is read")
