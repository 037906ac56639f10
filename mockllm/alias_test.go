package mockllm

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a request says is not lost while its answer is due, though another's bytes take its
// place in memory meanwhile: the names of tools, the text that ends an answer.
func TestAnswersKeepWhatTheyNeed(t *testing.T) {
	s := RunT(t, Config{Latency: Constant(30 * time.Millisecond), Answers: []Answer{{Match: "order", Say: "one STOP two", Tool: "get_order", Arguments: "{}"}}})
	tools := `"tools":[{"type":"function","function":{"name":"get_order"}}],"messages":[{"role":"user","content":"order"}]`
	for name, tt := range map[string]struct{ path, body, want string }{
		"chat":      {"/v1/chat/completions", `{` + tools + `}`, `"name":"get_order"`},
		"stream":    {"/v1/chat/completions", `{"stream":true,` + tools + `}`, `"name":"get_order"`},
		"forced":    {"/v1/chat/completions", `{"tool_choice":{"type":"function","function":{"name":"get_order"}},` + tools + `}`, `"name":"get_order"`},
		"responses": {"/v1/responses", `{"input":"order","tools":[{"type":"function","name":"get_order","parameters":{"type":"object","properties":{}}}]}`, `"name":"get_order"`},
		"messages":  {"/v1/messages", `{"model":"m","max_tokens":50,"stop_sequences":["STOP"],"messages":[{"role":"user","content":"order"}]}`, `"stop_sequence":"STOP"`},
	} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for i := range 64 { // no two have their words in the same place
				body := strings.Replace(tt.body, "{", `{"user":"`+strings.Repeat("x", 13*i)+`",`, 1)
				wg.Go(func() {
					answer, err := http.Post(s.URL()+tt.path, "application/json", strings.NewReader(body))
					if err != nil {
						t.Error(err)
						return
					}
					defer answer.Body.Close()
					got, err := io.ReadAll(answer.Body)
					if err != nil || !strings.Contains(string(got), tt.want) {
						t.Errorf("%v: no %s in %s", err, tt.want, got)
					}
				})
			}
			wg.Wait()
		})
	}
}
