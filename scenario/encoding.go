package scenario

import (
	"bytes"
	"unicode/utf8"

	"github.com/cstest/cstest/reason"
)

// notUTF8 finds where a file is not UTF-8 and says what it is instead, as far as
// its bytes tell.
func notUTF8(text []byte) (line, column int, message reason.Phrase, found bool) {
	if order := utf16Order(text); order != (reason.Phrase{}) {
		return 1, 1, reason.Say("is UTF-16 (%s), not UTF-8: save the file as UTF-8 (Excel: \"CSV UTF-8\"; Notepad: encoding UTF-8)", order), true
	}
	line, column, found = invalidUTF8(text)
	if !found {
		return 0, 0, reason.Phrase{}, false
	}
	message = reason.Say("is not UTF-8: save the file as UTF-8 (Excel: \"CSV UTF-8\")")
	if looksLikeGBK(text) {
		message = reason.Say("is not UTF-8 and looks like GBK, as Chinese Windows and Excel save it: save the file as UTF-8 (Excel: \"CSV UTF-8\"), or: iconv -f GB18030 -t UTF-8")
	}
	return line, column, message, true
}

// utf16Order names the byte order of UTF-16, by its mark or by the zero bytes
// that every ASCII character brings; no text of ours holds any.
func utf16Order(text []byte) reason.Phrase {
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		return reason.Say("little endian")
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		return reason.Say("big endian")
	}
	var zeros [2]int
	head := text[:min(len(text), 4096)]
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch enough := len(head) / 8; {
	case zeros[1] > enough && zeros[1] > 4*zeros[0]:
		return reason.Say("little endian")
	case zeros[0] > enough && zeros[0] > 4*zeros[1]:
		return reason.Say("big endian")
	}
	return reason.Phrase{}
}

// looksLikeGBK tells whether every byte beyond ASCII belongs to a pair of GBK.
func looksLikeGBK(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < 0x80 {
			continue
		}
		if i+1 >= len(text) || text[i] < 0x81 || text[i] == 0xff || text[i+1] < 0x40 || text[i+1] == 0x7f || text[i+1] == 0xff {
			return false
		}
		i++
	}
	return true
}

func invalidUTF8(text []byte) (line, column int, found bool) {
	line, column = 1, 1
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return line, column, true
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
		i += n
	}
	return 0, 0, false
}
