package reason

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cstest/cstest/unit"
)

// row is a code and its texts. In the English one an argument is {name:kind}, in
// the Chinese one {name}, where it may stand anywhere.
type row struct {
	code   Code
	en, zh string
}

// kind is the type of an argument.
type kind string

// The kinds of arguments, by what stands for them in Go and what in JSON.
const (
	kindText     kind = "text"     // string: a name, or what somebody else wrote
	kindQuoted   kind = "quoted"   // string, shown in quotes
	kindWord     kind = "word"     // Word: one of a closed set, such as a verdict
	kindDuration kind = "duration" // time.Duration: name_ns
	kindShift    kind = "shift"    // time.Duration with its sign: name_ns
	kindShare    kind = "share"    // unit.Share: 0–1
	kindQuantile kind = "quantile" // unit.Share, shown as in P99.9
	kindCount    kind = "count"    // int64
	kindFigure   kind = "figure"   // float64
	kindRate     kind = "rate"     // unit.Rate: name_per_s
	kindSize     kind = "size"     // unit.Size: name_bytes
	kindReasons  kind = "reasons"  // Reasons, said in one line
)

type param struct {
	name string
	kind kind
}

// part is a piece of a text: an argument by its place, or a text where that is −1.
type part struct {
	text string
	arg  int
}

// compiled is a row ready to be printed.
type compiled struct {
	args   []param
	en, zh []part
}

func (c *compiled) parts(lang Lang) []part {
	if lang == Chinese {
		return c.zh
	}
	return c.en
}

// rows are all codes; it is made once and then only read.
var rows = sync.OnceValue(func() map[Code]*compiled {
	out := map[Code]*compiled{}
	for _, r := range table() {
		c := &compiled{}
		c.en = c.parse(r.en, true)
		c.zh = c.parse(r.zh, false)
		out[r.code] = c
	}
	return out
})

// table is every row, by what they are about.
func table() []row {
	var all []row
	for _, group := range [][]row{
		objectiveRows(),
		runRows(),
		generatorRows(),
		countRows(),
		incidentRows(),
		comparisonRows(),
		journalRows(),
		shardRows(),
		refusalRows(),
		mergeRows(),
		engineRows(),
		tuneRows(),
		capacityRows(),
		poolRows(),
		slowestRows(),
		deriveRows(),
		clientRows(),
	} {
		all = append(all, group...)
	}
	return all
}

// parse cuts a text at its arguments; those of the English one are declared there.
func (c *compiled) parse(text string, declares bool) (list []part) {
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			list = append(list, part{before, -1})
		}
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		text = after
		if declares {
			word, k, _ := strings.Cut(name, ":")
			c.args = append(c.args, param{word, kind(k)})
			name = word
		}
		for i, a := range c.args {
			if a.name == name {
				list = append(list, part{arg: i})
				break
			}
		}
	}
	return list
}

// show prints an argument. One that is not of its kind is left out.
func show(k kind, a any, lang Lang) string {
	switch v := a.(type) {
	case string:
		if k == kindQuoted {
			return strconv.Quote(v)
		}
		return v
	case Word:
		return v.Text(lang)
	case Phrase:
		return v.Text(lang)
	case time.Duration:
		if k == kindShift && v > 0 {
			return "+" + unit.Duration(v).Text()
		}
		return unit.Duration(v).Text()
	case unit.Share:
		if k == kindQuantile {
			return strings.TrimSuffix(v.Text(), " %")
		}
		return v.Text()
	case int64:
		return unit.Count(v).Text()
	case float64:
		return unit.Figure(v)
	case unit.Rate:
		return v.Text()
	case unit.Size:
		return v.Text()
	case Reasons:
		return v.Text(lang)
	}
	return ""
}

// Row is what the table has for a code.
type Row struct {
	Code             Code
	English, Chinese string // with {name} for arguments
	Args             []Arg
}

// Arg is an argument of a code: its key in JSON, with its unit, and its kind:
// text, quoted, word, duration, shift, share, quantile, count, figure, rate, size
// or reasons.
type Arg struct{ Key, Kind string }

// Table is every code there is, in the order in which they are written down.
func Table() []Row {
	list := table()
	out := make([]Row, len(list))
	for i, r := range list {
		out[i] = Row{Code: r.code, English: hole.ReplaceAllString(r.en, "{$1}"), Chinese: r.zh}
		for _, p := range rows()[r.code].args {
			out[i].Args = append(out[i].Args, Arg{p.key(), string(p.kind)})
		}
	}
	return out
}
