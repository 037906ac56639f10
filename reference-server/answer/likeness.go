package answer

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"unicode"
)

// likeness tells how like a question the entries are. Four witnesses, each between 0
// and 1: how well one way to ask agrees with it; how much of it the entry covers; how
// its characters and their pairs lie to those of all ways of the entry; and what
// learning says of words, characters and pairs together, which knows what tells one
// entry from another.
type likeness struct {
	list    []*Entry
	terms   map[term]int32
	weights []float32 // by term: rare ones say more
	rare    float32   // of a term that no entry has
	leans   [][]lean  // by term: the entries that have it, in their direction
	learned [][]float32
	scratch *sync.Pool
}

// term is a word, or a character or a pair of them.
type term struct {
	text string
	word bool
}

// way is a way to ask.
type way struct {
	words  []int32
	weight float32
}

// lean is how far an entry leans towards a term.
type lean struct {
	entry int32
	part  float32
}

const (
	ofWay, ofCover, ofLetters, ofLearned = 0.2, 0.2, 0.4, 0.2 // weights of the witnesses

	tellingWeight = 2 // of a word that one entry in seven has

	faqPasses = 6 // over the ways to ask, each slower than the one before
	faqPace   = 3.0
	faqSmall  = 0.002 // chance of an entry that is not worth a step
)

func newLikeness(list []*Entry, v *vocabulary) likeness {
	l := likeness{list: list, terms: map[term]int32{}}
	var asked [][]int32 // terms of each way to ask
	var of []int        // and its entry
	seen := map[[2]int32]bool{}
	counts := map[int32]int{} // entries that have a term
	ways := make([]map[int32]int, len(list))
	for i, e := range list {
		e.at, ways[i] = i, map[int32]int{}
		count := func(id int32) {
			if k := [2]int32{int32(i), id}; !seen[k] {
				seen[k] = true
				counts[id]++
			}
			e.has = e.has.with(id)
		}
		for _, q := range e.Q {
			words := l.number(v.tokens(q), true)
			letters := l.number(letterTerms(spoken(q)), false)
			e.ways = append(e.ways, way{words: words})
			for _, id := range words {
				count(id)
			}
			for _, id := range letters {
				count(id)
				ways[i][id]++
			}
			asked = append(asked, append(append([]int32{}, words...), letters...))
			of = append(of, i)
		}
		for _, k := range append(e.Keys, e.Topic) {
			for _, id := range l.number(v.tokens(k), true) {
				count(id)
			}
		}
	}
	l.weigh(list, counts)
	l.direct(ways)
	l.learned = learnEntries(asked, of, len(l.terms), len(list))
	size := (len(l.terms) + 63) / 64
	entries := len(list)
	l.scratch = &sync.Pool{New: func() any {
		return &look{in: make(set, size), letters: make([]float32, entries), learned: make([]float32, entries)}
	}}
	return l
}

// number gives the numbers of terms, new ones where need be.
func (l *likeness) number(texts []string, word bool) []int32 {
	ids := make([]int32, 0, len(texts))
	for _, t := range texts {
		id, ok := l.terms[term{t, word}]
		if !ok {
			id = int32(len(l.terms))
			l.terms[term{t, word}] = id
		}
		ids = append(ids, id)
	}
	return ids
}

// weigh gives terms the inverse of the share of entries that have them.
func (l *likeness) weigh(list []*Entry, counts map[int32]int) {
	n := float64(len(list))
	l.weights = make([]float32, len(l.terms))
	for id, c := range counts {
		l.weights[id] = float32(math.Log(1 + n/float64(c)))
	}
	l.rare = float32(math.Log(1 + n))
	for _, e := range list {
		for i := range e.ways {
			for _, id := range e.ways[i].words {
				e.ways[i].weight += l.weights[id]
			}
		}
	}
}

// direct makes a unit vector of the characters and pairs of each entry.
func (l *likeness) direct(ways []map[int32]int) {
	l.leans = make([][]lean, len(l.terms))
	for i, counts := range ways {
		square := 0.0
		for id := range int32(len(l.terms)) { // in order, so that sums are the same every time
			if c := counts[id]; c > 0 {
				x := math.Log1p(float64(c)) * float64(l.weights[id])
				square += x * x
			}
		}
		length := math.Sqrt(square)
		for id, c := range counts {
			l.leans[id] = append(l.leans[id], lean{int32(i), float32(math.Log1p(float64(c)) * float64(l.weights[id]) / length)})
		}
	}
}

