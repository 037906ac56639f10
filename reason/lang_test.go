package reason

import "testing"

func TestParseLang(t *testing.T) {
	for s, want := range map[string]Lang{"": English, "en": English, "en_GB.UTF-8": English, "zh": Chinese, "zh-CN": Chinese, "zh_TW.UTF-8": Chinese, "zh@pinyin": Chinese} {
		if got, err := ParseLang(s); got != want || err != nil {
			t.Errorf("%q is %s, %v; want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"zhh", "english", "de", "C"} {
		if got, err := ParseLang(s); err == nil || LangOf(s) != English {
			t.Errorf("%q is taken for %s", s, got)
		}
	}
}
