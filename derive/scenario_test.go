package derive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cstest/cstest/scenario"
)

// parsed reads a scenario as cstest does.
func parsed(t testing.TB, yaml []byte) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("cstest.yaml", yaml, scenario.Options{Dir: t.TempDir(), Env: func(string) (string, bool) { return "x", true }})
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	return s
}

func fromCurl(t testing.TB, command string, answer *Answer) (*scenario.Scenario, *Result) {
	t.Helper()
	list, _, err := ParseCurl(command)
	if err != nil {
		t.Fatal(err)
	}
	list[0].Answer = answer
	made, err := Scenario("mine", "mine.yaml", list)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, made.YAML), made
}

// What a request has becomes what a turn sends, whatever the form of its body.
func TestRequestsOfServers(t *testing.T) {
	for name, c := range map[string]struct{ command, path, body, as string }{
		"JSON, ids of user and dialog": {
			`curl http://h/api/chat -d '{"uid": "10086", "session_id": "", "data": {"question": "优惠券怎么用"}, "msgId": "a1", "channel": "app"}'`,
			"/api/chat", `{"uid":"${user.id}","session_id":"${dialog.id}","data":{"question":"${turn.text}"},"msgId":"${turn.id}","channel":"app"}`, "json",
		},
		"a session that the client chose": {`curl http://h/chat -d '{"sessionId":"0b5e","text":"hello there"}'`, "/chat", `{"sessionId":"${conversation.id}","text":"${turn.text}"}`, "json"},
		"form":                            {`curl http://h/chat -d 'user_id=7&message=where+is+it'`, "/chat", `{"user_id":"${user.id}","message":"${turn.text}"}`, "form"},
		"multipart":                       {`curl http://h/chat -F uid=7 -F 'msg=where is it'`, "/chat", `{"uid":"${user.id}","msg":"${turn.text}"}`, "multipart"},
		"text":                            {`curl http://h/chat -H 'Content-Type: text/plain' -d 'where is it'`, "/chat", `"${turn.text}"`, "text"},
		"query":                           {`curl 'http://h/ask?sid=&q=%E4%BD%A0%E5%A5%BD&v=2'`, "/ask?sid=${dialog.id}&q=${turn.text}&v=2", ``, "json"},
		"price":                           {`curl http://h/chat -d '{"text":"it costs ${5} now","promo":"${x}"}'`, "/chat", `{"text":"${turn.text}","promo":"$${x}"}`, "json"},
		"history":                         {`curl http://h/chat -d '{"messages":[{"role":"system","content":"be kind"},{"role":"user","content":"a b"},{"role":"assistant","content":"c"},{"role":"user","content":"d e"}],"temperature":0.2}'`, "/chat", `{"messages":[{"role":"system","content":"be kind"},"${history}",{"role":"user","content":"${turn.text}"}],"temperature":0.2}`, "json"},
		"secret inside":                   {`curl http://h/chat -d '{"apiKey":"sk-123456","text":"a b"}'`, "/chat", `{"apiKey":"${env:CHAT_APIKEY}","text":"${turn.text}"}`, "json"},
	} {
		s, made := fromCurl(t, c.command, nil)
		r := s.Target.Request
		if r.Path != c.path || string(r.Body) != c.body || cmp.Or(string(r.As), "json") != c.as {
			t.Errorf("%s: %s %s as %s\n%s", name, r.Path, r.Body, r.As, made.YAML)
		}
		if len(s.Conversations) != 1 || len(s.Conversations[0].Turns) != 1 {
			t.Errorf("%s: %+v", name, s.Conversations)
		}
	}
}