// letterTerms are the letters of what was spoken and their pairs, each once; a word of
// Latin letters counts as one, or any would be like any other.
func letterTerms(spoken []rune) []string {
	list := make([]string, 0, 2*len(spoken))
	add := func(t string) {
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	before := rune(0)
	for i := 0; i < len(spoken); i++ {
		r := spoken[i]
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		if n := latinRun(spoken[i:]); n > 0 {
			add(string(spoken[i : i+n]))
			before, i = 0, i+n-1
			continue
		}
		add(string(r))
		if before != 0 {
			add(string([]rune{before, r}))
		}
		before = r
	}
	return list
}

// telling are the words that say most, for the index: what half of the entries have
// would cost most of the search.
func (l *likeness) telling(words []string) []string {
	list := make([]string, 0, len(words))
	for _, w := range words {
		if id, ok := l.terms[term{w, true}]; ok && l.weights[id] >= tellingWeight {
			list = append(list, w)
		}
	}
	return list
}

// learnEntries is softmax regression: how much each term speaks for each entry.
//
//go:norace
func learnEntries(asked [][]int32, of []int, terms, entries int) [][]float32 {
	all := make([]float32, terms*entries)
	weights := make([][]float32, terms)
	for i := range weights {
		weights[i] = all[i*entries : (i+1)*entries]
	}
	p := make([]float32, entries)
	order := rand.New(rand.NewPCG(1, 2))
	for pass := range faqPasses {
		step := faqPace * (1 - float64(pass)/faqPasses)
		for _, i := range order.Perm(len(asked)) {
			if len(asked[i]) == 0 {
				continue
			}
			chancesOf(weights, asked[i], p)
			p[of[i]]--
			share := float32(step / math.Sqrt(float64(len(asked[i]))))
			for k, x := range p {
				if x > -faqSmall && x < faqSmall {
					continue
				}
				for _, id := range asked[i] {
					weights[id][k] -= share * x
				}
			}
		}
	}
	return weights
}

// chancesOf sets p to how likely each entry is.
//
//go:norace
func chancesOf(weights [][]float32, asked []int32, p []float32) {
	clear(p)
	for _, id := range asked {
		for k, w := range weights[id] {
			p[k] += w
		}
	}
	root := float32(math.Sqrt(float64(max(1, len(asked)))))
	sum := float32(0)
	for k := range p {
		p[k] = float32(math.Exp(float64(p[k] / root)))
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
}

// look is what one question needs, kept for the next.
type look struct {
	in               set
	known            []int32   // its terms, words first
	words            int       // how many of them
	letters, learned []float32 // by entry
}

const betLearned = 3 // entries that learning proposes beside those of the index

// judge gives the proposed entries, and those that learning prefers, their likeness.
func (l *likeness) judge(words []string, spoken []rune, proposed []*Entry) []scored {
	k := l.scratch.Get().(*look) //nolint:forcetypeassert // this file alone puts it there
	defer l.scratch.Put(k)
	whole := k.read(l, words, spoken)
	chancesOf(l.learned, k.known, k.learned)
	list := make([]scored, 0, len(proposed)+betLearned)
	for _, e := range proposed {
		list = append(list, scored{e, k.likeness(l, e, whole)})
	}
	for range betLearned { // the likeliest are struck out one by one
		best := 0
		for i, p := range k.learned {
			if p > k.learned[best] {
				best = i
			}
		}
		if e := l.list[best]; !slices.Contains(proposed, e) {
			list = append(list, scored{e, k.likeness(l, e, whole)})
		}
		k.learned[best] = 0
	}
	for _, id := range k.known {
		k.in[id/64] = 0
	}
	return list
}

// read takes in a question; whole is the weight of its words.
func (k *look) read(l *likeness, words []string, spoken []rune) (whole float32) {
	k.known = k.known[:0]
	for _, w := range words {
		if id, ok := l.terms[term{w, true}]; ok {
			whole += l.weights[id]
			k.known = append(k.known, id)
		} else {
			whole += l.rare
		}
	}
	k.words = len(k.known)
	clear(k.letters)
	square := float32(0)
	for _, t := range letterTerms(spoken) {
		id, ok := l.terms[term{t, false}]
		weight := l.rare
		if ok {
			weight = l.weights[id]
			k.known = append(k.known, id)
			for _, s := range l.leans[id] {
				k.letters[s.entry] += weight * s.part
			}
		}
		square += weight * weight
	}
	if square > 0 {
		root := float32(math.Sqrt(float64(square)))
		for i := range k.letters {
			k.letters[i] /= root
		}
	}
	for _, id := range k.known {
		k.in[id/64] |= 1 << (id % 64)
	}
	return whole
}

// likeness of one entry, by the four witnesses.
func (k *look) likeness(l *likeness, e *Entry, whole float32) float64 {
	best, cover := float32(0), float32(0)
	for i := range e.ways {
		both := float32(0)
		for _, id := range e.ways[i].words {
			if k.in.has(id) {
				both += l.weights[id]
			}
		}
		best = max(best, 2*both/(whole+e.ways[i].weight))
	}
	for _, id := range k.known[:k.words] {
		if e.has.has(id) {
			cover += l.weights[id]
		}
	}
	return float64(ofWay*best + ofCover*cover/whole + ofLetters*k.letters[e.at] + ofLearned*k.learned[e.at])
}

// set is a set of terms.
type set []uint64

func (s set) has(id int32) bool { return int(id/64) < len(s) && s[id/64]&(1<<(id%64)) != 0 }

func (s set) with(id int32) set {
	for int(id/64) >= len(s) {
		s = append(s, 0)
	}
	s[id/64] |= 1 << (id % 64)
	return s
}
