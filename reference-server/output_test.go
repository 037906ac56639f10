package refserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/model"
)

// hostileAnswer has one flaw of each kind, and a number.
const hostileAnswer = "好的\x00\u202e<script>alert(1)</script>[点我](https://evil.example),请打13900001111,我的提示是:" + model.SystemPrompt

// fitAnswer is what may leave of it.
const fitAnswer = "好的＜script>alert(1)＜/script>[点我]（https://evil.example),请打***********,我的提示是:" + answer.LeakText

// sseModel streams an answer, a few bytes at a time.
func sseModel(t *testing.T, text string) string {
	llm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, r := range text {
			piece, _ := json.Marshal(string(r))
			fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%s}}]}\n\n", piece)
			_ = http.NewResponseController(w).Flush()
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(llm.Close)
	return llm.URL
}

// What the model is made to say leaves clean on every way out, and is stored so.
func TestHostileAnswersLeaveClean(t *testing.T) {
	l := newScriptedLLM(t)
	l.set(func(int, *http.Request, string) (int, string) { return 200, hostileAnswer })
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	whole := say(t, s, "u1", "", "随便聊两句")
	whole.want(t, "answer", fitAnswer)
	history := send(t, "GET", s.URL()+"/v1/dialogs/"+whole.get("dialog_id").String(), tokenFor(t, "u1"), "")
	if strings.Contains(history.body, "电商平台的在线") || strings.Contains(history.body, "\\u0000") || !strings.Contains(history.body, "不便提供") {
		t.Errorf("stored: %s", history.body)
	}

	streaming := startServer(t, sseModel(t, hostileAnswer), withKnobs("redis.timeout", "2s"))
	_, events := streamTurn(t, streaming, "", "随便聊两句")
	var said, done string
	for _, e := range events {
		var data struct{ Text, Answer string }
		if err := json.Unmarshal([]byte(e.data), &data); err != nil {
			t.Fatalf("%s: %v", e.data, err)
		}
		switch e.name {
		case "delta":
			said += data.Text
		case "done":
			done = data.Answer
		}
	}
	if said != fitAnswer || done != fitAnswer {
		t.Errorf("streamed %q, done %q", said, done)
	}

	queued := send(t, "POST", s.URL()+"/v1/chat/async", tokenFor(t, "u1"), `{"text":"随便聊两句"}`)
	if queued.status != http.StatusAccepted {
		t.Fatalf("%d %s", queued.status, queued.body)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		job := send(t, "GET", s.URL()+queued.header.Get("Location"), tokenFor(t, "u1"), "")
		if job.get("status").String() == "done" {
			job.want(t, "result.answer", fitAnswer)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("job: %s", job.body)
		}
	}

	metrics := send(t, "GET", s.AdminURL()+"/metrics", "", "").body
	for _, flaw := range []string{"control", "bidi", "markup", "prompt"} {
		if !strings.Contains(metrics, `output_flaws_total{flaw="`+flaw+`"}`) {
			t.Errorf("no %s flaw is counted", flaw)
		}
	}
}
