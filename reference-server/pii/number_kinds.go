package pii

import "slices"

func mobile(d string) bool { return d[0] == '1' && d[1] >= '3' }

// mobileShapes are the ways a mobile number is written in groups. 1399 1299 999
// are three prices.
var mobileShapes = [][]int{{11}, {3, 4, 4}, {3, 8}, {7, 4}, {5, 6}, {3, 3, 5}, {6, 5}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}

func mobileShape(shape []int) bool {
	return slices.ContainsFunc(mobileShapes, func(s []int) bool { return slices.Equal(s, shape) })
}

// landline: area codes are 010 and 02x before eight digits, or 0[3-9]xx before
// seven or eight. The area code is a group of its own, or there are no groups;
// sure means that what stands around it speaks of a phone.
func landline(d string, shape []int, sure bool) bool {
	if len(d) < 10 || len(d) > 12 || d[0] != '0' || d[1] == '0' {
		return false
	}
	area := 4
	if d[1] == '1' || d[1] == '2' {
		if area = 3; len(d) != 11 || d[1] == '1' && d[2] != '0' {
			return false
		}
	}
	local := d[area:]
	return (len(local) == 7 || len(local) == 8) && localNumber(local) && (len(shape) == 1 || shape[0] == area && (sure || localShape(shape[1:])))
}

// localShape: one group, or one of four at the end.
func localShape(shape []int) bool {
	return len(shape) == 1 || len(shape) == 2 && shape[1] == 4
}

func localNumber(d string) bool { return d[0] >= '2' && d[0] <= '8' }

// regions are the first two digits of resident ids.
var regions = map[string]bool{
	"11": true, "12": true, "13": true, "14": true, "15": true, "21": true, "22": true, "23": true,
	"31": true, "32": true, "33": true, "34": true, "35": true, "36": true, "37": true,
	"41": true, "42": true, "43": true, "44": true, "45": true, "46": true, "50": true, "51": true, "52": true, "53": true, "54": true,
	"61": true, "62": true, "63": true, "64": true, "65": true, "71": true, "81": true, "82": true, "83": true,
}

// residentID checks GB 11643: region, date of birth and ISO 7064 MOD 11-2.
func residentID(d string) bool {
	if !regions[d[:2]] || d[6:8] != "19" && d[6:8] != "20" || !birthday(d[10:14]) {
		return false
	}
	sum := 0
	for i, w := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(d[i]-'0') * w
	}
	return "10X98765432"[sum%11] == d[17]
}

// oldResidentID are the 15 digits that were given out until 1999, without a
// check digit.
func oldResidentID(d string) bool { return regions[d[:2]] && birthday(d[8:12]) }

// birthday checks month and day.
func birthday(d string) bool {
	month, day := d[:2], d[2:]
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

// cardIssuer knows the leading digits of cards issued or used here.
func cardIssuer(d string) bool {
	return d[:2] == "62" || d[0] == '4' || d[0] == '5' && d[1] >= '1' && d[1] <= '5' || d[:2] == "35" || d[:2] == "37" || d[:2] == "60" || d[:4] == "9558"
}

// cardShape: one run, or groups of four with a shorter rest, or the issuer first.
func cardShape(shape []int) bool {
	if len(shape) == 1 || len(shape) == 2 && shape[0] == 6 {
		return true
	}
	for i, n := range shape {
		if n != 4 && (i < len(shape)-1 || n > 4) {
			return false
		}
	}
	return true
}

func luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}
