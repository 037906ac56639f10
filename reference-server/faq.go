package refserver

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/maypok86/otter/v2"
)

//go:embed faq.json
var faqJSON []byte

// faqEntry is one reviewed question with its answer.
type faqEntry struct {
	ID    string   `json:"id"`
	Topic string   `json:"topic"` // what a follow-up question may leave out
	Keys  []string `json:"keys"`  // words that name the subject
	Q     []string `json:"q"`     // ways to ask
	A     string   `json:"a"`
	Hot   bool     `json:"hot"` // the same for everybody at any time: the answer may be cached
}

// faqHit is what retrieval found: an answer, or suggestions, or nothing.
type faqHit struct {
	entry       *faqEntry // nil: not sure enough
	suggestions []string
}

// faqIndex finds reviewed answers: bleve proposes candidates by CJK bigrams,
// the overlap with the ways to ask decides. Retrieval is a pure function of
// the text, so hits are remembered. Safe for concurrent use.
type faqIndex struct {
	index   bleve.Index
	entries map[string]*faqEntry
	exact   map[string]*faqEntry // by normalised question
	topics  []topicWord          // longest first
	hits    *otter.Cache[string, faqHit]
}

type topicWord struct{ word, topic string }

// errFAQ means that there is no index to look into.
var errFAQ = errors.New("faq: no index")

const (
	faqSlow        = 50 * time.Millisecond
	faqCandidates  = 5
	faqSure        = 0.5  // overlap at which wording alone is enough
	faqSureWithKey = 0.25 // overlap at which a named subject is enough
	faqMinScore    = 0.05 // bleve hits below are noise
)

func newFAQ() (*faqIndex, error) {
	var list []*faqEntry
	if err := json.Unmarshal(faqJSON, &list); err != nil {
		return nil, fmt.Errorf("faq: %w", err)
	}
	index, err := bleve.NewMemOnly(faqMapping())
	if err != nil {
		return nil, fmt.Errorf("faq: %w", err)
	}
	f := &faqIndex{index: index, entries: map[string]*faqEntry{}, exact: map[string]*faqEntry{},
		hits: otter.Must(&otter.Options[string, faqHit]{MaximumSize: 8192})}
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

func (f *faqIndex) close() {
	if f != nil {
		_ = f.index.Close()
	}
}

// find retrieves for a text without marks. An error means that the index does
// not work.
func (f *faqIndex) find(text string) (faqHit, error) {
	key := normalise(text)
	if key == "" {
		return faqHit{}, nil
	}
	if e, ok := f.exact[key]; ok {
		return faqHit{entry: e}, nil
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

func (f *faqIndex) search(key string) (faqHit, error) {
	byQuestion := bleve.NewMatchQuery(key)
	byQuestion.SetField("q")
	byQuestion.SetBoost(3)
	byAnswer := bleve.NewMatchQuery(key)
	byAnswer.SetField("a")
	res, err := f.index.Search(bleve.NewSearchRequestOptions(bleve.NewDisjunctionQuery(byQuestion, byAnswer), faqCandidates, 0, false))
	if err != nil {
		return faqHit{}, fmt.Errorf("faq: %w", err)
	}
	var best *faqEntry
	var bestOverlap float64
	var hit faqHit
	asked := bigrams(key)
	for _, h := range res.Hits {
		e := f.entries[h.ID]
		if e == nil || h.Score < faqMinScore {
			continue
		}
		if len(hit.suggestions) < 3 {
			hit.suggestions = append(hit.suggestions, e.Q[0])
		}
		o := e.overlap(asked)
		named := e.named(key)
		if (o >= faqSure || named && o >= faqSureWithKey) && o > bestOverlap {
			best, bestOverlap = e, o
		}
	}
	if best != nil {
		return faqHit{entry: best}, nil
	}
	return hit, nil
}

// hot is the entry whose answer may be kept for everybody, when text is
// exactly one of its reviewed questions.
func (f *faqIndex) hot(text string) (key string, ok bool) {
	key = normalise(text)
	e := f.exact[key]
	return key, e != nil && e.Hot
}

// overlap is the best Dice coefficient of asked with a way to ask, or how much
// of a way to ask stands in asked, a little less: long messages say more than
// the question.
func (e *faqEntry) overlap(asked map[string]bool) float64 {
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

func (e *faqEntry) named(text string) bool {
	for _, k := range e.Keys {
		if strings.Contains(text, k) {
			return true
		}
	}
	return false
}

// topic is the subject that text names, or "".
func (f *faqIndex) topic(text string) string {
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

// timedFind is find with its duration, for the gauges.
func (f *faqIndex) timedFind(text string) (hit faqHit, took time.Duration, err error) {
	start := time.Now()
	hit, err = f.find(text)
	return hit, time.Since(start), err
}
