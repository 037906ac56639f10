package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// page is a page of the documentation, taken apart.
type page struct {
	path     string
	blocks   []block
	headings []string // "## Text"
	rows     []string // of tables
	prose    []string // lines outside of blocks
}

// block is a fenced block. Its language says what it is: without one, or with
// text, it is a picture or what a program printed.
type block struct {
	language string
	lines    []string
}

// readPage takes a page apart. What stands between <!-- NAME --> and <!-- end -->
// was written by a program, in the English page alone: it counts as prose only.
func readPage(t testing.TB, path string) *page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{path: path}
	var open *block
	generated := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case open != nil && line == "```":
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		case strings.HasPrefix(line, "```"):
			open = &block{language: strings.TrimPrefix(line, "```")}
		default:
			p.prose = append(p.prose, line)
			switch {
			case line == "<!-- end -->":
				generated = false
			case strings.HasPrefix(line, "<!-- "):
				generated = true
			case generated:
			case strings.HasPrefix(line, "#"):
				p.headings = append(p.headings, line)
			case strings.HasPrefix(line, "|"):
				p.rows = append(p.rows, line)
			}
		}
	}
	if open != nil {
		t.Errorf("%s: a block is not closed", path)
	}
	return p
}

// everyPage lists what users and developers read.
func everyPage(t testing.TB) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md", "../../bench/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no page is %s (%v)", pattern, err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// codeSpan is what a line has between backquotes, links included.
var codeSpan = regexp.MustCompile("`[^`]*`")

// anchors are what #… may say of a page: its headings, as repository browsers
// spell them.
func (p *page) anchors() map[string]bool {
	all := map[string]bool{}
	for _, line := range p.prose {
		text := strings.TrimLeft(line, "#")
		if len(text) == len(line) || !strings.HasPrefix(text, " ") {
			continue
		}
		text = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(strings.TrimSpace(text), "$1")
		all[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, text)] = true
	}
	return all
}

// Every link of a page leads to a file that is there, and to a heading in it.
func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	seen := 0
	for _, path := range everyPage(t) {
		for _, line := range readPage(t, path).prose {
			for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "`"), -1) {
				to, anchor, _ := strings.Cut(m[1], "#")
				if strings.Contains(to, "://") {
					continue // what others publish is not ours to hold
				}
				seen++
				file := path
				if to != "" {
					file = filepath.Join(filepath.Dir(path), to)
				}
				if _, err := os.Stat(file); err != nil {
					t.Errorf("%s: %s is not there", path, m[1])
					continue
				}
				if anchor != "" && !readPage(t, file).anchors()[anchor] {
					t.Errorf("%s: %s has no heading #%s", path, file, anchor)
				}
			}
		}
	}
	if seen < 200 {
		t.Errorf("%d links, too few to have seen the pages", seen)
	}
}

// docs/README leads to every page beside it, in Chinese to the Chinese one where
// there is one.
func TestPagesAreListed(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 30 {
		t.Fatalf("%d pages (%v)", len(pages), err)
	}
	for _, index := range []string{"README.md", "README.zh-CN.md"} {
		list := strings.Join(readPage(t, "../../docs/"+index).rows, "\n")
		for _, path := range pages {
			name := filepath.Base(path)
			base, chinese := strings.CutSuffix(name, ".zh-CN.md")
			other := base + ".md"
			if !chinese {
				other = strings.TrimSuffix(name, ".md") + ".zh-CN.md"
			}
			if _, err := os.Stat("../../docs/" + other); err == nil && chinese != (index == "README.zh-CN.md") {
				continue // the other stands for it there
			}
			if name != index && !strings.Contains(list, "]("+name+")") {
				t.Errorf("docs/%s does not lead to %s", index, name)
			}
		}
	}
}
