package pii

// emails finds mail addresses around each @. Looking left ends at the @ or the
// address before, looking right at the next @, so that looks, the characters
// looked at, are at most a few for each however many addresses there are.
func emails(runes []rune) (spans []span, looks int) {
	floor := 0
	for i, r := range runes {
		if r != '@' || i < floor {
			continue
		}
		end, domain := i, i+1
		if runeAt(runes, i-1) == ' ' && i-1 > floor { // zhang @ qq.com
			end--
		}
		if runeAt(runes, i+1) == ' ' {
			domain++
		}
		from := end
		for from > floor && isLocal(runes[from-1]) {
			from--
		}
		looks += i - from
		floor = i + 1
		if from == end {
			continue
		}
		to, looked := domainEnd(runes, domain)
		if looks += looked; to > 0 {
			spans = append(spans, span{from: from, to: to})
			floor = to
		}
	}
	return spans, looks
}

func isLocal(r rune) bool {
	return isAlnum(r) || r == '.' || r == '_' || r == '%' || r == '+' || r == '-'
}

// domainEnd is where the domain that begins at i ends, 0 when there is none. The
// last label has letters only, two at least; digits typed right behind it are not
// its own.
func domainEnd(runes []rune, i int) (end, looks int) {
	labels := 0
	for {
		from := i
		for i < len(runes) && (isAlnum(runes[i]) || runes[i] == '-') {
			i++
		}
		if i == from {
			return end, looks
		}
		looks += i - from
		letters := from
		for letters < i && isLetter(runes[letters]) {
			letters++
		}
		if labels++; labels > 1 && letters-from >= 2 {
			end = letters
		}
		if runeAt(runes, i) != '.' {
			return end, looks
		}
		i++
	}
}
