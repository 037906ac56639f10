package answer

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/maypok86/otter/v2"
)

//go:embed faq.json
var faqJSON []byte

// Entry is one reviewed question with its answer.
type Entry struct {
	ID    string   `json:"id"`
	Topic string   `json:"topic"` // what a follow-up question may leave out
	Keys  []string `json:"keys"`  // words that name the subject
	Q     []string `json:"q"`     // ways to ask
	A     string   `json:"a"`
	Hot   bool     `json:"hot"` // the same for everybody at any time: the answer may be cached

	at   int   // place in the list
	ways []way // of each way to ask
	has  set   // terms of all of them, and of the keys
}

// Hit is what retrieval found: an answer, or suggestions, or nothing.
type Hit struct {
	Entry       *Entry // nil: not sure enough
	Suggestions []string
}

// FAQ finds reviewed answers: an index proposes entries that share words with the
// question, how like they are decides. Retrieval is a pure function of the text, so
// hits are remembered. Safe for concurrent use.
type FAQ struct {
	*catalog
	hits *otter.Cache[string, Hit]
}

// catalog is what is known of a list of entries. It does not change.
type catalog struct {
	words   *vocabulary
	having  map[string][]*Entry // by word
	entries map[string]*Entry
	exact   map[string]*Entry // by normalised question
	topics  []topicWord
	likeness
}

// reviewed is the catalog of the program's own entries, made once in a process.
var reviewed = sync.OnceValues(func() (*catalog, error) { return newCatalog(nil) })

func newCatalog(accepted []Entry) (*catalog, error) {
	list, err := parseFAQ(faqJSON)
	if err != nil {
		return nil, err
	}
	list = withAccepted(list, accepted)
	c := &catalog{words: newVocabulary(), having: map[string][]*Entry{}, entries: map[string]*Entry{}, exact: map[string]*Entry{}}
	for _, e := range list {
		c.add(e)
	}
	c.likeness = newLikeness(list, c.words)
	return c, nil
}

type topicWord struct{ word, topic string }

// ErrNoFAQ means that there is no index to look into.
var ErrNoFAQ = errors.New("faq: no index")

const (
	faqSure   = 0.42 // likeness at which an entry answers
	faqAhead  = 0.16 // and by which it must lead the next one
	faqLikely = 0.12 // likeness at which an entry is suggested
)

// NewFAQ indexes the reviewed questions, and those that were accepted since.
func NewFAQ(accepted ...Entry) (*FAQ, error) {
	known, err := reviewed()
	if len(accepted) > 0 {
		known, err = newCatalog(accepted)
	}
	if err != nil {
		return nil, err
	}
	return &FAQ{catalog: known, hits: otter.Must(&otter.Options[string, Hit]{MaximumSize: 8192})}, nil
}

func parseFAQ(text []byte) ([]*Entry, error) {
	var list []*Entry
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("faq: %w", err)
	}
	return list, nil
}

func (c *catalog) add(e *Entry) {
	c.entries[e.ID] = e
	for _, q := range e.Q {
		c.exact[normalise(q)] = e
		c.index(e, q)
	}
	for _, k := range append(e.Keys, e.Topic) {
		c.index(e, k)
	}
	if e.Topic != "" {
		c.topics = append(c.topics, topicWord{e.Topic, e.Topic})
		for _, k := range e.Keys {
			c.topics = append(c.topics, topicWord{k, e.Topic})
		}
	}
}

// index notes that an entry has the words of a text.
func (c *catalog) index(e *Entry, text string) {
	for _, w := range c.words.tokens(text) {
		if !slices.Contains(c.having[w], e) {
			c.having[w] = append(c.having[w], e)
		}
	}
}

// Find retrieves for a text without marks. It is a Finder's, and never errs.
func (f *FAQ) Find(text string) (Hit, error) {
	key := normalise(text)
	if key == "" {
		return Hit{}, nil
	}
	if e, ok := f.exact[key]; ok {
		return Hit{Entry: e}, nil
	}
	if hit, ok := f.hits.GetIfPresent(key); ok {
		return hit, nil
	}
	hit := f.search(text)
	f.hits.Set(key, hit)
	return hit, nil
}

// longNumber is an order or the like, and no part of the question.
var longNumber = regexp.MustCompile(`[0-9A-Za-z]*[0-9]{6,}`)

// scored is an entry with its likeness to a question.
type scored struct {
	entry    *Entry
	likeness float64
}

func (f *FAQ) search(text string) Hit {
	said := spoken(longNumber.ReplaceAllString(text, ""))
	words := f.words.tokensOf(said)
	if len(words) == 0 {
		return Hit{}
	}
	list := f.judge(words, said, f.propose(f.telling(words)))
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.likeness, a.likeness), cmp.Compare(a.entry.at, b.entry.at))
	})
	return pick(list)
}

// propose gives the entries that have one of these words.
func (f *FAQ) propose(words []string) (list []*Entry) {
	for _, w := range words {
		for _, e := range f.having[w] {
			if !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	return list
}

// pick answers with the best entry if it is like enough and ahead of the others,
// else suggests.
func pick(list []scored) Hit {
	if len(list) == 0 {
		return Hit{}
	}
	next := 0.0
	if len(list) > 1 {
		next = list[1].likeness
	}
	if best := list[0]; best.likeness >= faqSure && best.likeness-next >= faqAhead {
		return Hit{Entry: best.entry}
	}
	var hit Hit
	for _, s := range list[:min(3, len(list))] {
		if s.likeness >= faqLikely {
			hit.Suggestions = append(hit.Suggestions, s.entry.Q[0])
		}
	}
	return hit
}

// Hot is the entry whose answer may be kept for everybody, when text is
// exactly one of its reviewed questions.
func (f *FAQ) Hot(text string) (key string, ok bool) {
	key = normalise(text)
	e := f.exact[key]
	return key, e != nil && e.Hot
}

// Topic is the subject that text names, or "".
func (f *FAQ) Topic(text string) string {
	best, at := "", ""
	for _, t := range f.topics {
		if len(t.word) > len(at) && strings.Contains(text, t.word) {
			best, at = t.topic, t.word
		}
	}
	return best
}

// fillers say nothing about the subject.
var fillers = newReplacer("请问", "", "你好", "", "您好", "", "麻烦", "", "一下", "", "帮我", "", "我想", "", "问下", "", "亲", "", "啊", "", "呀", "", "呢", "", "吗", "", "吧", "", "哦", "", "的", "", "了", "")

// normalise folds width and case and drops what is no letter or digit, and
// fillers unless nothing else is left.
func normalise(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		if r >= 0xff01 && r <= 0xff5e {
			r -= 0xfee0
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	s := b.String()
	if short := fillers.Replace(s); short != "" {
		return short
	}
	return s
}
