package pii

const (
	minDigits = 7  // the shortest number that is personal: a landline without area code
	maxDigits = 19 // the longest: a bank card
	maxGroups = 6

	mobileDigits = 11
)

// digitGroup is a run of digits without separators, by index of its characters.
type digitGroup struct {
	from, to int
	joined   bool // one separator away from the group before
	loose    bool // joined by more, or by what stands between numbers as well
}

// numbers takes phone numbers, ids and cards, also in groups (138 1234 5678).
// Of several readings the longest wins.
func (f *folded) numbers() {
	groups := digitGroups(f.runes)
	for i := 0; i < len(groups); {
		best, used := span{}, 0
		n := number{runes: f.runes, from: groups[i].from}
		for j := i; j < len(groups) && j < i+mobileDigits && (j == i || groups[j].joined); j++ {
			if !n.extend(groups[j]) {
				break
			}
			if j-i >= maxGroups && (len(n.digits) > j-i+1 || len(n.digits) < mobileDigits) {
				if len(n.digits) > j-i+1 {
					break
				}
				continue // 1 3 8 …: digit by digit
			}
			if s, ok := n.classify(); ok {
				best, used = s, j-i+1
			}
		}
		if used == 0 {
			i++
			continue
		}
		f.take(best.kind, []span{best})
		i += used
	}
}

// digitGroups splits a text into runs of digits. Brackets around an area code
// count as its separator.
func digitGroups(runes []rune) []digitGroup {
	var groups []digitGroup
	for i := 0; i < len(runes); i++ {
		if !isDigit(runes[i]) {
			continue
		}
		g := digitGroup{from: i}
		for i < len(runes) && isDigit(runes[i]) {
			i++
		}
		g.to = i
		if len(groups) > 0 {
			g.joined, g.loose = joint(runes[groups[len(groups)-1].to:g.from])
		}
		groups = append(groups, g)
	}
	return groups
}

const maxSeparators = 3

// joint judges what stands between two groups of digits.
func joint(gap []rune) (joined, loose bool) {
	switch {
	case len(gap) == 1 && (isSeparator(gap[0]) || gap[0] == ')'), len(gap) == 2 && gap[0] == ')' && isSeparator(gap[1]), len(gap) == 2 && isSeparator(gap[0]) && gap[1] == '(':
		return true, false
	case len(gap) <= maxSeparators && separate(gap):
		return true, true
	}
	return false, false
}

// separate says whether there is nothing but separators. An asterisk is none: what
// was masked must stay as it is.
func separate(runes []rune) bool {
	for _, r := range runes {
		if !isSeparator(r) && r != '_' && r != '/' && r != '~' {
			return false
		}
	}
	return true
}

func isSeparator(r rune) bool { return r == ' ' || r == '-' || r == '.' || r == '·' }

// number is one reading of groups of digits as one number.
type number struct {
	runes    []rune
	from, to int
	digits   string
	shape    []int // digits in each group
	loose    bool  // a phone or a card only where a word says so
}

// extend adds a group; false when it would be too long for anything.
func (n *number) extend(g digitGroup) bool {
	if len(n.digits)+g.to-g.from > maxDigits {
		return false
	}
	var buffer [maxDigits]byte
	b := append(buffer[:0], n.digits...)
	for _, r := range n.runes[g.from:g.to] {
		b = append(b, byte(r))
	}
	n.digits = string(b)
	n.loose = n.loose || len(n.shape) > 0 && g.loose
	n.shape, n.to = append(n.shape, g.to-g.from), g.to
	return true
}

