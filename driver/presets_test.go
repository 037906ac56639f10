package driver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/scenarios"
)

// preset is a server of an API's shape, and what a conversation of it says.
type preset struct {
	serve func(s *shape, w http.ResponseWriter, r *http.Request)
	want  string // answers to "a" and "b"
	ill   string // the answer to "ill"
}

// shape is a server that keeps what it was told.
type shape struct {
	t    *testing.T
	mu   sync.Mutex
	said map[string][]string // by session
	asks int
}

// hear keeps text in a session and gives all that was said there.
func (s *shape) hear(session, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said[session] = append(s.said[session], text)
	return strings.Join(s.said[session], "+")
}

// read decodes a request's body.
func (s *shape) read(r *http.Request, to any) {
	if err := json.NewDecoder(r.Body).Decode(to); err != nil {
		s.t.Errorf("%s: %v", r.URL, err)
	}
}

func (s *shape) key(r *http.Request, want string) {
	if got := r.Header.Get("Authorization") + r.Header.Get("X-Api-Key"); got != want {
		s.t.Errorf("%s: key %q, want %q", r.URL, got, want)
	}
}

func sendEvents(w http.ResponseWriter, list ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range list {
		fmt.Fprint(w, e, "\n\n")
	}
}

type messages []struct{ Role, Content string }

func (m messages) String() string {
	var all []string
	for _, one := range m {
		all = append(all, one.Role[:1]+":"+one.Content)
	}
	return strings.Join(all, ",")
}

