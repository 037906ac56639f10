package mockllm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// caught is an error as the client's user meets it.
type caught struct {
	Class, Type, Message string
	Status               int
	Code                 *string
	None                 bool
}

type clientUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// clientSaw is what check.mjs prints.
type clientSaw struct {
	Plain struct {
		Content, Finish, Object, RequestID string
		Usage                              clientUsage
	}
	Stream struct {
		Content            string
		Roles, Finish, IDs []string
		Usage              *clientUsage
		Chunks             int
	}
	Accumulated string
	Tool        struct{ Name, Arguments, Finish string }
	Structured  string
	Completion  struct {
		Text, Finish string
		Usage        clientUsage
	}
	CompletionStream string
	Models           []string

	Unauthorized, RateLimited, ServerError, Unavailable, UnknownModel, BadRequest, Reset, InStream, Garbage caught

	Retried struct {
		Content string
		TookMs  int
	}
}

// TestOfficialClient runs the openai package from npm, unmodified.
func TestOfficialClient(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	dir := filepath.Join("testdata", "openai-client")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "openai")); err != nil {
		t.Skipf("the openai client is not installed: npm ci --prefix mockllm/%s", filepath.ToSlash(dir))
	}
	s, _ := tcp(t, Config{EchoContext: true, Models: []string{"qwen", "gpt-4o"}})
	cmd := exec.CommandContext(t.Context(), node, "check.mjs", s.URL())
	cmd.Dir = dir
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	saw := parse[clientSaw](t, string(out))
	answer := testSetup(t).answers.To("优惠券").Say + "⟦seen c:K7F3Q2ZA.1⟧"
	checkAnswers(t, &saw, answer)
	checkErrors(t, &saw)
	if saw.Retried.Content != answer || saw.Retried.TookMs < 2000 {
		t.Errorf("retried: %+v, want an answer after two waits of a second", saw.Retried)
	}
	var attempts []int
	for _, r := range records(s) {
		if r.TraceID == "0af7651916cd43dd8448eb211c80319c" {
			attempts = append(attempts, r.Attempt, r.Status)
		}
	}
	if len(attempts) != 6 || attempts[1] != 503 || attempts[3] != 503 || attempts[4] != 3 || attempts[5] != 200 {
		t.Errorf("attempts and status in the journal: %v", attempts)
	}
}

func checkAnswers(t *testing.T, saw *clientSaw, answer string) {
	t.Helper()
	if p := saw.Plain; p.Content != answer || p.Finish != "stop" || p.Object != "chat.completion" || !strings.HasPrefix(p.RequestID, "req_") || p.Usage.Total == 0 || p.Usage.Total != p.Usage.Prompt+p.Usage.Completion {
		t.Errorf("plain: %+v", p)
	}
	st := saw.Stream
	if st.Content != answer || len(st.Roles) != 1 || st.Roles[0] != "assistant" || len(st.Finish) != 1 || st.Finish[0] != "stop" || len(st.IDs) != 1 {
		t.Errorf("stream: %+v", st)
	}
	if st.Usage == nil || *st.Usage != saw.Plain.Usage || st.Chunks != st.Usage.Completion+3 { // role, finish, usage
		t.Errorf("stream of %d chunks with usage %+v, plain had %+v", st.Chunks, st.Usage, saw.Plain.Usage)
	}
	if saw.Accumulated != answer {
		t.Errorf("accumulated: %q", saw.Accumulated)
	}
	if tool := saw.Tool; tool.Name != "get_order" || tool.Arguments != `{"count":2}` || tool.Finish != "tool_calls" {
		t.Errorf("tool call: %+v", tool)
	}
	if saw.Structured != `{"intent":"coupon"}` {
		t.Errorf("structured: %q", saw.Structured)
	}
	if c := saw.Completion; c.Text != "您好,签收⟦seen⟧" || c.Finish != "length" || c.Usage.Prompt != 2 {
		t.Errorf("completion: %+v", c)
	}
	if saw.CompletionStream != testSetup(t).answers.To("退货").Say+"⟦seen⟧" {
		t.Errorf("streamed completion: %q", saw.CompletionStream)
	}
	if strings.Join(saw.Models, " ") != "qwen gpt-4o" {
		t.Errorf("models: %v", saw.Models)
	}
}

func checkErrors(t *testing.T, saw *clientSaw) {
	t.Helper()
	for name, tt := range map[string]struct {
		got    caught
		class  string
		status int
		code   string
	}{
		"401":           {saw.Unauthorized, "AuthenticationError", 401, "invalid_api_key"},
		"429":           {saw.RateLimited, "RateLimitError", 429, "rate_limit_exceeded"},
		"500":           {saw.ServerError, "InternalServerError", 500, ""},
		"503":           {saw.Unavailable, "InternalServerError", 503, "service_unavailable"},
		"unknown model": {saw.UnknownModel, "NotFoundError", 404, "model_not_found"},
		"bad request":   {saw.BadRequest, "BadRequestError", 400, ""},
		"reset":         {saw.Reset, "APIConnectionError", 0, ""},
		"in stream":     {saw.InStream, "APIError", 0, "service_unavailable"},
		"garbage":       {saw.Garbage, "SyntaxError", 0, ""},
	} {
		if tt.got.None || tt.got.Class != tt.class || tt.got.Status != tt.status || value(tt.got.Code) != tt.code {
			t.Errorf("%s: %+v (code %q)", name, tt.got, value(tt.got.Code))
		}
	}
}