// Where the reply stands is found in answers of many shapes.
func TestAnswersOfServers(t *testing.T) {
	const command = `curl http://h/chat -d '{"text":"优惠券还能用吗","conversation_id":""}'`
	for name, c := range map[string]struct{ media, body, answer, dialog, ok, delta, done string }{
		"code 0":        {"application/json", `{"code":0,"msg":"success","data":{"reply":"可以用，退货后券会退回。","conversation_id":"c-1","text":"优惠券还能用吗"}}`, "data.reply", "data.conversation_id", "code = 0", "", ""},
		"success":       {"application/json", `{"success":true,"result":"券可以继续使用"}`, "result", "", "success", "", ""},
		"bubbles":       {"application/json", `[{"recipient_id":"x","text":"券可以用"},{"text":"还有别的吗"}]`, "#.text", "", "", "", ""},
		"openAI-like":   {"application/json", `{"id":"chatcmpl-1","choices":[{"message":{"role":"assistant","content":"Yes, you can use it."}}]}`, "choices.#.message.content", "", "", "", ""},
		"text":          {"text/plain", "可以用", "body:text", "", "", "", ""},
		"dotted":        {"application/json", `{"a.b":{"answer":"可以用的"}}`, `a\.b.answer`, "", "", "", ""},
		"SSE":           {"text/event-stream", "data: {\"event\":\"message\",\"answer\":\"可以\",\"conversation_id\":\"c1\"}\n\ndata: {\"event\":\"message\",\"answer\":\"用的\"}\n\ndata: {\"event\":\"message_end\"}\n\n", "", "conversation_id", "", "answer", "event = message_end"},
		"SSE of OpenAI": {"text/event-stream", "data: {\"choices\":[{\"delta\":{\"content\":\"可以\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"用\"}}]}\n\ndata: [DONE]\n\n", "", "", "", "choices.0.delta.content", "[DONE]"},
		"SSE named":     {"text/event-stream", "event: delta\ndata: {\"text\":\"可以\"}\n\nevent: delta\ndata: {\"text\":\"用\"}\n\nevent: end\ndata: {}\n\n", "", "", "", "text", "end"},
	} {
		s, made := fromCurl(t, command, &Answer{Status: 200, Type: c.media, Body: c.body})
		r := s.Target.Response
		ok := ""
		for _, cond := range r.OK {
			if ok = cond.Path; cond.Equals != nil {
				ok += " = " + string(*cond.Equals)
			}
		}
		delta, done := "", ""
		if r.Stream != nil {
			delta = r.Stream.Delta
			for _, cond := range r.Stream.Done {
				if done = cond.Path; cond.Equals != nil {
					done += " = " + string(*cond.Equals)
				}
			}
		}
		if r.Answer != c.answer || r.DialogID != c.dialog || ok != c.ok || delta != c.delta || done != c.done || (delta != "") != (s.Target.Mode == scenario.ModeStream) {
			t.Errorf("%s: answer %q, dialog %q, ok %q, delta %q, done %q\n%s", name, r.Answer, r.DialogID, ok, delta, done, made.YAML)
		}
	}
}

func TestOpenAIRequests(t *testing.T) {
	s, made := fromCurl(t, `curl https://h/v1/chat/completions -H "Authorization: Bearer $OPENAI_API_KEY" -H 'Content-Type: application/json' -d '{"model":"gpt-4o","stream":true,"temperature":0.1,"messages":[{"role":"user","content":"a b"}]}'`, nil)
	if s.Target.API != scenario.APIOpenAI || s.Target.Model != "gpt-4o" || s.Target.Mode != scenario.ModeStream || s.Target.Auth.Bearer != "${env:OPENAI_API_KEY}" || !strings.Contains(made.Notes.String(), "temperature") {
		t.Errorf("%s\n%s", made.Notes, made.YAML)
	}
}

// No secret of a request gets into the file or the notes, wherever it stood.
func TestSecretsAreNotWritten(t *testing.T) {
	_, made := fromCurl(t, `curl 'https://h/chat?access_token=SECRET1' -u 'me:SECRET2' -H 'X-Api-Key: SECRET3' -H 'Cookie: sid=SECRET4' -H 'x-csrf-token: SECRET5' -d '{"text":"a b","token":"SECRET6","auth":{"password":"SECRET7"}}'`, nil)
	if all := string(made.YAML) + made.Notes.String(); strings.Contains(all, "SECRET") || strings.Contains(all, "bWU6U0VDUkVUMg") {
		t.Error(all)
	}
	for _, name := range []string{"CHAT_ACCESS_TOKEN", "CHAT_AUTHORIZATION", "CHAT_API_KEY", "CHAT_COOKIE", "CHAT_CSRF_TOKEN", "CHAT_TOKEN", "CHAT_PASSWORD"} {
		if !strings.Contains(string(made.YAML), "${env:"+name+"}") || !strings.Contains(made.Notes.String(), "set "+name+" ") {
			t.Errorf("no %s:\n%s\n%s", name, made.YAML, made.Notes)
		}
	}
}