var presets = map[string]preset{
	"websocket": webChat,
	"socketio":  socketIOChat,
	"anthropic": {anthropicShape, `[u:a] | [u:a,a:[u:a],u:b]`, "! overloaded_error Overloaded"},
	"ollama":    {ollamaShape, `[u:a] | [u:a,a:[u:a],u:b]`, "! model not found"},
	"dify":      {difyShape, "d1 a | d1 a+b", "! 503 model is down"},
	"coze":      {cozeShape, "k1 a | k1 a+b", "! 4000 bot is not published"},
	"rasa": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		var q struct{ Sender, Message string }
		s.read(r, &q)
		if q.Message == "ill" {
			fmt.Fprint(w, `[]`)
			return
		}
		fmt.Fprintf(w, `[{"recipient_id":%q,"text":%q},{"recipient_id":%q,"image":"x.png"},{"recipient_id":%q,"text":"more?"}]`, q.Sender, s.hear(q.Sender, q.Message), q.Sender, q.Sender)
	}, "a\nmore? | a+b\nmore?", "! the answer is a list with nothing in it, not a string"},
	"dialogflow": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		s.key(r, "Bearer key")
		var q struct {
			QueryInput struct{ Text struct{ Text string } }
		}
		s.read(r, &q)
		session, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/v3/projects/my-project/locations/global/agents/my-agent/sessions/"), ":detectIntent")
		if !ok || strings.Contains(session, "/") {
			s.t.Errorf("path %s", r.URL.Path)
		}
		if q.QueryInput.Text.Text == "ill" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"error":{"code":403,"message":"no such agent","status":"PERMISSION_DENIED"}}`)
			return
		}
		fmt.Fprintf(w, `{"queryResult":{"responseMessages":[{"text":{"text":[%q]}},{"payload":{}},{"text":{"text":["more?"]}}]}}`, s.hear(session, q.QueryInput.Text.Text))
	}, "a\nmore? | a+b\nmore?", " 403 PERMISSION_DENIED PERMISSION_DENIED no such agent"},
	"directline":       {directLineShape, "v1 a\nmore? | v1 a+b\nmore?", "! then poll: the job was not done within the timeout; some answers came, poll.is_answer holds for none: what is at activities.#(from.role==\"bot\")#.text does not fit (exists: true)"},
	"chatwoot":         {chatwootShape, "k1 a | k1 a+b", "before contact 404  "},
	"openai-responses": {responsesShape, "a after  | b after resp_1", "! server_error it broke"},
}

func anthropicShape(s *shape, w http.ResponseWriter, r *http.Request) {
	s.key(r, "key")
	var q struct {
		System    string
		MaxTokens int `json:"max_tokens"`
		Stream    bool
		Messages  messages
	}
	s.read(r, &q)
	if r.URL.Path != "/v1/messages" || q.System == "" || q.MaxTokens == 0 || !q.Stream || r.Header.Get("Anthropic-Version") == "" {
		s.t.Errorf("%s %+v", r.URL, q)
	}
	if q.Messages[len(q.Messages)-1].Content == "ill" {
		sendEvents(w, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}", "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}")
		return
	}
	text := q.Messages.String()
	sendEvents(w, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}",
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
		"event: ping\ndata: {\"type\": \"ping\"}",
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"[\"}}",
		fmt.Sprintf("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}", text+"]"),
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}",
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"text\":\"not a delta\"},\"usage\":{\"output_tokens\":5}}",
		"event: message_stop\ndata: {\"type\":\"message_stop\"}")
}

func ollamaShape(s *shape, w http.ResponseWriter, r *http.Request) {
	var q struct{ Messages messages }
	s.read(r, &q)
	w.Header().Set("Content-Type", "application/x-ndjson")
	if q.Messages[len(q.Messages)-1].Content == "ill" {
		fmt.Fprint(w, `{"error":"model not found"}`)
		return
	}
	for _, piece := range []string{"[", q.Messages.String(), "]"} {
		fmt.Fprintf(w, "{\"message\":{\"role\":\"assistant\",\"content\":%q},\"done\":false}\n", piece)
		w.(http.Flusher).Flush()
	}
	fmt.Fprint(w, `{"message":{"content":""},"done":true,"prompt_eval_count":9,"eval_count":5}`)
}

func difyShape(s *shape, w http.ResponseWriter, r *http.Request) {
	s.key(r, "Bearer key")
	var q struct {
		Query, User    string
		ResponseMode   string `json:"response_mode"`
		ConversationID string `json:"conversation_id"`
	}
	s.read(r, &q)
	if q.ResponseMode != "streaming" || q.User == "" || (q.ConversationID == "") == (len(s.said) > 0 && q.Query != "ill") {
		s.t.Errorf("%+v", q)
	}
	if q.Query == "ill" {
		sendEvents(w, "event: ping", `data: {"event":"error","task_id":"t","status":503,"code":"503","message":"model is down"}`)
		return
	}
	answer := s.hear("d1", q.Query)
	sendEvents(w, `data: {"event":"workflow_started","conversation_id":"d1"}`, "event: ping", `data: {"event":"message","answer":"d1 ","conversation_id":"d1"}`,
		fmt.Sprintf(`data: {"event":"message","answer":%q,"conversation_id":"d1"}`, answer),
		`data: {"event":"workflow_finished","answer":"not this","conversation_id":"d1"}`, `data: {"event":"message_end","conversation_id":"d1","metadata":{"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}}`)
}

func cozeShape(s *shape, w http.ResponseWriter, r *http.Request) {
	s.key(r, "Bearer key")
	if r.URL.Path == "/v1/conversation/create" {
		fmt.Fprint(w, `{"code":0,"data":{"id":"k1"},"msg":""}`)
		return
	}
	var q struct {
		BotID    string   `json:"bot_id"`
		Messages messages `json:"additional_messages"`
	}
	s.read(r, &q)
	session := r.FormValue("conversation_id")
	if q.BotID != "bot" || session != "k1" {
		s.t.Errorf("%s %+v", r.URL, q)
	}
	text := q.Messages[0].Content
	if text == "ill" {
		sendEvents(w, "event: error\ndata: {\"code\":4000,\"msg\":\"bot is not published\"}")
		return
	}
	all := s.hear(session, text)
	sendEvents(w, "event: conversation.chat.created\ndata: {\"id\":\"c\",\"status\":\"created\"}",
		"event: conversation.message.delta\ndata: {\"type\":\"answer\",\"content\":\"k1 \"}",
		"event: conversation.message.delta\ndata: {\"type\":\"verbose\",\"content\":\"not this\"}",
		fmt.Sprintf("event: conversation.message.delta\ndata: {\"type\":\"answer\",\"content\":%q}", all),
		fmt.Sprintf("event: conversation.message.completed\ndata: {\"type\":\"answer\",\"content\":%q}", "k1 "+all),
		"event: conversation.message.completed\ndata: {\"type\":\"follow_up\",\"content\":\"and?\"}",
		"event: conversation.chat.completed\ndata: {\"status\":\"completed\",\"content\":\"x\"}", "event: done\ndata: \"[DONE]\"")
}

func directLineShape(s *shape, w http.ResponseWriter, r *http.Request) {
	s.key(r, "Bearer key")
	const base = "/v3/directline/conversations"
	switch {
	case r.URL.Path == base && r.Method == http.MethodPost:
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"conversationId":"v1","token":"t"}`)
	case r.URL.Path == base+"/v1/activities" && r.Method == http.MethodPost:
		var q struct {
			Type, Text string
			From       struct{ ID string }
		}
		s.read(r, &q)
		if q.Type != "message" || q.From.ID == "" {
			s.t.Errorf("%+v", q)
		}
		s.hear("v1", q.Text)
		s.asks = 0
		fmt.Fprintf(w, `{"id":"v1|%07d"}`, len(s.said["v1"]))
	case r.URL.Path == base+"/v1/activities":
		s.mu.Lock()
		defer s.mu.Unlock()
		said := s.said["v1"]
		seen := 0
		fmt.Sscan(r.FormValue("watermark"), &seen) //nolint:errcheck // the first has none
		if s.asks++; s.asks < 3 || said[len(said)-1] == "ill" || seen >= len(said) {
			fmt.Fprintf(w, `{"activities":[{"type":"message","from":{"id":"u0"},"text":"x"}],"watermark":"%d"}`, seen)
			return
		}
		fmt.Fprintf(w, `{"activities":[{"type":"message","from":{"id":"u0","role":"user"},"text":"x"},{"type":"typing","from":{"id":"b","role":"bot"}},{"type":"message","from":{"id":"b","role":"bot"},"text":%q},{"type":"message","from":{"id":"b","role":"bot"},"text":"more?"}],"watermark":"%d"}`,
			"v1 "+strings.Join(said, "+"), len(said))
	default:
		s.t.Errorf("%s %s", r.Method, r.URL)
	}
}

func chatwootShape(s *shape, w http.ResponseWriter, r *http.Request) {
	const base = "/public/api/v1/inboxes/my-inbox/contacts"
	messages := base + "/s1/conversations/k1/messages"
	switch {
	case r.URL.Path == base:
		if s.t.Name() == "TestPresets/chatwoot/ill" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, `{"source_id":"s1","pubsub_token":"p"}`)
	case r.URL.Path == base+"/s1/conversations":
		fmt.Fprint(w, `{"id":"k1","messages":[]}`)
	case r.URL.Path == messages && r.Method == http.MethodPost:
		var q struct{ Content string }
		s.read(r, &q)
		s.hear("k1", q.Content)
		fmt.Fprintf(w, `{"id":%d,"content":%q,"message_type":0}`, 10*len(s.said["k1"]), q.Content)
	case r.URL.Path == messages:
		s.mu.Lock()
		defer s.mu.Unlock()
		if want := fmt.Sprint(10 * len(s.said["k1"])); r.FormValue("after") != want {
			s.t.Errorf("after %s, want %s", r.FormValue("after"), want)
		}
		if s.asks++; s.asks%2 == 1 {
			fmt.Fprint(w, `[{"id":11,"content":"the agent is typing","message_type":2}]`)
			return
		}
		fmt.Fprintf(w, `[{"id":11,"content":%q,"message_type":1}]`, "k1 "+strings.Join(s.said["k1"], "+"))
	default:
		s.t.Errorf("%s %s", r.Method, r.URL)
	}
}

func responsesShape(s *shape, w http.ResponseWriter, r *http.Request) {
	s.key(r, "Bearer key")
	var q struct {
		Input    string
		Previous string `json:"previous_response_id"`
	}
	s.read(r, &q)
	if q.Input == "ill" {
		sendEvents(w, "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"it broke\"}")
		return
	}
	s.hear("r", q.Input)
	id := len(s.said["r"])
	sendEvents(w, fmt.Sprintf("event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_%d\",\"error\":null}}", id),
		fmt.Sprintf("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":%q}", q.Input+" after "),
		fmt.Sprintf("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":%q}", q.Previous),
		fmt.Sprintf("event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"delta\":\"no\",\"text\":%q}", q.Input),
		fmt.Sprintf("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_%d\",\"usage\":{\"input_tokens\":9,\"output_tokens\":5}}}", id))
}

// Every preset talks to a server of its API's shape, as it is and as it fails.
func TestPresets(t *testing.T) {
	names := scenarios.APIs()
	if len(names) != len(presets) {
		t.Errorf("%d presets, %d shapes", len(names), len(presets))
	}
	env := map[string]string{"CHAT_KEY": "key", "CHAT_BOT": "bot"}
	for _, name := range names {
		p, ok := presets[strings.TrimPrefix(name, "apis/")]
		if !ok {
			t.Errorf("%s has no shape", name)
			continue
		}
		text, _ := scenarios.Get(name)
		for kind, texts := range map[string][]string{"well": {"a", "b"}, "ill": {"ill"}} {
			t.Run(strings.TrimPrefix(name, "apis/")+"/"+kind, func(t *testing.T) {
				s := &shape{t: t, said: map[string][]string{}}
				srv := serve(t, func(w http.ResponseWriter, r *http.Request) { p.serve(s, w, r) })
				sc, err := scenario.Parse(name, text, scenario.Options{Env: func(name string) (string, bool) {
					if name == "CHAT_URL" {
						return srv.URL, true
					}
					v, ok := env[name]
					return v, ok
				}})
				if err != nil {
					t.Fatal(err)
				}
				target := sc.Target
				if strings.Contains(p.ill, "timeout") && kind == "ill" {
					target.Timeout /= 40
				}
				d, err := New(&target, Options{Base: time.Now(), RunID: "r", Secrets: sc.Secret})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				line := d.Open(&User{ID: "u0"})
				defer line.Close()
				want := p.want
				if kind == "ill" {
					want = p.ill
				}
				list := conversation(line, texts)
				if got := countless.ReplaceAllString(answersOf(list), "some answers"); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if u := list[0].Usage; kind == "well" && sc.Target.Response.Usage != nil && (u.Told != 1 || u.Input != 9 || u.Output != 5) {
					t.Errorf("usage %+v", u)
				}
			})
		}
	}
}

// countless is how many polls there were, which time tells.
var countless = regexp.MustCompile(`(more than )?\d+ answers?\b`)

// conversation has one on a line as a load does: with the dialog so far.
func conversation(line Channel, texts []string) (list []said) {
	var dialog []byte
	var history []Message
	for i, text := range texts {
		var r Reply
		line.Do(&Turn{Text: []byte(text), Index: i, Number: 7, ConversationID: []byte("c7"), DialogID: dialog, History: history}, &r)
		list = append(list, said{r, string(r.Answer), string(r.DialogID), string(r.Code)})
		dialog = []byte(string(r.DialogID))
		history = append(history, Message{Text: []byte(text)}, Message{Assistant: true, Text: []byte(string(r.Answer))})
		line.Free(&r)
	}
	return list
}
