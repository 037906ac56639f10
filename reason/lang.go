package reason

import "strings"

// Lang is the language of what people read: "en" or "zh". Keys, names and JSON
// stay English.
type Lang string

// The languages.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// LangOf is the language of a locale such as zh_CN.UTF-8: English where it is
// neither of the two.
func LangOf(locale string) Lang {
	lang, _ := ParseLang(locale) // one that is not known is English
	return lang
}

// ParseLang accepts "en", "zh" and their regional forms such as "zh-CN"; "" is
// English.
func ParseLang(s string) (Lang, error) {
	lang := s
	if i := strings.IndexAny(s, "-_.@"); i >= 0 {
		lang = s[:i]
	}
	switch lang {
	case "", "en":
		return English, nil
	case "zh":
		return Chinese, nil
	}
	return English, Errorf("language %q is not known: write en or zh", s)
}
