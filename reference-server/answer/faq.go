package answer

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/mapping"
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
}

// Hit is what retrieval found: an answer, or suggestions, or nothing.
type Hit struct {
	Entry       *Entry // nil: not sure enough
	Suggestions []string
}

// FAQ finds reviewed answers: bleve proposes candidates by CJK bigrams,
// the overlap with the ways to ask decides. Retrieval is a pure function of
// the text, so hits are remembered. Safe for concurrent use.
type FAQ struct {
	index   bleve.Index
	entries map[string]*Entry
	exact   map[string]*Entry // by normalised question
	topics  []topicWord       // longest first
	hits    *otter.Cache[string, Hit]
}

type topicWord struct{ word, topic string }

// ErrNoFAQ means that there is no index to look into.
var ErrNoFAQ = errors.New("faq: no index")

const (
	faqCandidates  = 5
	faqSure        = 0.5  // overlap at which wording alone is enough
	faqSureWithKey = 0.25 // overlap at which a named subject is enough
	faqMinScore    = 0.05 // bleve hits below are noise
)

// NewFAQ indexes the reviewed questions.
func NewFAQ() (*FAQ, error) {
	var list []*Entry
	if err := json.Unmarshal(faqJSON, &list); err != nil {
		return nil, fmt.Errorf("faq: %w", err)
	}
	index, err := bleve.NewMemOnly(faqMapping())
	if err != nil {
		return nil, fmt.Errorf("faq: %w", err)
	}
	f := &FAQ{index: index, entries: map[string]*Entry{}, exact: map[string]*Entry{},
		hits: otter.Must(&otter.Options[string, Hit]{MaximumSize: 8192})}
	batch := index.NewBatch()
	for _, e := range list {
		f.entries[e.ID] = e
		for _, q := range e.Q {
			f.exact[normalise(q)] = e
		}
		if e.Topic != "" {
			f.topics = append(f.topics, topicWord{e.Topic, e.Topic})
			for _, k := range e.Keys {
				f.topics = append(f.topics, topicWord{k, e.Topic})
			}
		}
		if err := batch.Index(e.ID, map[string]any{"q": strings.Join(e.Q, " "), "a": e.A}); err != nil {
			return nil, fmt.Errorf("faq: entry %s: %w", e.ID, err)
		}
	}
	if err := index.Batch(batch); err != nil {
		return nil, fmt.Errorf("faq: %w", err)
	}
	return f, nil
}

func faqMapping() mapping.IndexMapping {
	text := bleve.NewTextFieldMapping()
	text.Analyzer = cjk.AnalyzerName
	text.Store = false
	doc := bleve.NewDocumentStaticMapping()
	doc.AddFieldMappingsAt("q", text)
	doc.AddFieldMappingsAt("a", text)
	m := bleve.NewIndexMapping()
	m.DefaultMapping = doc
	m.DefaultAnalyzer = cjk.AnalyzerName
	return m
}

// Close frees the index. A nil FAQ has none.
func (f *FAQ) Close() {
	if f != nil {
		_ = f.index.Close()
	}
}

// Find retrieves for a text without marks. An error means that the index does
// not work.
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
	hit, err := f.search(key)
	if err == nil {
		f.hits.Set(key, hit)
	}
	return hit, err
}

func (f *FAQ) search(key string) (Hit, error) {
	byQuestion := bleve.NewMatchQuery(key)
	byQuestion.SetField("q")
	byQuestion.SetBoost(3)
	byAnswer := bleve.NewMatchQuery(key)
	byAnswer.SetField("a")
	res, err := f.index.Search(bleve.NewSearchRequestOptions(bleve.NewDisjunctionQuery(byQuestion, byAnswer), faqCandidates, 0, false))
	if err != nil {
		return Hit{}, fmt.Errorf("faq: %w", err)
	}
	var best *Entry
	var bestOverlap float64
	var hit Hit
	asked := bigrams(key)
	for _, h := range res.Hits {
		e := f.entries[h.ID]
		if e == nil || h.Score < faqMinScore {
			continue
		}
		if len(hit.Suggestions) < 3 {
			hit.Suggestions = append(hit.Suggestions, e.Q[0])
		}
		o := e.overlap(asked)
		named := e.named(key)
		if (o >= faqSure || named && o >= faqSureWithKey) && o > bestOverlap {
			best, bestOverlap = e, o
		}
	}
	if best != nil {
		return Hit{Entry: best}, nil
	}
	return hit, nil
}

// Hot is the entry whose answer may be kept for everybody, when text is
// exactly one of its reviewed questions.
func (f *FAQ) Hot(text string) (key string, ok bool) {
	key = normalise(text)
	e := f.exact[key]
	return key, e != nil && e.Hot
}

// overlap is the best Dice coefficient of asked with a way to ask, or how much
// of a way to ask stands in asked, a little less: long messages say more than
// the question.
func (e *Entry) overlap(asked map[string]bool) float64 {
	best := 0.0
	for _, q := range e.Q {
		way := bigrams(normalise(q))
		both := 0
		for b := range way {
			if asked[b] {
				both++
			}
		}
		if both == 0 {
			continue
		}
		best = max(best, 2*float64(both)/float64(len(way)+len(asked)), 0.75*float64(both)/float64(len(way)))
	}
	return best
}

func (e *Entry) named(text string) bool {
	for _, k := range e.Keys {
		if strings.Contains(text, k) {
			return true
		}
	}
	return false
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
var fillers = strings.NewReplacer("请问", "", "你好", "", "您好", "", "麻烦", "", "一下", "", "帮我", "", "我想", "", "问下", "", "亲", "", "啊", "", "呀", "", "呢", "", "吗", "", "吧", "", "哦", "", "的", "", "了", "")

// normalise folds width and case and drops what is no letter or digit, and
// fillers unless nothing else is left.
func normalise(text string) string {
	var b strings.Builder
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

func bigrams(s string) map[string]bool {
	m := map[string]bool{}
	var last rune
	for _, r := range s {
		if last != 0 {
			m[string(last)+string(r)] = true
		}
		last = r
	}
	if len(m) == 0 && last != 0 {
		m[string(last)] = true
	}
	return m
}
