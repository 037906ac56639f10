package reason

import "fmt"

// Lang is the language of what people read: "en" or "zh". Keys, names and JSON
// stay English.
type Lang string

// The languages.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// ParseLang accepts "en", "zh" and their regional forms such as "zh-CN"; "" is
// English.
func ParseLang(s string) (Lang, error) {
	switch {
	case s == "" || len(s) >= 2 && s[:2] == "en":
		return English, nil
	case len(s) >= 2 && s[:2] == "zh":
		return Chinese, nil
	}
	return English, fmt.Errorf("language %q is not known: write en or zh", s)
}