// Values of one name stay apart, however many there are, and a number of the place
// where a list begins is nobody's id.
func TestManySecretsOfOneName(t *testing.T) {
	var body strings.Builder
	for i := range 12 {
		fmt.Fprintf(&body, `"a%d": {"token": "secret-%d"}, `, i, i)
	}
	_, made := fromCurl(t, `curl http://h/chat -d '{`+body.String()+`"token2": "secret-x", "list": [1, "a b"], "page": {"from": 0}, "text": "a b"}'`, nil)
	for _, name := range []string{"CHAT_TOKEN", "CHAT_TOKEN_2", "CHAT_TOKEN_12", "CHAT_TOKEN2"} {
		if strings.Count(string(made.YAML), "${env:"+name+"}") != 1 {
			t.Errorf("%s stands for several, or none:\n%s", name, made.YAML)
		}
	}
	if !strings.Contains(string(made.YAML), `"page": {"from": 0}`) {
		t.Errorf("%s", made.YAML)
	}
}

const recordedHAR = `{"log": {"entries": [
 {"request": {"method": "GET", "url": "https://shop.example/", "headers": []}, "response": {"status": 200, "headers": [], "content": {"mimeType": "text/html", "text": "<p>你好 欢迎"}}},
 {"request": {"method": "POST", "url": "https://shop.example/api/login", "headers": [], "postData": {"mimeType": "application/json", "text": "{\"username\": \"13800138000\", \"password\": \"hunter22\"}"}},
  "response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": "sid=abc; Path=/"}], "content": {"mimeType": "application/json", "text": "{\"code\": 0, \"data\": {\"token\": \"tok-0123456789\"}}"}}},
 {"request": {"method": "POST", "url": "https://shop.example/api/track", "headers": [], "postData": {"mimeType": "application/json", "text": "{\"text\": \"page view of shop\"}"}}, "response": {"status": 204, "headers": [], "content": {}}},
 {"request": {"method": "POST", "url": "https://shop.example/api/chat/send", "headers": [{"name": "Authorization", "value": "Bearer tok-0123456789"}, {"name": "Cookie", "value": "sid=abc"}, {"name": ":path", "value": "/"}, {"name": "sec-fetch-mode", "value": "cors"}],
   "postData": {"mimeType": "application/json", "text": "{\"text\": \"优惠券怎么用\"}"}},
  "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": "{\"code\": 0, \"message\": \"ok\", \"data\": {\"chatId\": \"d-778899\", \"answer\": \"下单时勾选即可。\"}}"}}},
 {"request": {"method": "POST", "url": "https://shop.example/api/chat/send", "headers": [{"name": "Authorization", "value": "Bearer tok-0123456789"}, {"name": "Cookie", "value": "sid=abc"}],
   "postData": {"mimeType": "application/json", "text": "{\"text\": \"我要退货\", \"chatId\": \"d-778899\"}"}},
  "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": "{\"code\": 0, \"message\": \"ok\", \"data\": {\"chatId\": \"d-778899\", \"answer\": \"请提供订单号。\"}}"}}}
]}}`

// A recorded visit: login, its token and cookie, the id that the server handed out, and
// the turns in their order.
func TestHARWithALogin(t *testing.T) {
	list, err := ParseHAR([]byte(recordedHAR))
	if err != nil {
		t.Fatal(err)
	}
	made, err := Scenario("shop", "shop.yaml", list)
	if err != nil {
		t.Fatal(err)
	}
	s := parsed(t, made.YAML)
	l := s.Target.Login
	if l == nil || l.Path != "/api/login" || string(l.Body) != `{"username":"${env:CHAT_USERNAME}","password":"${env:CHAT_PASSWORD}"}` || l.Save["token"] != "data.token" {
		t.Errorf("login %+v", l)
	}
	if s.Target.Auth == nil || s.Target.Auth.Bearer != "${login.token}" || s.Target.Cookies != scenario.CookiesPerUser || len(s.Target.Headers) != 0 {
		t.Errorf("auth %+v, cookies %s, headers %v", s.Target.Auth, s.Target.Cookies, s.Target.Headers)
	}
	if r := s.Target.Request; r.Path != "/api/chat/send" || string(r.Body) != `{"text":"${turn.text}","chatId":"${dialog.id}"}` {
		t.Errorf("request %s %s", r.Path, r.Body)
	}
	if r := s.Target.Response; r.Answer != "data.answer" || r.DialogID != "data.chatId" || r.ErrorCode != "code" || r.ErrorMessage != "message" {
		t.Errorf("response %+v", r)
	}
	if turns := s.Conversations[0].Turns; len(turns) != 2 || turns[0].Say != "优惠券怎么用" || turns[1].Say != "我要退货" {
		t.Errorf("turns %+v", turns)
	}
	if strings.Contains(string(made.YAML), "hunter22") || strings.Contains(string(made.YAML), "13800138000") {
		t.Errorf("the account is written:\n%s", made.YAML)
	}
}

func TestHARsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		`{`:  "no HAR file",
		`[]`: "no HAR file",
		`{}`: "no request over http",
		`{"log":{"entries":[{"request":{"url":"data:x"}}]}}`: "no request over http",
	} {
		if _, err := ParseHAR([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	list, err := ParseHAR([]byte(`{"log":{"entries":[{"request":{"method":"GET","url":"http://h/x.css"}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Scenario("x", "x.yaml", list); !errors.Is(err, ErrNoChat) {
		t.Error(err)
	}
}

// Asked once, the server tells where its reply stands.
func TestSendOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer k-1" || string(body) != `{"text":"costs ${5} in all"}` || r.URL.Path != "/chat" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprint(w, `{"errno": "0", "payload": {"say": "yes it does"}}`)
	}))
	defer s.Close()
	list, _, err := ParseCurl(`curl ` + s.URL + `/chat -H "Authorization: Bearer $KEY" -d '{"text":"costs ${5} in all"}'`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Send(context.Background(), s.Client(), func(name string) (string, bool) { return "k-1", name == "KEY" }, list); err != nil || list[0].Answer.Status != 200 {
		t.Fatal(err, list[0].Answer)
	}
	made, err := Scenario("x", "x.yaml", list)
	if err != nil {
		t.Fatal(err)
	}
	if r := parsed(t, made.YAML).Target.Response; r.Answer != "payload.say" || r.OK[0].Path != "errno" {
		t.Errorf("%+v", r)
	}
}

// Whatever is recorded: no panic, and what is written is a scenario.
func FuzzRecorded(f *testing.F) {
	f.Add(`curl 'http://h/chat?a=b' -H 'X-A: b' -b 'a=b' -d '{"text":"a b","messages":[{"role":"user","content":"x"}]}'`, `{"code":0,"data":{"answer":"可以"}}`)
	f.Add(`curl http://h -F a=b -F c=@d --json '{"q":"x y"}'`, "data: {\"text\":\"a\"}\n\ndata: [DONE]\n\n")
	f.Add(recordedHAR, "")
	f.Add("curl http://h/login -d 'u=a&csrf=0123456789' ;\ncurl http://h/chat -H 'x-t: 0123456789' -d '{\"text\":\"a b\"}'", `<input value='0123456789' name=x><meta name="t" content="0123456789">`)
	f.Fuzz(func(t *testing.T, source, answer string) {
		if list, err := ParseHAR([]byte(source)); err == nil {
			if made, err := Scenario("x", "x.yaml", list); err == nil {
				readable(t, made.YAML)
			}
		}
		list, _, err := ParseCurl(source)
		if err != nil {
			return
		}
		for i, x := range list {
			x.Answer = &Answer{Status: 200, Type: []string{"application/json", "text/html"}[(len(list)-1-i)%2], Body: answer}
		}
		if made, err := Scenario("x", "x.yaml", list); err == nil {
			readable(t, made.YAML)
		}
	})
}

// readable fails where what was written is no YAML of cstest's; a value that a scenario
// does not take is for a person to mend, and validate says where it is.
func readable(t *testing.T, yaml []byte) {
	t.Helper()
	if _, err := scenario.Parse("x.yaml", yaml, scenario.Options{Dir: t.TempDir(), Env: func(string) (string, bool) { return "x", true }}); err != nil && strings.Contains(err.Error(), "YAML") {
		t.Errorf("%v\n%s", err, yaml)
	}
}
