package pii

// emails finds mail addresses around each @. Looking left ends at the @ or the
// address before, so the whole is linear however many there are.
func emails(runes []rune) []span {
	var spans []span
	floor := 0
	for i, r := range runes {
		if r != '@' || i < floor {
			continue
		}
		from := i
		for from > floor && isLocal(runes[from-1]) {
			from--
		}
		floor = i + 1
		if from == i {
			continue
		}
		if to := domainEnd(runes, i+1); to > 0 {
			spans = append(spans, span{from: from, to: to})
			floor = to
		}
	}
	return spans
}

func isLocal(r rune) bool {
	return isAlnum(r) || r == '.' || r == '_' || r == '%' || r == '+' || r == '-'
}

// domainEnd is where the domain that begins at i ends, 0 when there is none. The
// last label has letters only, two at least; digits typed right behind it are not
// its own.
func domainEnd(runes []rune, i int) int {
	end, labels := 0, 0
	for {
		from := i
		for i < len(runes) && (isAlnum(runes[i]) || runes[i] == '-') {
			i++
		}
		if i == from {
			return end
		}
		letters := from
		for letters < i && isLetter(runes[letters]) {
			letters++
		}
		if labels++; labels > 1 && letters-from >= 2 {
			end = letters
		}
		if runeAt(runes, i) != '.' {
			return end
		}
		i++
	}
}
