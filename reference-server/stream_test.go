package refserver

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/reference-server/wire"
)

// event is one server-sent event as a test sees it.
type event struct{ name, data string }

func streamTurn(t *testing.T, s *Server, dialog, text string) (reply, []event) {
	t.Helper()
	body := fmt.Sprintf(`{"text":%q}`, text)
	if dialog != "" {
		body = fmt.Sprintf(`{"text":%q,"dialog_id":%q}`, text, dialog)
	}
	r := send(t, "POST", s.URL()+"/v1/chat/stream", tokenFor(t, "u1"), body)
	var events []event
	for block := range strings.SplitSeq(r.body, "\n\n") {
		var e event
		for line := range strings.SplitSeq(block, "\n") {
			if v, ok := strings.CutPrefix(line, "event: "); ok {
				e.name = v
			}
			if v, ok := strings.CutPrefix(line, "data: "); ok {
				e.data = v
			}
		}
		if e.name != "" {
			events = append(events, e)
		}
	}
	return r, events
}

// checkStream holds the invariants: meta first, deltas numbered without gaps,
// one terminal event and that last. It gives the text of the deltas.
func checkStream(t *testing.T, events []event, terminal string) string {
	t.Helper()
	if len(events) < 2 || events[0].name != "meta" || events[len(events)-1].name != terminal {
		t.Fatalf("events %v, want meta … %s", events, terminal)
	}
	var text strings.Builder
	next := 0
	for i, e := range events {
		if !gjson.Valid(e.data) {
			t.Errorf("event %d is not JSON: %s", i, e.data)
		}
		switch e.name {
		case "delta":
			if got := int(gjson.Get(e.data, "i").Int()); got != next {
				t.Errorf("delta %d comes as %d", next, got)
			}
			next++
			text.WriteString(gjson.Get(e.data, "text").Str)
		case "done", "error":
			if i != len(events)-1 {
				t.Errorf("%s is event %d of %d", e.name, i, len(events))
			}
		case "meta":
			if i != 0 {
				t.Errorf("meta is event %d", i)
			}
		}
	}
	return text.String()
}

func TestStreamedTurns(t *testing.T) {
	mock := mockllm.RunT(t, mockllm.Config{EchoContext: true})
	s := startServer(t, mock.URL(), withKnobs("redis.timeout", "2s", "llm.timeout", "5s", "chat.deadline", "5s", "chat.degrade_at", "5s"))
	_, events := streamTurn(t, s, "", "随便聊聊天气 ⟦c:K7F3Q2ZA.1⟧")
	text := checkStream(t, events, "done")
	done := gjson.Parse(events[len(events)-1].data)
	if text != done.Get("answer").Str || !strings.HasSuffix(text, "⟦seen c:K7F3Q2ZA.1⟧") {
		t.Errorf("deltas %q, answer %q", text, done.Get("answer").Str)
	}
	id := done.Get("dialog_id").Str
	if gjson.Get(events[0].data, "dialog_id").Str != id || !done.Get("persisted").Bool() {
		t.Errorf("meta %s, done %s", events[0].data, done.Raw)
	}
	_, events = streamTurn(t, s, id, "再聊聊 ⟦c:K7F3Q2ZA.2⟧")
	if text := checkStream(t, events, "done"); !strings.HasSuffix(text, "⟦seen c:K7F3Q2ZA.1 c:K7F3Q2ZA.2⟧") {
		t.Errorf("second turn %q", text)
	}
	force(t, s, "faq")
	_, events = streamTurn(t, s, id, "优惠券在哪里领")
	if text := checkStream(t, events, "done"); !strings.Contains(text, "领券中心") || events[1].name != "tier" {
		t.Errorf("from FAQ: %v", events)
	}
}

// rawModel streams exactly what a test says.
func rawModel(t *testing.T, stream func(w http.ResponseWriter, r *http.Request, flush func())) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		stream(w, r, func() { w.(http.Flusher).Flush() })
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func chunk(text string) string {
	return `data: {"choices":[{"delta":{"content":` + string(wire.AppendString(nil, text)) + "}}]}\n\n"
}

