package driver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// What validate takes the driver takes, and what one refuses so does the other,
// wherever a scenario has headers.
func TestHeadersThatAreValidCanBeSent(t *testing.T) {
	const text = `version: 1
name: x
target:
  url: http://127.0.0.1:1
  api: custom
  %s
  login: {path: /l, %s, save: {sid: a}}
  request: {path: /c, %s, body: {t: "${turn.text}"}}
  response: {answer: a}
load: {stages: [{name: s, for: 10s, starts: 5/s}]}
conversations: [{name: c, turns: [{say: a}]}]
sla: {availability: 99%%}
`
	for name, want := range map[string]bool{
		"Host": false, "content-length": false, "Transfer-Encoding": false, "Connection": false, "UPGRADE": false, "TE": false,
		"Trailer": false, "Keep-Alive": false, "proxy-connection": false,
		"x-stress-test": true, "Cookie": true, "Accept": true, "Content-Type": true, "User-Agent": true, "Proxy-Authorization": true,
		"x!#$%&'*+-.^_`|~1": true, "a b": false, "a:b": false, "é": false, "": false, "(x)": false,
	} {
		for i := range 3 {
			in := [3]any{"headers: {}", "headers: {}", "headers: {}"}
			in[i] = fmt.Sprintf("headers: {%q: v}", name)
			s, err := scenario.Parse("x", fmt.Appendf(nil, text, in[:]...), scenario.Options{})
			if (err == nil) != want {
				t.Errorf("%q in %d: %v", name, i, err)
			}
			if err != nil {
				// Whoever makes a target without validating it is told by the driver.
				target := &scenario.Target{URL: "http://127.0.0.1:1", Headers: map[string]string{name: "v"}}
				if _, err := New(given(target), Options{Base: time.Now()}); err == nil || !strings.Contains(err.Error(), "header") {
					t.Errorf("%q: the driver says %v", name, err)
				}
				continue
			}
			d, err := New(&s.Target, Options{Base: time.Now()})
			if err != nil {
				t.Errorf("%q in %d is valid and cannot be sent: %v", name, i, err)
				continue
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
