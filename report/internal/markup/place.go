package markup

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// place is where in HTML a template stands.
type place uint8

// The places. A value may stand in text and within the quotes of an attribute; in a
// script or a style it must be Raw, which is seen when the page is filled.
const (
	text place = iota
	tag
	quoted
	value   // behind the = of an attribute, where its quotes begin
	forbids // within the quotes of an attribute that may run something or load it
	raw     // in a script or a style
	comment
	lost // behind an attribute without quotes, whose end is not looked for
)

// checker follows templates through all their branches.
type checker struct {
	trees map[string]*parse.Tree
	ends  map[string]place // of templates that begin in text
	raw   map[*parse.ActionNode]bool
	open  string // the element that raw ends with
	name  string // of the attribute
	depth int
}

func (c *checker) template(name string, at place) (place, error) {
	tree := c.trees[name]
	if tree == nil {
		return at, fmt.Errorf("%s: %w", name, errNoTemplate)
	}
	if end, known := c.ends[name]; known && at == text {
		return end, nil
	}
	if c.depth++; c.depth > 20 {
		return at, fmt.Errorf("%s: a template that uses itself", name)
	}
	end, err := c.list(tree.Root, at)
	c.depth--
	if at == text {
		c.ends[name] = end
	}
	return end, err
}

func (c *checker) list(l *parse.ListNode, at place) (_ place, err error) {
	if l == nil {
		return at, nil
	}
	for _, n := range l.Nodes {
		if at, err = c.node(n, at); err != nil {
			return at, err
		}
	}
	return at, nil
}

func (c *checker) node(n parse.Node, at place) (place, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		return c.through(string(n.Text), at), nil
	case *parse.ActionNode:
		c.raw[n] = c.raw[n] || at == raw
		if len(n.Pipe.Decl) > 0 || slices.Contains([]place{text, quoted, raw}, at) {
			return at, nil
		}
		return at, fmt.Errorf("%s: a value must stand in text, or within the quotes of an attribute that neither runs nor loads anything", n)
	case *parse.IfNode:
		return c.branch(&n.BranchNode, at, true)
	case *parse.WithNode:
		return c.branch(&n.BranchNode, at, true)
	case *parse.RangeNode:
		return c.branch(&n.BranchNode, at, false)
	case *parse.TemplateNode:
		return c.template(n.Name, at)
	}
	return at, nil
}

// branch has every way through it end in the same place; a range also begins again there.
func (c *checker) branch(b *parse.BranchNode, at place, free bool) (place, error) {
	then, err := c.list(b.List, at)
	if err != nil {
		return at, err
	}
	other, err := c.list(b.ElseList, at)
	if err != nil {
		return at, err
	}
	if then != other || !free && then != at {
		return at, fmt.Errorf("%s: its branches end in different places of the HTML", b.Pipe)
	}
	return then, nil
}

// through follows a stretch of HTML.
func (c *checker) through(s string, at place) place {
	for len(s) > 0 {
		switch at {
		case text:
			i := strings.IndexByte(s, '<')
			if i < 0 {
				return at
			}
			if s = s[i:]; strings.HasPrefix(s, "<!--") {
				at = comment
				break
			}
			name := strings.ToLower(s[1 : 1+wordLength(s[1:])])
			s = s[1+len(name):]
			c.open = ""
			if name == "script" || name == "style" {
				c.open = "</" + name
			}
			at = tag
		case comment:
			i := strings.Index(s, "-->")
			if i < 0 {
				return at
			}
			s, at = s[i+3:], text
		case raw:
			i := strings.Index(strings.ToLower(s), c.open)
			if i < 0 {
				return at
			}
			s, c.open, at = s[i+len(c.open):], "", tag
		case tag:
			s, at = c.tag(s)
		case value:
			s, at = c.value(s)
		case lost:
			return at
		case quoted, forbids:
			i := strings.IndexByte(s, '"')
			if i < 0 {
				return at
			}
			s, at = s[i+1:], tag
		}
	}
	return at
}

// tag goes on to the end of a tag, or to the value of an attribute.
func (c *checker) tag(s string) (string, place) {
	i := strings.IndexAny(s, "=>")
	if i < 0 {
		return "", tag
	}
	if s[i] == '>' {
		if c.open != "" {
			return s[i+1:], raw
		}
		return s[i+1:], text
	}
	c.name = strings.ToLower(strings.TrimSpace(s[:i]))
	if at := strings.LastIndexAny(c.name, " \t\r\n"); at >= 0 {
		c.name = c.name[at+1:]
	}
	return s[i+1:], value
}

// loads are attributes with addresses or styles in them.
var loads = []string{"href", "src", "srcset", "style", "action", "formaction", "data", "poster", "background", "srcdoc", "xlink:href", "ping", "manifest"}

// value begins the value of an attribute.
func (c *checker) value(s string) (string, place) {
	if s[0] != '"' {
		return "", lost
	}
	if strings.HasPrefix(c.name, "on") || slices.Contains(loads, c.name) {
		return s[1:], forbids
	}
	return s[1:], quoted
}

// wordLength is how many bytes of s are letters and digits.
func wordLength(s string) int {
	for i := range len(s) {
		b := s[i] | 0x20
		if (b < 'a' || b > 'z') && (s[i] < '0' || s[i] > '9') {
			return i
		}
	}
	return len(s)
}
