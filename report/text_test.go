package report

import (
	"os"
	"testing"
)

func TestLook(t *testing.T) {
	d := saleDocument(t)
	WriteText(d, os.Stdout, TextOptions{})
	WriteText(d, os.Stdout, TextOptions{Lang: Chinese})
	WriteMarkdown(d, os.Stdout, English)
	WriteJUnit(d, os.Stdout)
}