func TestBrokenStreams(t *testing.T) {
	for name, c := range map[string]struct {
		stream   func(w http.ResponseWriter, r *http.Request, flush func())
		terminal string
		code     string // of an error, or the reason of a lower tier
		text     string
	}{
		"reset in the middle": {func(w http.ResponseWriter, _ *http.Request, flush func()) {
			_, _ = io.WriteString(w, chunk("您好,")+chunk("优惠"))
			flush()
			panic(http.ErrAbortHandler)
		}, "error", "model-interrupted", "您好,"},
		"no DONE": {func(w http.ResponseWriter, _ *http.Request, _ func()) {
			_, _ = io.WriteString(w, chunk("您好,")+chunk("完。"))
		}, "error", "model-interrupted", "您好,完。"},
		"error event in the middle": {func(w http.ResponseWriter, _ *http.Request, _ func()) {
			_, _ = io.WriteString(w, chunk("您好,")+"data: {\"error\":{\"message\":\"boom\"}}\n\n")
		}, "error", "model-interrupted", "您好,"},
		"error event first": {func(w http.ResponseWriter, _ *http.Request, _ func()) {
			_, _ = io.WriteString(w, "data: {\"error\":{\"message\":\"boom\"}}\n\n")
		}, "done", "llm_garbage", ""},
		"nothing but DONE": {func(w http.ResponseWriter, _ *http.Request, _ func()) {
			_, _ = io.WriteString(w, "data: [DONE]\n\n")
		}, "done", "llm_garbage", ""},
		"heartbeats only": {func(w http.ResponseWriter, r *http.Request, flush func()) {
			_, _ = io.WriteString(w, ": ping\n\n")
			flush()
			<-r.Context().Done()
		}, "done", "llm_timeout", ""},
		"data behind DONE": {func(w http.ResponseWriter, _ *http.Request, _ func()) {
			_, _ = io.WriteString(w, chunk("好的。")+"data: [DONE]\n\n"+chunk("不该出现"))
		}, "done", "", "好的。"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, rawModel(t, c.stream), withKnobs("redis.timeout", "2s", "llm.timeout", "300ms"))
			r, events := streamTurn(t, s, "", "优惠券在哪里领一张")
			text := checkStream(t, events, c.terminal)
			last := gjson.Parse(events[len(events)-1].data)
			if c.terminal == "error" {
				if last.Get("code").Str != c.code || text != c.text {
					t.Errorf("%q, %s", text, last.Raw)
				}
				id := gjson.Get(events[0].data, "dialog_id").Str
				if h := send(t, "GET", s.URL()+"/v1/dialogs/"+id, tokenFor(t, "u1"), ""); h.status != 404 {
					t.Errorf("a broken turn is in the dialog: %s", h.body)
				}
				return
			}
			if last.Get("degrade_reason").Str != c.code || c.text != "" && text != c.text {
				t.Errorf("%q, %s, body %s", text, last.Raw, r.body)
			}
		})
	}
}

func TestStreamedAnswersAreMasked(t *testing.T) {
	s := startServer(t, rawModel(t, func(w http.ResponseWriter, _ *http.Request, flush func()) {
		for _, p := range []string{"请拨", "打138", "1234", "5678", ",谢", "谢"} {
			_, _ = io.WriteString(w, chunk(p))
			flush()
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}), withKnobs("redis.timeout", "2s"))
	_, events := streamTurn(t, s, "", "给我一个电话吧")
	if text := checkStream(t, events, "done"); text != "请拨打***********,谢谢" {
		t.Errorf("%q", text)
	}
}

func TestClientThatLeavesCancelsTheModel(t *testing.T) {
	var cancelled atomic.Bool
	gone := make(chan struct{})
	s := startServer(t, rawModel(t, func(w http.ResponseWriter, r *http.Request, flush func()) {
		_, _ = io.WriteString(w, chunk("一,"))
		flush()
		<-r.Context().Done()
		cancelled.Store(true)
		close(gone)
	}), withKnobs("redis.timeout", "2s"))
	req, _ := http.NewRequest(http.MethodPost, s.URL()+"/v1/chat/stream", strings.NewReader(`{"text":"大促期间几天能发货到成都？"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+tokenFor(t, "u1"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	for buf := make([]byte, 64); !strings.Contains(seen.String(), "一"); { // what comes before it may be sent before the model is asked
		n, err := resp.Body.Read(buf)
		if err != nil {
			t.Fatalf("%v behind %q", err, seen.String())
		}
		seen.Write(buf[:n])
	}
	resp.Body.Close()
	<-gone
	if !cancelled.Load() {
		t.Error("the model still works for nobody")
	}
}
