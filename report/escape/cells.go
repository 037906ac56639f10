package escape

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Width is how many terminal cells s takes, by grapheme.
func Width(s string) int { return uniseg.StringWidth(s) }

// Fit cleans s and cuts it to w cells, the last one an ellipsis.
func Fit(s string, w int) string {
	s = Clean(s)
	if Width(s) <= w {
		return s
	}
	var b strings.Builder
	used, state := 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var cells int
		cluster, rest, cells, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+cells > w-1 {
			break
		}
		used += cells
		b.WriteString(cluster)
	}
	return b.String() + "…"
}
