package mockllm

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cstest/cstest/mockllm/config"
)

// admin sends a request to the admin API.
func admin(t *testing.T, s *Server, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.AdminURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	text, res := roundTrip(t, http.DefaultClient, req)
	return res.StatusCode, text
}

func TestAdminConfig(t *testing.T) {
	s, dial := tcp(t, Config{Seed: 9, Latency: Constant(1)})
	status, text := admin(t, s, "PUT", "/mock/config", `{"seed":4,"echo_context":true,"ttl":"10m",
		"answers":[{"match":".","say":"好"}],"faults":[{"name":"f","kind":"status","share":"50%","at":"1h"}]}`)
	if status != 200 || !strings.Contains(text, `"seed":4`) {
		t.Fatalf("%d %s", status, text)
	}
	if _, text := ask(t, dial, chatPath, hello); parse[chunk](t, text).Choices[0].Message.Content != "好⟦seen⟧" {
		t.Errorf("answer %s", text)
	}
	cfg := s.Config()
	if cfg.Seed != 4 || cfg.Latency != (Latency{}) || cfg.JournalRecords != config.DefaultJournal || len(cfg.Faults) != 1 {
		t.Errorf("in force: %+v", cfg)
	}
	status, text = admin(t, s, "GET", "/mock/faults", "")
	faults := parse[faultsBody](t, text)
	if status != 200 || len(faults.Faults) != 1 || faults.Faults[0].Share != .5 || faults.TTL.D().Minutes() < 9.9 {
		t.Errorf("%d %s", status, text)
	}
	if status, text = admin(t, s, "GET", "/mock/config", ""); status != 200 || !strings.Contains(text, `"say":"好"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text = admin(t, s, "PUT", "/mock/config", text); status != 200 {
		t.Errorf("what GET shows cannot be PUT: %d %s", status, text)
	}
	for body, want := range map[string]string{
		`{"sead":1}`:                       `sead: unknown key; did you mean "seed"?`,
		`{"ttl":"48h"}`:                    "ttl: must be from 0s",
		`{"listen":"127.0.0.1:1"}`:         "listen: cannot change while the server runs",
		`{"admin_token":"0123456789abcd"}`: "admin_token: cannot change",
		`{"journal_records":"5"}`:          "journal_records: cannot change",
		`{"faults":[{"kind":"x"}]}`:        "faults[0].kind: must be one of",
		`nonsense`:                         "json: ",
	} {
		if status, text := admin(t, s, "PUT", "/mock/config", body); status != 400 || !strings.Contains(parse[errorBody](t, text).Error.Message, want) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if s.Config().Seed != 4 {
		t.Error("a refused configuration was applied")
	}
}

func TestAdminFaultsEpochFactsJournalReset(t *testing.T) {
	s, dial := tcp(t, Config{JournalRecords: 5})
	if status, text := admin(t, s, "PUT", "/mock/epoch", `{"starts_in_ms":1e9}`); status != 400 {
		t.Errorf("%d %s", status, text)
	}
	if status, text := admin(t, s, "PUT", "/mock/epoch", `{"starts_in_ms":-1500.5}`); status != 200 || s.Facts().NowNs < 1500e6 {
		t.Errorf("%d %s", status, text)
	}
	if status, text := admin(t, s, "PUT", "/mock/faults", `{"faults":[{"kind":"status","status":500}]}`); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	for i := range 8 {
		ask(t, dial, chatPath, hello, "traceparent", trace(i))
	}
	_, text := admin(t, s, "GET", "/mock/facts", "")
	facts := parse[Facts](t, text)
	if !facts.EpochSet || facts.Calls != 8 || facts.Outcomes["status_500"] != 8 || len(facts.Phases) != 1 || facts.NowNs < facts.Phases[0].StartNs {
		t.Errorf("facts %s", text)
	}
	_, text = admin(t, s, "GET", "/mock/journal?limit=3", "")
	page := parse[journalBody](t, text)
	if len(page.Records) != 3 || page.Lost != 3 || page.Records[0].Seq != 4 || page.Next != 6 || page.Records[0].TraceID != trace(3)[3:35] || len(page.Phases) != 1 {
		t.Errorf("journal %s", text)
	}
	_, text = admin(t, s, "GET", "/mock/journal?after=6&limit=3", "")
	if page = parse[journalBody](t, text); len(page.Records) != 2 || page.Lost != 0 || page.Next != 8 {
		t.Errorf("journal %s", text)
	}
	_, text = admin(t, s, "GET", "/mock/journal?after=8", "")
	if page = parse[journalBody](t, text); page.Records == nil || len(page.Records) != 0 || page.Next != 8 {
		t.Errorf("journal %s", text)
	}
	if status, _ := admin(t, s, "GET", "/mock/journal?after=x", ""); status != 400 {
		t.Errorf("after=x: %d", status)
	}
	if status, _ := admin(t, s, "POST", "/mock/reset", ""); status != 204 {
		t.Errorf("reset: %d", status)
	}
	if f := s.Facts(); f.EpochSet || f.Calls != 0 || len(f.Phases) != 0 || len(s.Config().Faults) != 0 || len(records(s)) != 0 {
		t.Errorf("after reset: %+v", f)
	}
	if res, _ := ask(t, dial, chatPath, hello, "traceparent", trace(0)); res.StatusCode != http.StatusOK || records(s)[0].Attempt != 1 {
		t.Errorf("after reset: %d %+v", res.StatusCode, records(s))
	}
	if _, text := admin(t, s, "GET", "/metrics", ""); !strings.Contains(text, `mockllm_outcomes_total{outcome="status_500"} 8`) {
		t.Errorf("counters must not go back: %s", text)
	}
}

func TestAdminIsForThisMachineOnly(t *testing.T) {
	s, _ := tcp(t, Config{})
	for _, tt := range []struct {
		header, value string
		status        int
	}{
		{"Host", "localhost:99", 200},
		{"Host", "[::1]:99", 200},
		{"Host", "evil.example", 403},
		{"Host", "10.1.2.3:80", 403},
	} {
		if status, text := admin(t, s, "GET", "/mock/facts", "", tt.header, tt.value); status != tt.status {
			t.Errorf("%s %s: %d %s", tt.header, tt.value, status, text)
		}
	}
	if status, _ := admin(t, s, "POST", "/mock/reset", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Errorf("a page of another site may reset: %d", status)
	}
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "example.com:0", "nonsense"} {
		if other, err := Start(Config{AdminListen: addr}); err == nil || !strings.Contains(err.Error(), "admin_token") {
			t.Errorf("%s without a token: %v", addr, err)
			if err == nil {
				_ = other.Close()
			}
		}
	}
}

func TestAdminToken(t *testing.T) {
	const token = "correct-horse-battery"
	if _, err := Start(Config{AdminToken: "short"}); err == nil {
		t.Error("took a short token")
	}
	s, _ := tcp(t, Config{AdminListen: "0.0.0.0:0", AdminToken: token})
	for given, want := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer ": 401, "Bearer " + token: 200} {
		status, text := admin(t, s, "GET", "/mock/config", "", "Authorization", given)
		if status != want || strings.Contains(text, token) {
			t.Errorf("%q: %d %s", given, status, text)
		}
	}
	res, err := http.Get(s.URL() + "/mock/facts")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("the public listener has the admin API: %d", res.StatusCode)
	}
}
