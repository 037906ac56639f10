package answer

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

//go:embed notions.txt
var notionsText string

// notions are the words of notions.txt as a tree of characters.
var notions = readNotions()

// notionFirst are the characters that words of notions.txt begin with.
var notionFirst = func() (l letters) {
	for r := range notions.next {
		l.add(r)
	}
	return l
}()

// notionNode is where the characters of a word lead.
type notionNode struct {
	next   map[rune]*notionNode
	notion uint32 // 0: no word ends here
}

func readNotions() *notionNode {
	root := &notionNode{next: map[rune]*notionNode{}}
	number := uint32(0)
	for line := range dataLines(notionsText) {
		number++
		for word := range strings.FieldsSeq(line) {
			at := root
			for _, r := range word {
				if at.next[r] == nil {
					at.next[r] = &notionNode{next: map[rune]*notionNode{}}
				}
				at = at.next[r]
			}
			at.notion = number
		}
	}
	return root
}

// notionAt is the notion of the longest word that text begins with, and how many bytes it has.
func notionAt(text string) (notion uint32, n int) {
	at := notions
	if first, _ := utf8.DecodeRuneInString(text); !notionFirst.has(first) {
		return 0, 0
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if at = at.next[r]; at == nil {
			break
		}
		if i += size; at.notion != 0 {
			notion, n = at.notion, i
		}
	}
	return notion, n
}

// notionPieces appends the notions of a plain text, and each two of them of which the
// second comes next or next but one: what 地址 and 写错 ask for, 门牌 and 填成 do too.
func notionPieces(list []uint32, text string) []uint32 {
	before, earlier := uint32(0), uint32(0)
	for i := 0; i < len(text); {
		notion, n := notionAt(text[i:])
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		i += n
		list = append(list, pieceHash(ofNotion, 0, notion))
		if before != 0 {
			list = append(list, pieceHash(ofNotion, before, notion))
		}
		if earlier != 0 {
			list = append(list, pieceHash(ofNotion, earlier, notion))
		}
		earlier, before = before, notion
	}
	return list
}
