package wire

import (
	"net/http"
	"testing"
)

func TestIsJSON(t *testing.T) {
	for _, c := range []struct {
		fields []string // of Content-Type
		want   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"application/json"}, true},
		{[]string{"Application/JSON"}, true},
		{[]string{" application/json "}, true},
		{[]string{"application/json;charset=utf-8"}, true},
		{[]string{"application/json ; Charset=UTF-8"}, true},
		{[]string{`application/json; charset="Utf-8"`}, true},
		{[]string{`application/json; charset="\u\t\f-8"`}, true}, // a quoted pair is the character
		{[]string{"application/json;"}, true},
		{[]string{"application/json; ; charset=utf-8;"}, true},
		{[]string{"application/json; profile=x; charset=utf-8"}, true},
		{[]string{"application/json; charset=gbk"}, false},
		{[]string{"application/json; charset=GB18030"}, false},
		{[]string{"application/json; charset=utf-16"}, false},
		{[]string{"application/json; charset=utf8"}, false},
		{[]string{"application/json; charset='utf-8'"}, false},
		{[]string{"application/json; charset="}, false},
		{[]string{`application/json; charset=""`}, false},
		{[]string{"application/json; charset"}, false},
		{[]string{"application/json; charset=utf-8; charset=utf-8"}, false},
		{[]string{"application/json; charset=utf-8; charset=gbk"}, false},
		{[]string{"application/json; charset=utf-8; CHARSET=gbk"}, false},
		{[]string{"application/json; charset*=utf-8''gbk"}, false},
		{[]string{"application/json; charset*=utf-8''utf-8"}, false},
		{[]string{"application/json; charset*0=utf; charset*1=-8"}, false},
		{[]string{"application/json; charset=utf-8 gbk"}, false},
		{[]string{`application/json; charset="utf-8`}, false},
		{[]string{`application/json; charset="utf-8\\"`}, false},
		{[]string{`application/json; x="; charset=gbk"; charset=utf-8`}, true},
		{[]string{`application/json; charset = utf-8`}, false},
		{[]string{"application/json; a=1; b=2; c=3; d=4; e=5; f=6; g=7; h=8; charset=utf-8"}, false},
		{[]string{"application/json; =utf-8"}, false},
		{[]string{"application/json, text/plain"}, false},
		{[]string{"application/json charset=utf-8"}, false},
		{[]string{"application/json", "application/json"}, false},
		{[]string{"application/json", "text/plain"}, false},
		{[]string{"application/jsonx"}, false},
		{[]string{"application/problem+json"}, false},
		{[]string{"text/json"}, false},
		{[]string{"text/plain; a=application/json"}, false},
		{[]string{"application/x-www-form-urlencoded"}, false},
	} {
		if got := IsJSON(http.Header{"Content-Type": c.fields}); got != c.want {
			t.Errorf("%q: %v, want %v", c.fields, got, c.want)
		}
	}
	for coding, want := range map[string]bool{"": true, "gzip": false, "identity": false} {
		if got := IsJSON(http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"", coding}}); got != want {
			t.Errorf("content coding %q: %v, want %v", coding, got, want)
		}
	}
}
