package derive

import (
	"fmt"
	"strings"
	"testing"
)

func TestWordsOfAShell(t *testing.T) {
	for line, want := range map[string]string{
		`curl a b`:                              `[curl a b]`,
		"curl \\\n  'a b' \"c d\"":              `[curl a b c d]`,
		`curl 'it'\''s' ""`:                     `[curl it's ]`,
		`curl "a\"b\\c\$d\n"`:                   `[curl a"b\c$d\n]`,
		`curl $'a\nb\'c\u4f60\x41'`:             "[curl a\nb'c你A]",
		`curl "$TOKEN" ${KEY}x '$RAW' "${1x}$"`: `[curl ${env:TOKEN} ${env:KEY}x $RAW $${1x}$]`,
		`curl '${literal}'`:                     `[curl $${literal}]`,
		`curl a | jq .`:                         `[curl a]`,
		`curl a > out`:                          `[curl a]`,
		`curl a && echo`:                        `[curl a] [echo]`,
		"curl a # why\nb":                       `[curl a b]`,
		"curl a \\\n  b ;\ncurl c | jq .\ncurl d\n-H e\r\n\n curl f > out; curl g": `[curl a b] [curl c] [curl d -H e] [curl f] [curl g]`,
		"curl ^\"http://h/^\" ^\r\n  -H ^\"a: b^\" &\r\ncurl ^\"http://h/2^\"":     `[curl http://h/ -H a: b] [curl http://h/2]`,
		"curl a -d 'one\ncurl two'": "[curl a -d one\ncurl two]",
		"curl ^\"http://h/^\" ^\r\n  -H ^\"a: b^\" ^\r\n  --data-raw ^\"^{^\\^\"text^\\^\":^\\^\"x^\\^\"^}^\"": `[curl http://h/ -H a: b --data-raw {"text":"x"}]`,
	} {
		list, err := commands(line)
		if got := strings.Trim(fmt.Sprint(list), "[]"); err != nil || got != strings.Trim(want, "[]") {
			t.Errorf("%s:\n%v, %v, want\n%s", line, got, err, want)
		}
	}
	for line, want := range map[string]string{`curl 'a`: "' is not closed", `curl "a`: `" is not closed`, `curl $'a\`: "$' is not closed", `curl a\`: "backslash"} {
		if _, err := commands(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestCurlCommands(t *testing.T) {
	for command, want := range map[string]string{
		`curl http://h/chat -d '{"text":"a b"}'`:                                                `POST http://h/chat {"text":"a b"} [] content-type=application/json`,
		`curl h:8080/chat -d text=a+b -d n=1`:                                                   `POST http://h:8080/chat  [text=a b n=1] content-type=application/x-www-form-urlencoded`,
		`curl -G http://h/chat --data-urlencode 'q=你好 吗'`:                                       `GET http://h/chat?q=%E4%BD%A0%E5%A5%BD+%E5%90%97  [] `,
		`curl -XPUT http://h/c --json '{"q":"x"}'`:                                              `PUT http://h/c {"q":"x"} [] content-type=application/json`,
		`curl -sSLk -H 'A: b' -H'C:d' --url http://h/c -F q=x -F f=@a.png`:                      `POST http://h/c  [q=x f=a.png] A=b C=d`,
		`curl --request POST --header "Authorization: Bearer $KEY" -o /dev/null -m 5 http://h/`: `POST http://h/  [] Authorization=Bearer ${env:KEY}`,
		`curl -u alice:secret http://h/?q=a`:                                                    `GET http://h/?q=a  [] authorization=Basic YWxpY2U6c2VjcmV0`,
		`curl http://h/ --compressed --http2 -b 'sid=1; x=2' -A me`:                             `GET http://h/  [] cookie=sid=1; x=2 user-agent=me`,
		`curl http://h/ -H 'content-type: text/plain' --data-binary 'hi there'`:                 `POST http://h/ hi there [] content-type=text/plain`,
	} {
		list, notes, err := ParseCurl(command)
		if err != nil || len(notes) > 0 || len(list) != 1 {
			t.Errorf("%s: %v %v", command, notes, err)
			continue
		}
		x := list[0]
		var form, headers []string
		for _, f := range x.Form {
			form = append(form, f.Name+"="+f.Value)
		}
		for _, f := range x.Headers {
			headers = append(headers, f.Name+"="+f.Value)
		}
		if got := fmt.Sprintf("%s %s %s %v %s", x.Method, x.URL, x.Body, form, strings.Join(headers, " ")); got != want {
			t.Errorf("%s:\n%s, want\n%s", command, got, want)
		}
	}
}

func TestCurlCommandsThatAreNone(t *testing.T) {
	for command, want := range map[string]string{
		``:                         "begins with curl",
		`wget http://h/`:           "begins with curl",
		`Invoke-WebRequest -Uri x`: "Copy as cURL (bash)",
		`curl`:                     "no address",
		`curl -d`:                  "-d has no value",
		`curl --data`:              "--data has no value",
		`curl ftp://h/x`:           "no http or https address",
		`curl -I http://h/`:        "headers only",
		`curl 'http://h/`:          "not closed",
	} {
		if _, _, err := ParseCurl(command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", command, err, want)
		}
	}
	for command, want := range map[string]string{
		`curl http://h/ -d @body.json`:              "file body.json",
		`curl http://h/ -x http://proxy:1 -d a=b c`: `"c" is left out`,
		`curl http://h/ --cacert ca.pem`:            "target.tls.ca",
		`curl http://h/ -b jar.txt`:                 "jar.txt is left out",
	} {
		_, notes, err := ParseCurl(command)
		if err != nil || !strings.Contains(notes.String(), want) {
			t.Errorf("%s: %v %v", command, notes, err)
		}
	}
}