// classify judges the number by its digits, its groups and what stands around.
func (n *number) classify() (span, bool) {
	s := span{from: n.from, to: n.to}
	if w := wordBefore(n.runes, n.from); w != "" && !contactWords[w] {
		return s, false
	}
	cue := cueBefore(n.runes, n.from)
	if x := runeAt(n.runes, n.to); (x == 'X' || x == 'x') && !isAlnum(runeAt(n.runes, n.to+1)) && len(n.digits) == 17 {
		s.kind, s.to = ResidentID, n.to+1
		return s, residentID(n.digits+"X") && cue != cueOrder
	}
	if len(n.digits) == 17 && isSeparator(runeAt(n.runes, n.to)) && runeAt(n.runes, n.to+1)|0x20 == 'x' && !isAlnum(runeAt(n.runes, n.to+2)) && residentID(n.digits+"X") {
		s.kind, s.to = ResidentID, n.to+2
		return s, cue != cueOrder
	}
	if w := wordAfter(n.runes, n.to); w != "" && !contactWords[w] {
		return s, false
	}
	if cue == cueOrder {
		return s, false
	}
	var ok bool
	s.kind, ok = n.kind(cue)
	if ok && s.kind == Landline && runeAt(n.runes, s.from-1) == '(' {
		s.from--
	}
	if ok && s.kind <= Landline && runeAt(n.runes, s.from-1) == '+' {
		s.from--
	}
	return s, ok
}

func (n *number) kind(cue cue) (Kind, bool) {
	d, shape := n.digits, n.shape
	switch {
	case len(d) == 18 && residentID(d), len(d) == 15 && cue == cueID && oldResidentID(d):
		return ResidentID, true
	case n.bankCard(cue):
		return BankCard, true
	}
	sure := cue == cuePhone || cue == cueDesk || runeAt(n.runes, n.from-1) == '('
	if n.loose && !sure {
		return 0, false
	}
	abroad := n.countryCode()
	d, shape = d[abroad:], without(shape, abroad)
	switch {
	case len(d) == mobileDigits && mobile(d) && (sure || mobileShape(shape) && !isUnit(runeAt(n.runes, n.to))):
		return Mobile, true
	case abroad > 0 && len(d) >= 9 && d[0] != '0' && landline("0"+d, append([]int{shape[0] + 1}, shape[1:]...), sure),
		landline(d, shape, sure):
		return Landline, true
	case cue == cueDesk && (len(d) == 7 || len(d) == 8) && localNumber(d):
		return Landline, true
	}
	return 0, false
}

// bankCard: the 15 digits of American Express are those of many things.
func (n *number) bankCard(cue cue) bool {
	d := n.digits
	switch {
	case len(d) >= 16:
		return cardIssuer(d) && luhn(d) && (cue == cueCard || cardShape(n.shape) && !n.loose)
	case len(d) == 15:
		return cue == cueCard && d[0] == '3' && (d[1] == '4' || d[1] == '7') && luhn(d)
	}
	return false
}

// isUnit says whether a number before it counts something.
func isUnit(r rune) bool { return r == '件' || r == '元' || r == '块' || r == '毫' || r == '斤' }

// countryCode is the length of a leading 86 or 0086.
func (n *number) countryCode() int {
	d := n.digits
	switch {
	case len(d) >= 14 && d[:4] == "0086":
		return 4
	case len(d) >= 12 && d[:2] == "86":
		return 2
	}
	return 0
}

// without takes n leading digits out of a shape.
func without(shape []int, n int) []int {
	for len(shape) > 0 && n >= shape[0] {
		n, shape = n-shape[0], shape[1:]
	}
	if n == 0 {
		return shape
	}
	rest := append([]int{}, shape...)
	rest[0] -= n
	return rest
}

// spelledMobiles takes mobile numbers with digits in Chinese: 幺三八…, 138一二三四5678.
func (f *folded) spelledMobiles() {
	var spans []span
	for i := 0; i < len(f.runes); {
		from, chinese := i, false
		var digits [mobileDigits]byte
		for i < len(f.runes) {
			d, ok := spelled(f.runes[i])
			if !ok {
				break
			}
			if n := i - from; n < mobileDigits {
				digits[n] = byte(d)
			}
			chinese = chinese || d != f.runes[i]
			i++
		}
		if i-from == mobileDigits && chinese && mobile(string(digits[:])) {
			spans = append(spans, span{from: from, to: i})
		}
		if i == from {
			i++
		}
	}
	f.take(Mobile, spans)
}
