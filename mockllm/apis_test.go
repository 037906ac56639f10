package mockllm

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spoke is a text answer as an official client reads it.
type spoke struct {
	Text, Status, Stop, Reason, Sequence string
	Usage                                struct {
		In     int `json:"input_tokens"`
		Out    int `json:"output_tokens"`
		Prompt int `json:"prompt_tokens"`
		Total  int `json:"total_tokens"`
	}
}

// apisSaw is what apis.mjs prints.
type apisSaw struct {
	Embeddings struct {
		Dimensions, Index   []int
		Norm, Apart, Cosine float64
		Usage               clientUsage
	}
	Response, ResponseStream, ResponseCut  spoke
	Message, MessageStream, MessageStopped spoke
	ResponseEvents, MessageEvents          []string
	ResponseTool                           struct{ Type, Name, Arguments string }
	ResponseParsed                         struct{ Count int }
	MessageTool                            struct {
		Stop, Name string
		Input      struct{ Count int }
	}
	ResponseBad, ResponseFailed            caught
	MessageBad, MessageBusy, MessageFailed caught
	Several                                struct {
		Texts []string
		Index []int
		Usage clientUsage
	}
	SeveralStream []string
	Moderations   [][2]any
	Azure         string
	Limits        []string
	Reasoning     struct {
		Completion int `json:"completion_tokens"`
		Details    struct {
			Reasoning int `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	}
	Limited struct {
		caught
		RetryAfter, Left string
	}
}

// TestOfficialClientsOfOtherAPIs runs the openai and @anthropic-ai/sdk packages
// from npm, unmodified, against every API beside chat.
func TestOfficialClientsOfOtherAPIs(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	dir := filepath.Join("testdata", "openai-client")
	for _, name := range []string{"openai", "@anthropic-ai/sdk"} {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", filepath.FromSlash(name))); err != nil {
			t.Skipf("%s is not installed: npm ci --prefix mockllm/%s", name, filepath.ToSlash(dir))
		}
	}
	s, _ := tcp(t, Config{EchoContext: true})
	limited, _ := tcp(t, Config{ReasoningTokens: 100, Limits: Limits{Requests: quota(t, "2/m"), Tokens: quota(t, "100k/m")}})
	cmd := exec.CommandContext(t.Context(), node, "apis.mjs", s.URL(), limited.URL())
	cmd.Dir = dir
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	saw := parse[apisSaw](t, string(out))
	answer := testSetup(t).answers.To("优惠券").Say + "⟦seen c:K7F3Q2ZA.1⟧"
	checkResponses(t, &saw, answer)
	checkMessages(t, &saw, answer)
	checkOthers(t, &saw, answer)
	if f := limited.Facts(); f.Outcomes["ok"] != 2 || f.Outcomes["status_429"] != 1 || len(f.Outcomes) != 2 {
		t.Errorf("outcomes of the limited server: %v", f.Outcomes)
	}
	kinds := map[string]int{}
	for _, r := range records(s) {
		kinds[r.API]++
	}
	if kinds["embeddings"] != 3 || kinds["responses"] != 7 || kinds["messages"] != 7 || kinds["moderations"] != 1 || kinds["chat"] != 3 {
		t.Errorf("journal has %v", kinds)
	}
}

func checkResponses(t *testing.T, saw *apisSaw, answer string) {
	t.Helper()
	if r := saw.Response; r.Text != answer || r.Status != "completed" || r.Usage.In == 0 || r.Usage.Total != r.Usage.In+r.Usage.Out {
		t.Errorf("response %+v", r)
	}
	if saw.ResponseStream != saw.Response {
		t.Errorf("streamed %+v, plain %+v", saw.ResponseStream, saw.Response)
	}
	want := []string{
		"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
		"response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
	}
	if !slices.Equal(saw.ResponseEvents, want) {
		t.Errorf("events %v", saw.ResponseEvents)
	}
	if r := saw.ResponseCut; r.Status != "incomplete" || r.Reason != "max_output_tokens" || r.Text != "您好,⟦seen c:K7F3Q2ZA.1⟧" {
		t.Errorf("cut response %+v", r)
	}
	if r := saw.ResponseTool; r.Type != "function_call" || r.Name != "get_order" || r.Arguments != `{"count":2}` || saw.ResponseParsed.Count != 2 {
		t.Errorf("tool %+v, parsed %+v", r, saw.ResponseParsed)
	}
	if e := saw.ResponseBad; e.Status != 400 || value(e.Code) != "unsupported_parameter" {
		t.Errorf("previous_response_id: %+v", e)
	}
	if e := saw.ResponseFailed; e.Type != "error" || value(e.Code) != "service_unavailable" || !strings.Contains(e.Message, "overloaded") {
		t.Errorf("error in the stream: %+v", e)
	}
}

func checkMessages(t *testing.T, saw *apisSaw, answer string) {
	t.Helper()
	if m := saw.Message; m.Text != answer || m.Stop != "end_turn" || m.Usage.In == 0 || m.Usage.Out == 0 {
		t.Errorf("message %+v", m)
	}
	if saw.MessageStream != saw.Message {
		t.Errorf("streamed %+v, plain %+v", saw.MessageStream, saw.Message)
	}
	want := []string{"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"}
	if got := slices.DeleteFunc(saw.MessageEvents, func(e string) bool { return e == "ping" }); !slices.Equal(got, want) {
		t.Errorf("events %v", got)
	}
	if m := saw.MessageStopped; m.Stop != "stop_sequence" || m.Sequence != "结算" || strings.Contains(m.Text, "结算") {
		t.Errorf("stopped message %+v", m)
	}
	if m := saw.MessageTool; m.Stop != "tool_use" || m.Name != "get_order" || m.Input.Count != 2 {
		t.Errorf("tool %+v", m)
	}
	if e := saw.MessageBad; e.Class != "BadRequestError" || e.Type != "invalid_request_error" || !strings.Contains(e.Message, "max_tokens: field required") {
		t.Errorf("without max_tokens: %+v", e)
	}
	if e := saw.MessageBusy; e.Status != 529 || e.Type != "overloaded_error" {
		t.Errorf("529: %+v", e)
	}
	if e := saw.MessageFailed; e.None || e.Type != "overloaded_error" {
		t.Errorf("error in the stream: %+v", e)
	}
}

func checkOthers(t *testing.T, saw *apisSaw, answer string) {
	t.Helper()
	e := saw.Embeddings
	if !slices.Equal(e.Dimensions, []int{1536, 1536, 8}) || !slices.Equal(e.Index, []int{0, 1}) || e.Usage.Prompt != 2 || e.Usage.Total != 2 {
		t.Errorf("embeddings %+v", e)
	}
	if math.Abs(e.Norm-1) > 1e-5 || e.Apart > 1e-6 || math.Abs(e.Cosine) > .15 { // six standard deviations
		t.Errorf("embeddings %+v", e)
	}
	n := saw.Several
	if !slices.Equal(n.Texts, []string{answer, answer, answer}) || !slices.Equal(n.Index, []int{0, 1, 2}) || n.Usage.Completion != 3*saw.Response.Usage.Out {
		t.Errorf("three choices: %+v", n)
	}
	if !slices.Equal(saw.SeveralStream, []string{answer, answer}) {
		t.Errorf("two streamed choices: %v", saw.SeveralStream)
	}
	if m := saw.Moderations; len(m) != 2 || m[0] != [2]any{false, ""} || m[1] != [2]any{true, "illicit/violent"} {
		t.Errorf("moderations %v", m)
	}
	if saw.Azure != "my-gpt" {
		t.Errorf("azure answered as %q", saw.Azure)
	}
	if !slices.Equal(saw.Limits, []string{"2", "1", "100000"}) {
		t.Errorf("limits %v", saw.Limits)
	}
	if u := saw.Reasoning; u.Details.Reasoning != 100 || u.Completion <= 100 {
		t.Errorf("reasoning %+v", u)
	}
	if l := saw.Limited; l.Class != "RateLimitError" || l.Status != 429 || value(l.Code) != "rate_limit_exceeded" || l.Type != "requests" || l.RetryAfter == "" || l.Left != "0" {
		t.Errorf("limited %+v", l)
	}
}

// quota reads a quota.
func quota(t *testing.T, text string) Quota {
	t.Helper()
	var q Quota
	if err := q.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return q
}
