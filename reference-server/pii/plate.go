package pii

// platePlaces are the provinces on plates, with the last letter that one of
// their cities has: 新S24 is a phone, not a car.
var platePlaces = map[rune]rune{
	'京': 'Y', '津': 'R', '沪': 'R', '渝': 'Z', '冀': 'T', '晋': 'M', '蒙': 'M', '辽': 'P', '吉': 'K', '黑': 'R', '苏': 'U', '浙': 'L', '皖': 'S', '闽': 'K', '赣': 'M',
	'鲁': 'Y', '豫': 'U', '鄂': 'S', '湘': 'U', '粤': 'Z', '桂': 'R', '琼': 'F', '川': 'Z', '贵': 'J', '云': 'S', '藏': 'J', '陕': 'V', '甘': 'P', '青': 'H', '宁': 'E', '新': 'R',
}

// plates finds number plates: province, city, and five characters, or six for
// cars with new energy.
func plates(runes []rune) []span {
	var spans []span
	for i, r := range runes {
		last := platePlaces[r]
		if last == 0 {
			continue
		}
		city := upper(runeAt(runes, i+1))
		if !isLetter(city) || city > last || city == 'I' {
			continue
		}
		from := i + 2
		if sep := runeAt(runes, from); sep == '·' || sep == ' ' || sep == '-' || sep == '.' {
			from++
		}
		to := from
		for to < len(runes) && to-from < 7 && isAlnum(runes[to]) {
			to++
		}
		if n := plateLength(runes[from:to], runeAt(runes, to)); n > 0 {
			spans = append(spans, span{from: i, to: from + n})
		}
	}
	return spans
}

// plateLength judges the characters behind the city; 0 means no plate. next
// follows them.
func plateLength(s []rune, next rune) int {
	letters := 0
	for _, r := range s {
		if isLetter(r) {
			if u := upper(r); u == 'I' || u == 'O' {
				return 0
			}
			letters++
		}
	}
	switch {
	case len(s) == 4 && letters == 0 && (next == '挂' || next == '学' || next == '警' || next == '港' || next == '澳'):
		return 5
	case len(s) == 5 && letters <= 2:
		return 5
	case len(s) == 6 && (letters == 1 && (isLetter(s[0]) || isLetter(s[5])) || letters == 2 && isLetter(s[0]) && isLetter(s[1])):
		return 6
	}
	return 0
}

func upper(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}
