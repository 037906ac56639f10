package markup_test

import (
	"bytes"
	"html/template"
	"strings"
	"testing"

	"github.com/cstest/cstest/report/internal/markup"
)

type word string

type row struct {
	Name  word
	Cells []string
	Pair  [2]string
	Share *float64
	N     int64
}

type head struct{ Title string }

type data struct {
	head
	Hostile string
	Rows    []row
	None    []row
	One     *row
	Nobody  *row
	Any     any
	Scale   float64
	Style   any // of the kind that each of the two takes
}

const hostile = "<script>'\"&+`=\x00\u2028 {{.}} 客服 --></title>"

func sample() data {
	half := 0.5
	return data{
		head: head{hostile}, Hostile: hostile, Scale: 1, Any: "x", One: &row{Name: "one", N: 7, Share: &half},
		Rows: []row{{Name: "a", Cells: []string{"1", hostile}, Pair: [2]string{"k", "v"}}, {Name: hostile, Share: &half, N: 2}},
	}
}

// What is said here of a template html/template says too, which knows where in HTML
// each value stands: our own escapes as it does.
func TestPagesAreThoseOfHTMLTemplate(t *testing.T) {
	funcs := map[string]any{
		"shout": func(s string) string { return strings.ToUpper(s) }, "half": func(v *float64) string {
			if v == nil {
				return "–"
			}
			return "half"
		},
		"whole": func(n int64) int64 { return n }, "of": func(r row) string { return string(r.Name) }, "nothing": func() *row { return nil },
	}
	for name, source := range map[string]string{
		"text":       `<p>{{.Hostile}}</p><title>{{.Title}}</title>`,
		"attributes": `<td class="{{.Hostile}}" x="{{.Scale}}"{{if .One}} data-k="{{.Title}}"{{end}}>{{.Any}}</td>`,
		"style":      `<style>{{.Style}}</style>{{.Hostile}}`,
		"branches":   `{{if .None}}a{{else if .Nobody}}b{{else}}c{{end}}{{with .One}}{{.Name}}{{whole .N}}{{end}}{{with .Nobody}}no{{else}}none{{end}}{{with nothing}}no{{end}}`,
		"ranges":     `{{range $i, $r := .Rows}}{{if $i}}, {{end}}{{$i}}{{$r.Name}}{{range $r.Cells}}[{{.}}]{{else}}-{{end}}{{half .Share}}{{of .}}{{end}}{{range .None}}no{{else}}empty{{end}}{{range $x := .Rows}}{{$x.N}}{{end}}`,
		"variables":  `{{$a := .Hostile}}{{range .Rows}}{{$a := .Name}}{{$a}}{{$.Scale}}{{end}}{{$a}}`,
		"functions":  `{{len .Rows}}{{index .Rows 1 | len | not}}`,
		"built in":   `{{if and .One (gt (len .Rows) 1)}}{{index (index .Rows 0).Pair 1}}{{end}}{{if or .None .Nobody}}no{{end}}{{if not .None}}yes{{end}}{{if eq .Any "x"}}x{{end}}{{if ne .Scale 1.0}}no{{end}}{{shout (shout .Hostile)}}`,
		"templates":  `{{define "cell"}}<b>{{.}}</b>{{end}}{{range .Rows}}{{template "cell" .Name}}{{end}}{{template "cell" .Title}}`,
		"comments":   `a {{- /* nothing */ -}} b`,
	} {
		given := sample()
		given.Style = markup.Raw("b{x:'<'}")
		var got, want bytes.Buffer
		ours, err := markup.Parse(funcs, source)
		if strings.Contains(source, "|") {
			if err == nil && ours.Execute(&got, given) == nil {
				t.Errorf("%s: a pipeline is taken: %s", name, got.String())
			}
			continue
		}
		if err == nil {
			err = ours.Execute(&got, given)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		given.Style = template.CSS("b{x:'<'}")
		if err := template.Must(template.New("").Funcs(funcs).Parse(source)).Execute(&want, given); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.String() != want.String() {
			t.Errorf("%s:\n%q, html/template has\n%q", name, got.String(), want.String())
		}
	}
}

// A value stands only where escaping makes it safe.
func TestPlacesThatTakeNoValue(t *testing.T) {
	for _, source := range []string{
		`<a href="{{.Hostile}}">`, `<img src="{{.Hostile}}">`, `<p style="{{.Hostile}}">`, `<p onclick="{{.Hostile}}">`, `<p class={{.Hostile}}>`, `<p {{.Hostile}}>`,
		`<{{.Hostile}}>`, `<!-- {{.Hostile}} -->`, `<p class='{{.Hostile}}'>`, `{{if .Any}}<p class="{{end}}{{.Hostile}}">`, `{{range .Rows}}<p x="{{end}}">`, `<p x=1>{{.Hostile}}`,
		`<script>`, `<p`, `{{template "none" .}}`, `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`, `{{.Hostile`, `{{define "a"}}1{{end}}{{define "a"}}2{{end}}`,
	} {
		if _, err := markup.Parse(nil, source); err == nil {
			t.Errorf("taken: %s", source)
		}
	}
	for _, source := range []string{
		`<script>{{.Hostile}}</script>`, `<p>{{.Style}}</p>`, `<p class="{{.Style}}">`, `<style>{{.Any}}</style>`, `{{.Missing}}`, `{{.Hostile.More}}`, `{{index .Rows 9}}`, `{{.Rows}}`, `{{len .Scale}}`, `{{eq .Rows 1}}`, `{{range .Hostile}}{{end}}`, `{{.One.Name "x"}}`, `{{$.head}}`, `{{not .Any .Any}}`, `{{gt .Hostile 1}}`,
	} {
		p, err := markup.Parse(nil, source)
		if err == nil {
			given := sample()
			given.Style = markup.Raw(hostile)
			err = p.Execute(new(bytes.Buffer), given)
		}
		if err == nil {
			t.Errorf("filled: %s", source)
		}
	}
}
