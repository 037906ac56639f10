package words

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
)

// Every text exists in both languages, and formats take the same arguments.
func TestCatalogueIsComplete(t *testing.T) {
	en, zh := reflect.ValueOf(*english()), reflect.ValueOf(*chinese())
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		if en.Field(i).String() == "" || zh.Field(i).String() == "" {
			t.Errorf("%s is missing in a language", name)
		}
		if a, b := strings.Count(en.Field(i).String(), "%"), strings.Count(zh.Field(i).String(), "%"); a != b {
			t.Errorf("%s has %d verbs in English and %d in Chinese", name, a, b)
		}
	}
	want := map[string]string{"pass": "通过", "fail": "不通过", "inconclusive": "证据不足", "invalid": "压测无效"}
	for verdict, text := range want {
		if got := chinese().Word(verdict); got != text {
			t.Errorf("%s is %s, want %s", verdict, got, text)
		}
	}
}

// Every text of a report is there in both languages, with the same verbs, and
// keeps to the vocabulary.
func TestCatalogueKeepsToTheVocabulary(t *testing.T) {
	en, zh := reflect.ValueOf(*english()), reflect.ValueOf(*chinese())
	verbs := regexp.MustCompile(`%(\[\d\])?[sd]`)
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		if name == "Lang" || name == "Code" {
			continue
		}
		a, b := en.Field(i).String(), zh.Field(i).String()
		if a == "" || b == "" || len(verbs.FindAllString(a, -1)) != len(verbs.FindAllString(b, -1)) {
			t.Errorf("%s: %q and %q", name, a, b)
		}
		for _, fault := range reason.Faults(a, b) {
			t.Errorf("%s: %q: %s", name, b, fault)
		}
	}
}
