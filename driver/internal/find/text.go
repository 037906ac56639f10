package find

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Joined appends the texts of a JSON list, those of lists in it as well, joined by
// line ends. It is not ok where the list has none, or something else in it.
func Joined(dst, list []byte) (joined []byte, ok bool) {
	from := len(dst)
	ok = true
	gjson.ParseBytes(list).ForEach(func(_, item gjson.Result) bool {
		switch {
		case item.Type == gjson.Null:
			return true
		case item.IsArray():
			before := len(dst)
			if before > from {
				dst = append(dst, '\n')
			}
			inner, some := Joined(dst, []byte(item.Raw))
			if !some {
				ok = item.Raw == "[]" && ok
				dst = dst[:before]
				return ok
			}
			dst = inner
			return true
		case item.Type != gjson.String:
			ok = false
			return false
		}
		if len(dst) > from {
			dst = append(dst, '\n')
		}
		dst = append(dst, item.Str...)
		return true
	})
	return dst, ok && len(dst) > from
}

// inXML gives the text of every element at path, joined by line ends; of the first
// attribute where the last of path is @NAME. Prefixes of names are left out.
func inXML(body []byte, path []string) (text []byte, ok bool) {
	attribute, wanted := "", path
	if last := path[len(path)-1]; strings.HasPrefix(last, "@") {
		attribute, wanted = last[1:], path[:len(path)-1]
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	var at []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text, ok
		}
		if err != nil {
			return nil, false
		}
		switch t := token.(type) {
		case xml.StartElement:
			if at = append(at, t.Name.Local); !slices.Equal(at, wanted) {
				continue
			}
			if attribute != "" {
				if val, there := attributeOf(t.Attr, attribute); there {
					return []byte(val), true
				}
				continue
			}
			if ok {
				text = append(text, '\n')
			}
			ok = true
		case xml.EndElement:
			at = at[:len(at)-1]
		case xml.CharData:
			if attribute == "" && len(at) >= len(wanted) && slices.Equal(at[:len(wanted)], wanted) {
				text = append(text, t...)
			}
		}
	}
}

func attributeOf(list []xml.Attr, name string) (val string, ok bool) {
	for _, a := range list {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// inHTML gives the text that people see of every element that is meant: by its tag,
// #id or .class, joined by line ends, white space as one space.
func inHTML(body []byte, element string) (text []byte, ok bool) {
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, false
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && is(n, element) {
			if ok {
				text = append(text, '\n')
			}
			ok = true
			text = append(text, strings.Join(strings.Fields(visible(n)), " ")...)
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return text, ok
}

// is tells whether n is the element meant by TAG, #ID or .CLASS.
func is(n *html.Node, element string) bool {
	name, want := "id", element[1:]
	switch element[0] {
	case '#':
	case '.':
		name = "class"
	default:
		return strings.EqualFold(n.Data, element)
	}
	for _, a := range n.Attr {
		if a.Key == name && (a.Val == want || name == "class" && slices.Contains(strings.Fields(a.Val), want)) {
			return true
		}
	}
	return false
}

// visible gives the text below n.
func visible(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode && d.Parent.DataAtom != atom.Script && d.Parent.DataAtom != atom.Style:
			b.WriteString(d.Data)
		case d.Type == html.ElementNode && (d.DataAtom == atom.Br || d.DataAtom == atom.P || d.DataAtom == atom.Div || d.DataAtom == atom.Li):
			b.WriteByte(' ')
		}
	}
	return b.String()
}
