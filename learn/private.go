package learn

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/cstest/cstest/reference-server/pii"
)

// disguise replaces personal data by look-alikes, the same one wherever a datum
// stands, in whatever way it is written.
type disguise struct {
	masker *pii.Masker
	real   map[string]bool   // every datum that was seen, bare
	given  map[string]string // look-alike of a datum
	made   map[string]bool   // look-alikes, bare
	next   [pii.NumKinds]int
}

func newDisguise() *disguise {
	return &disguise{masker: pii.New(), real: map[string]bool{}, given: map[string]string{}, made: map[string]bool{}}
}

// bare is a datum without what people put between its characters.
func bare(value string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '@' || r == '＠':
			return '@'
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToUpper(r)
		}
		return -1
	}, value)
}

// look notes what personal data a text has: no look-alike may be one of them.
func (d *disguise) look(text string) {
	d.masker.Replace(text, func(_ pii.Kind, value string) string {
		d.real[bare(value)] = true
		return value
	})
}

// text is a text with its data replaced; ok is false when something of it is
// still found afterwards.
func (d *disguise) text(text string) (out string, ok bool) {
	out = d.masker.Replace(text, func(kind pii.Kind, value string) string { return d.lookAlike(kind, bare(value)) })
	ok = true
	d.masker.Replace(out, func(_ pii.Kind, value string) string {
		ok = ok && d.made[bare(value)]
		return value
	})
	return out, ok
}

func (d *disguise) lookAlike(kind pii.Kind, datum string) string {
	if fake, ok := d.given[datum]; ok {
		return fake
	}
	for {
		d.next[kind]++
		fake := madeUp(kind, d.next[kind])
		if b := bare(fake); !d.real[b] && !d.made[b] {
			d.given[datum] = fake
			d.made[b] = true
			return fake
		}
	}
}

// madeUp is the n-th look-alike of a kind: of its form, and nobody's.
func madeUp(kind pii.Kind, n int) string {
	switch kind {
	case pii.Mobile:
		return fmt.Sprintf("170%08d", n)
	case pii.Landline:
		return fmt.Sprintf("010-5550%04d", n%10_000)
	case pii.ResidentID:
		return residentID(n)
	case pii.BankCard:
		return luhn(fmt.Sprintf("622202%012d", n))
	case pii.Email:
		return fmt.Sprintf("customer%d@example.com", n)
	case pii.Plate:
		return fmt.Sprintf("京A%05d", n%100_000)
	case pii.Name, pii.NumKinds:
	}
	const surnames, given = "张王李赵陈刘杨黄周吴", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平"
	s, g := []rune(surnames), []rune(given)
	return string([]rune{s[n%len(s)], g[n/len(s)%len(g)], g[n/len(s)/len(g)%len(g)]})
}

// residentID is a number of a place that does not exist, with its check digit.
func residentID(n int) string {
	digits := fmt.Sprintf("11010119000101%03d", n%1000)
	if n >= 1000 {
		digits = fmt.Sprintf("110101190%05d%03d", 10_101+n/1000%19, n%1000)
	}
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(digits[i]-'0') * weight
	}
	return digits + string("10X98765432"[sum%11])
}

// luhn appends the check digit of a card's number.
func luhn(digits string) string {
	sum := 0
	for i := range digits {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

// leaked are the data of the log that stand in a text as they are; those of fewer
// than six characters are left to the finder, for they are words as well.
func (d *disguise) leaked(text string) int {
	text, n := bare(text), 0
	for datum := range d.real {
		if len([]rune(datum)) >= 6 && strings.Contains(text, datum) {
			n++
		}
	}
	return n
}
