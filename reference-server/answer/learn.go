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

// learned is what examples teach beyond the rules: how much each piece of one or
// two characters speaks for each intent (softmax regression). It hears what rules
// cannot list, such as 插座里噼啪响, and outweighs what they take wrongly.
type learned struct {
	weights [][NumIntents]float32 // by hash of the piece
}

const (
	pieceBits = 18  // of the hash
	passes    = 16  // over the examples, each slower than the one before
	meanOf    = 8   // of them
	pace      = 2.0 // of the first pass
)

// learn is deterministic: the same examples give the same weights. These are the
// mean of the later passes, which depends less on the order of the last examples.
func learn(examples []example) *learned {
	taught, hashes := numbered(examples)
	l := &learned{weights: make([][NumIntents]float32, len(hashes))}
	mean := make([][NumIntents]float32, len(hashes))
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
	l.weights = make([][NumIntents]float32, 1<<pieceBits)
	for i, hash := range hashes {
		l.weights[hash] = mean[i]
	}
	return l
}

// numbered gives the pieces of each example numbers in the order in which they first
// come, and the hash of each number: learning walks over few weights that lie together.
func numbered(examples []example) (taught [][]uint32, hashes []uint32) {
	taught = make([][]uint32, len(examples))
	numbers := make([]uint32, 1<<pieceBits) // by hash, from 1
	for i, e := range examples {
		taught[i] = pieces(nil, plain(e.text))
		for k, hash := range taught[i] {
			if numbers[hash] == 0 {
				hashes = append(hashes, hash)
				numbers[hash] = uint32(len(hashes))
			}
			taught[i][k] = numbers[hash] - 1
		}
	}
	return taught, hashes
}

// step moves the weights of an example's pieces towards its intent.
func (l *learned) step(pieces []uint32, intent Intent, step float64) {
	p := l.odds(pieces)
	sum := 0.0
	for _, x := range p {
		sum += x
	}
	for i := range p {
		p[i] /= sum
	}
	p[intent]--
	share := float32(step / math.Sqrt(float64(len(pieces))))
	for _, piece := range pieces {
		w := &l.weights[piece]
		for i := range w {
			w[i] -= share * float32(p[i])
		}
	}
}

// odds are how likely each intent is beside the others; they have no certain sum.
type odds [NumIntents]float64

// odds says how likely the pieces make each intent.
func (l *learned) odds(pieces []uint32) (o odds) {
	for _, piece := range pieces {
		for i, w := range &l.weights[piece] {
			o[i] += float64(w)
		}
	}
	root := math.Sqrt(float64(max(len(pieces), 1)))
	for i := range o {
		o[i] = math.Exp(o[i] / root)
	}
	return o
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
