package driver

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/scenarios"
)

// thinks serves the pieces of a stream, each after a pause but the first.
func thinks(t *testing.T, pause time.Duration, kind string, pieces []string) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		for i, piece := range pieces {
			if i > 0 {
				select {
				case <-time.After(pause):
				case <-r.Context().Done():
				}
			}
			fmt.Fprint(w, piece)
			w.(http.Flusher).Flush()
		}
	}).URL
}

// What a model thinks aloud before it answers is timed by itself: it is no token of
// the answer, no gap between two of these, and not in the text.
func TestReasoningIsTimedByItself(t *testing.T) {
	const pause = 30 * time.Millisecond
	chunk := func(delta string) string {
		return `data: {"choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}` + "\n\n"
	}
	const last = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	named := func(kind, rest string) string {
		return fmt.Sprintf("event: %s\ndata: {\"type\":%q,%s}\n\n", kind, kind, rest)
	}
	for name, c := range map[string]struct {
		api    string // a preset; empty: api openai
		pieces []string
		before int // pauses before the first of the reasoning; -1: there is none
		answer int // and before the first of the answer
		gaps   int
	}{
		"reasoning_content": {"", []string{chunk(`{"role":"assistant","content":null,"reasoning_content":""}`), chunk(`{"reasoning_content":"hm"}`), chunk(`{"reasoning_content":"\u6211"}`), chunk(`{"content":"o","reasoning_content":null}`), chunk(`{"content":"k"}`) + last}, 1, 3, 1},
		"reasoning":         {"", []string{chunk(`{"content":"","reasoning":"hm"}`), chunk(`{"content":"ok"}`) + last}, 0, 1, 0},
		"none":              {"", []string{chunk(`{"content":""}`), chunk(`{"content":"ok","reasoning_content":null}`) + last}, -1, 1, 0},
		"both at once":      {"", []string{chunk(`{"role":"assistant"}`), chunk(`{"content":"ok","reasoning_content":"hm"}`) + last}, 1, 1, 0},
		"no text":           {"", []string{chunk(`{"reasoning":{"effort":"low"},"reasoning_content":7}`), chunk(`{"content":"ok"}`) + last}, -1, 1, 0},
		"anthropic": {"anthropic", []string{
			named("message_start", `"message":{"id":"m"}`), named("content_block_delta", `"delta":{"type":"thinking_delta","thinking":"hm"}`),
			named("content_block_delta", `"delta":{"type":"signature_delta","signature":"x"}`),
			named("content_block_delta", `"delta":{"type":"text_delta","text":"ok"}`) + named("message_stop", `"x":1`),
		}, 1, 3, 0},
		"openai-responses": {"openai-responses", []string{
			named("response.created", `"response":{"id":"r"}`), named("response.reasoning_summary_text.delta", `"delta":"hm"`), named("response.reasoning_text.delta", `"delta":"hm"`),
			named("response.output_text.delta", `"delta":"ok"`) + named("response.completed", `"response":{"id":"r"}`),
		}, 1, 3, 0},
		"ollama": {"ollama", []string{
			`{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}` + "\n", `{"message":{"content":"ok"},"done":false}` + "\n" + `{"message":{"content":""},"done":true}` + "\n",
		}, 0, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			kind := "text/event-stream"
			if c.api == "ollama" {
				kind = "application/x-ndjson"
			}
			url := thinks(t, pause, kind, c.pieces)
			target := scenario.Target{URL: url, API: scenario.APIOpenAI, Mode: scenario.ModeStream, Model: "m"}
			options := Options{Base: time.Now(), RunID: "r"}
			if c.api != "" {
				text, _ := scenarios.Get("apis/" + c.api)
				sc, err := scenario.Parse(c.api, text, scenario.Options{Env: func(name string) (string, bool) {
					return map[string]string{"CHAT_URL": url, "CHAT_KEY": "k"}[name], true
				}})
				if err != nil {
					t.Fatal(err)
				}
				target, options.Secrets = sc.Target, sc.Secret
			}
			d := open(t, &target, options)
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			for range 2 { // what is kept of a turn does not reach the next
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				if r.Reason != Complete || string(r.Answer) != "ok" || len(r.Gaps) != c.gaps {
					t.Errorf("%v %q: %q with %d gaps, want ok with %d", r.Reason, r.Message, r.Answer, len(r.Gaps), c.gaps)
				}
				if (r.FirstReasoning > 0) != (c.before >= 0) || r.FirstReasoning > r.FirstToken || c.before >= 0 && (r.FirstReasoning < r.FirstToken) != (c.before < c.answer) {
					t.Errorf("reasoning at %v, the answer at %v, %d and %d pauses in", r.FirstReasoning, r.FirstToken, c.before, c.answer)
				}
				if c.before > 0 && r.FirstReasoning <= r.FirstByte || c.answer > 0 && r.FirstToken <= r.FirstByte {
					t.Errorf("reasoning at %v, the answer at %v, the first byte at %v", r.FirstReasoning, r.FirstToken, r.FirstByte)
				}
				line.Free(&r)
			}
		})
	}
}
