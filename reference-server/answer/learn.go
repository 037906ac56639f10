package answer

import (
	_ "embed"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed examples.tsv
var examplesText string

// example is a sentence and what it is about.
type example struct {
	intent Intent
	text   string
}

// parseExamples reads lines of intent, tab, sentence.
func parseExamples(text string) ([]example, error) {
	var list []example
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		name, sentence, _ := strings.Cut(line, "\t")
		intent, ok := intentNamed(name)
		if !ok || sentence == "" {
			return nil, fmt.Errorf("examples: line %d: %q is no intent, tab, sentence", i+1, line)
		}
		list = append(list, example{intent, sentence})
	}
	return list, nil
}

// learned is what examples teach beyond the rules: how much each piece of a sentence
// speaks for each intent (softmax regression). It hears what rules cannot list, such as
// 插座里噼啪响, and outweighs what they take wrongly.
type learned struct {
	numbers []uint32 // of the pieces by hash, 0 of those that no example has
	weights []sums   // by number
}

const (
	pieceBits = 20  // of the hash: two pieces that share one blur each other
	passes    = 10  // over the examples, each slower than the one before
	meanOf    = 5   // of them
	pace      = 2.0 // of the first pass
)

// learn is deterministic: the same examples give the same weights. These are the
// mean of the later passes, which depends less on the order of the last examples.
//
//go:norace
func learn(examples []example) *learned {
	l := &learned{numbers: make([]uint32, 1<<pieceBits)}
	taught, known := l.number(examples)
	l.weights = make([]sums, known+1)
	mean := make([]sums, known+1)
	order := rand.New(rand.NewPCG(1, 2))
	for pass := range passes {
		step := pace * (1 - float64(pass)/passes)
		for _, i := range order.Perm(len(examples)) {
			l.step(taught[i], examples[i].intent, step)
		}
		if pass < passes-meanOf {
			continue
		}
		for i := range mean {
			for k, w := range l.weights[i] {
				mean[i][k] += w / meanOf
			}
		}
	}
	l.weights = mean
	return l
}

// number gives the pieces of the examples numbers from 1, in the order in which they
// first come: learning walks over few weights that lie together.
//
//go:norace
func (l *learned) number(examples []example) (taught [][]uint32, known uint32) {
	taught = make([][]uint32, len(examples))
	for i, e := range examples {
		taught[i] = pieces(nil, plain(e.text))
		for k, hash := range taught[i] {
			if l.numbers[hash] == 0 {
				known++
				l.numbers[hash] = known
			}
			taught[i][k] = l.numbers[hash]
		}
	}
	return taught, known
}

// step moves the weights of an example's pieces, given by number, towards its intent.
//
// It and what it calls write nothing that is shared. Watched for races they took five of
// the seven seconds in which a server of a test started.
//
//go:norace
func (l *learned) step(numbers []uint32, intent Intent, step float64) {
	var said sums
	for _, number := range numbers {
		said.add(&l.weights[number])
	}
	p := said.odds(len(numbers))
	whole := 0.0
	for _, x := range p {
		whole += x
	}
	share := step / crowd(len(numbers))
	var by sums
	for i, x := range p {
		by[i] = float32(-share * x / whole)
	}
	by[intent] += float32(share)
	for _, number := range numbers {
		l.weights[number].add(&by)
	}
}

// sums are what pieces say of each intent together.
type sums [NumIntents]float32

//go:norace
func (s *sums) add(weights *sums) {
	for i, w := range weights {
		s[i] += w
	}
}

// odds are those that the sums of so many pieces stand for.
//
//go:norace
func (s *sums) odds(pieces int) (o odds) {
	divisor := crowd(pieces)
	for i, x := range s {
		o[i] = math.Exp(float64(x) / divisor)
	}
	return o
}

// crowd is what sums over so many pieces are divided by: the more there are, the less
// does each of them say.
func crowd(pieces int) float64 {
	if pieces < len(crowds) {
		return crowds[pieces]
	}
	return math.Pow(float64(pieces), 0.4)
}

var crowds = func() (list [512]float64) {
	for n := range list {
		list[n] = math.Pow(float64(max(n, 1)), 0.4)
	}
	return list
}()

// odds are how likely each intent is beside the others; they have no certain sum.
type odds [NumIntents]float64

// odds says how likely the pieces, given by hash, make each intent.
func (l *learned) odds(pieces []uint32) odds {
	var s sums
	for _, hash := range pieces {
		if number := l.numbers[hash]; number != 0 {
			s.add(&l.weights[number])
		}
	}
	return s.odds(len(pieces))
}

// with are the odds when a rule speaks for an intent.
func (o odds) with(rule Intent) odds {
	o[rule] *= ruleOdds
	return o
}

const partLong = 48 // characters

// parts cuts a long text behind its punctuation: examples are sentences.
func parts(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, n := 0, 0
		for i, r := range text {
			if n++; n >= partLong && unicode.IsPunct(r) {
				end := i + utf8.RuneLen(r)
				if !yield(text[from:end]) {
					return
				}
				from, n = end, 0
			}
		}
		if from < len(text) || from == 0 {
			yield(text[from:])
		}
	}
}
