package surface

import (
	"errors"
	"strings"
	"testing"

	"github.com/cstest/cstest/reference-server/dialog"
)

func TestRequestsAreReadStrictly(t *testing.T) {
	id := strings.Repeat("0a", 16)
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"text only":            {`{"text":"hi"}`, nil},
		"all fields":           {`{"dialog_id":"` + id + `","turn_id":"t-1","text":"hi","uid":"u1"}`, nil},
		"null dialog":          {`{"dialog_id":null,"text":"hi"}`, nil},
		"2000 characters":      {`{"text":"` + strings.Repeat("券", 2000) + `"}`, nil},
		"emoji with joiners":   {`{"text":"👨‍👩‍👧"}`, nil},
		"direction override":   {`{"text":"a\u202eb"}`, nil},
		"empty":                {``, errSyntax},
		"array":                {`[]`, errSyntax},
		"string":               {`"text"`, errSyntax},
		"cut off":              {`{"text":"hi"`, errSyntax},
		"two values":           {`{"text":"hi"}{"text":"hi"}`, errSyntax},
		"trailing comma":       {`{"text":"hi",}`, errSyntax},
		"unknown key":          {`{"text":"hi","admin":true}`, errSyntax},
		"key in other case":    {`{"Text":"hi"}`, errSyntax},
		"text twice":           {`{"text":"hi","text":"ho"}`, errSyntax},
		"text twice, escaped":  {`{"text":"hi","\u0074ext":"ho"}`, errSyntax},
		"broken UTF-8":         {"{\"text\":\"\xff\"}", errSyntax},
		"NaN":                  {`{"text":NaN}`, errSyntax},
		"deep":                 {strings.Repeat("[", 8000), errSyntax},
		"no text":              {`{}`, errField},
		"text null":            {`{"text":null}`, errField},
		"text number":          {`{"text":1}`, errField},
		"text array":           {`{"text":["hi"]}`, errField},
		"text empty":           {`{"text":""}`, errField},
		"only fillers":         {`{"text":"\u3164\u2800\ufe0f"}`, errField},
		"only spaces":          {`{"text":" \t\n\u3000\u200b"}`, errField},
		"U+0000":               {`{"text":"a\u0000b"}`, errField},
		"lone surrogate":       {`{"text":"a\ud800b"}`, errField},
		"2001 characters":      {`{"text":"` + strings.Repeat("a", 2001) + `"}`, errField},
		"8193 bytes":           {`{"text":"` + strings.Repeat("😀", 2000) + strings.Repeat("😀", 49) + `"}`, errField},
		"dialog upper case":    {`{"text":"hi","dialog_id":"` + strings.ToUpper(id) + `"}`, errField},
		"dialog 31":            {`{"text":"hi","dialog_id":"` + id[1:] + `"}`, errField},
		"dialog 33":            {`{"text":"hi","dialog_id":"` + id + `0"}`, errField},
		"dialog newline":       {`{"text":"hi","dialog_id":"` + id + `\n"}`, errField},
		"dialog inner newline": {`{"text":"hi","dialog_id":"` + id[1:] + `\n"}`, errField},
		"dialog full width":    {`{"text":"hi","dialog_id":"` + strings.Repeat("０", 32) + `"}`, errField},
		"dialog star":          {`{"text":"hi","dialog_id":"*` + id[1:] + `"}`, errField},
		"dialog dots":          {`{"text":"hi","dialog_id":"../` + id[3:] + `"}`, errField},
		"dialog NUL":           {`{"text":"hi","dialog_id":"` + id[1:] + `\u0000"}`, errField},
		"dialog array":         {`{"text":"hi","dialog_id":["` + id + `"]}`, errField},
		"dialog empty":         {`{"text":"hi","dialog_id":""}`, errField},
		"dialog 15 KB":         {`{"text":"hi","dialog_id":"` + strings.Repeat("a", 15<<10) + `"}`, errField},
		"turn with space":      {`{"text":"hi","turn_id":"a b"}`, errField},
		"turn 65":              {`{"text":"hi","turn_id":"` + strings.Repeat("a", 65) + `"}`, errField},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeRequest([]byte(c.body))
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("decodeRequest = %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"text":"hi","dialog_id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}`))
	f.Add([]byte(`{"\u0074ext":"\ud83d"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := decodeRequest(b)
		if err == nil && (q.text == "" || q.dialogID != "" && !dialog.IsID(q.dialogID)) {
			t.Errorf("accepted %q as %+v", b, q)
		}
	})
}
