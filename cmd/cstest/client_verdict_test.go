package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// bot is a small chat server before a model, good or bad at being its client, that keeps
// its own account of what it did.
type bot struct {
	model   string                                          // base URL
	tries   int                                             // of a request
	wait    func(try int, told time.Duration) time.Duration // before a try from 2 on
	stands  func(status int) bool                           // tells what is tried again
	passes  bool                                            // a broken answer on
	deaf    bool                                            // to users who leave
	untied  bool                                            // keeps the trace id to itself
	places  chan struct{}                                   // of calls; nil: as many as there are
	patient time.Duration                                   // with the model

	mu       sync.Mutex
	told     int64 // answers with Retry-After
	again    int64 // calls repeated before that time
	refused  int64 // 4xx that mean it
	insisted int64 // calls repeated after one
	passed   int64 // broken answers passed on
	seconds  int64 // requests tried at least three times
}

var errBroken = errors.New("the answer broke off")

func (b *bot) count(n *int64) {
	b.mu.Lock()
	*n++
	b.mu.Unlock()
}

// ServeHTTP answers a user.
func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Text string }
	if json.NewDecoder(r.Body).Decode(&asked) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	if b.deaf {
		ctx = context.Background()
	}
	text, err := b.ask(ctx, r.Header.Get("Traceparent"), asked.Text)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, `{"code":50210,"msg":"model: %s","phone":"13912345678"}`, strings.ReplaceAll(err.Error(), `"`, "'"))
		return
	}
	fmt.Fprintf(w, `{"reply":%q}`, text)
}

// ask asks the model as often as the bot does.
func (b *bot) ask(ctx context.Context, trace, text string) (answer string, err error) {
	for try := 1; ; try++ {
		var status int
		var told time.Duration
		answer, status, told, err = b.call(ctx, trace, text)
		if told > 0 {
			b.count(&b.told)
		}
		mustNot := status >= 400 && status < 500 && status != http.StatusTooManyRequests
		if mustNot {
			b.count(&b.refused)
		}
		if errors.Is(err, errBroken) && b.passes {
			b.count(&b.passed)
			return answer, nil
		}
		if err == nil || try >= b.tries || b.stands != nil && !b.stands(status) {
			return answer, err
		}
		pause := b.wait(try, told)
		if told > 0 && pause < told {
			b.count(&b.again)
		}
		if mustNot {
			b.count(&b.insisted)
		}
		if try == 2 {
			b.count(&b.seconds)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// call asks the model once and reads its stream.
func (b *bot) call(ctx context.Context, trace, text string) (answer string, status int, told time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.patient)
	defer cancel()
	if b.places != nil {
		select {
		case b.places <- struct{}{}:
			defer func() { <-b.places }()
		case <-ctx.Done():
			return "", 0, 0, ctx.Err()
		}
	}
	body := fmt.Sprintf(`{"model":"m","stream":true,"messages":[{"role":"user","content":%q}]}`, text)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.model+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return "", 0, 0, err
	}
	if !b.untied {
		req.Header.Set("Traceparent", trace)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, 0, err
	}
	defer resp.Body.Close()
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		told = time.Duration(s) * time.Second
	}
	if resp.StatusCode != http.StatusOK {
		return "", resp.StatusCode, told, fmt.Errorf("status %d", resp.StatusCode)
	}
	var out strings.Builder
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if data == "[DONE]" {
			return out.String(), 200, 0, nil
		}
		var event struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if ok && json.Unmarshal([]byte(data), &event) == nil && len(event.Choices) > 0 {
			out.WriteString(event.Choices[0].Delta.Content)
		}
	}
	return out.String(), 200, 0, errBroken
}

func constantly(d time.Duration) func(int, time.Duration) time.Duration {
	return func(int, time.Duration) time.Duration { return d }
}

// politely waits as told, else doubles.
func politely(try int, told time.Duration) time.Duration {
	if told > 0 {
		return told + 10*time.Millisecond
	}
	return 100 * time.Millisecond << (2 * (try - 1))
}

// botRun is a scenario for a bot.
const botRun = `version: 1
name: bot
seed: 5
target:
  url: %s
  api: custom
  request: {path: /talk, body: {text: "${turn.text}"}}
  response: {answer: reply}
  timeout: 1s
llm:
  %s
  latency: {constant: 20ms}
  faults: [%s]
load:
  arrivals: constant
  stages: [{name: steady, for: %s, starts: 30/s}]
  drain: 10s
conversations: [{name: c, turns: [{say: 我有一张满减优惠券怎么用}]}]
checks: {memory: off}
sla:
  availability: 1%%
  client: {calls_per_turn: 1.5, retry_after: 95%%, retries_after_4xx: 0, after_user_left: 0, broken_passed_on: 0, backoff: true, in_flight: 20}
`

// runBot runs a load against a bot whose model is cstest's own.
func runBot(t *testing.T, b *bot, faults, length string, args ...string) (*result.Document, map[scenario.ClientFinding]result.ClientFinding) {
	t.Helper()
	addr := freeAddress(t)
	b.model = "http://" + addr
	return runBotAt(t, b, "listen: '"+addr+"'", faults, length, args...)
}

func runBotAt(t *testing.T, b *bot, llm, faults, length string, args ...string) (*result.Document, map[scenario.ClientFinding]result.ClientFinding) {
	t.Helper()
	if b.patient == 0 {
		b.patient = 5 * time.Second
	}
	web := httptest.NewServer(b)
	t.Cleanup(web.Close)
	dir := filepath.Join(t.TempDir(), "result")
	r := cstest(t, append([]string{"run", write(t, fmt.Sprintf(botRun, web.URL, llm, faults, length)), "--results-dir", dir, "--quiet", "--no-tui"}, args...)...)
	doc := open(t, dir)
	if doc.Client == nil {
		t.Fatalf("nothing is told of the client\n%q\n%s", doc.Warnings, r.stderr)
	}
	found := map[scenario.ClientFinding]result.ClientFinding{}
	for _, f := range doc.Client.Findings {
		found[f.Name] = f
	}
	return doc, found
}

// finds holds a finding against the bot's own account.
func finds(t *testing.T, f result.ClientFinding, state string, n, of int64) {
	t.Helper()
	if f.State != state || f.N != n || f.Of != of {
		t.Errorf("%s: %s, %d of %d; want %s, %d of %d\n%s", f.Name, f.State, f.N, f.Of, state, n, of, f.Reason)
	}
	if n > 0 && (len(f.Examples) == 0 || len(f.Examples[0].TraceID) != 32) {
		t.Errorf("%s: examples %+v", f.Name, f.Examples)
	}
}

func verdictIs(t *testing.T, doc *result.Document, name, want string) {
	t.Helper()
	for _, o := range doc.Objectives {
		if o.Name == name {
			if o.Verdict != want {
				t.Errorf("%s is %s, want %s: %s", name, o.Verdict, want, o.Reason)
			}
			return
		}
	}
	t.Errorf("no objective %s", name)
}

const (
	busyFault  = "{name: busy, at: 1s, for: 2s, kind: status, status: 503, share: 100%, retry_after: 1s}"
	downFault  = "{name: down, at: 1s, for: 2s, kind: status, status: 503, share: 100%}"
	wrongFault = "{name: wrong, at: 1s, for: 2s, kind: status, status: 400, share: 100%}"
	cutFault   = "{name: cut, at: 1s, for: 2s, kind: truncate, chunks: 8, share: 100%}"
	hangFault  = "{name: hang, at: 1s, for: 2s, kind: hang, share: 100%}"
)

func TestClientThatDoesNotWaitAsTold(t *testing.T) {
	t.Parallel()
	b := &bot{tries: 3, wait: constantly(50 * time.Millisecond)}
	doc, found := runBot(t, b, busyFault, "4s")
	finds(t, found[scenario.ClientRetryAfter], "found", b.again, b.told)
	verdictIs(t, doc, "client-retry-after", "fail")
	if f := found[scenario.ClientCallsPerTurn]; f.State != "found" || f.Figure == nil || *f.Figure < 2 || *f.Figure > 3 {
		t.Errorf("three calls a turn in the storm: %+v", f)
	}
	verdictIs(t, doc, "client-calls-per-turn", "fail")
	if len(doc.Errors) == 0 || !strings.Contains(doc.Errors[0].Sample, `{"code":50210,"msg":"model: status 503","phone":"***"}`) {
		t.Errorf("the sample of an error: %+v", doc.Errors)
	}
}

func TestClientThatRetriesWhatIsWrong(t *testing.T) {
	t.Parallel()
	b := &bot{tries: 2, wait: politely}
	doc, found := runBot(t, b, wrongFault, "4s")
	finds(t, found[scenario.ClientRetries4xx], "found", b.insisted, b.refused)
	verdictIs(t, doc, "client-retries-after-4xx", "fail")
}

func TestClientWithoutBackoff(t *testing.T) {
	t.Parallel()
	b := &bot{tries: 3, wait: constantly(150 * time.Millisecond)}
	doc, found := runBot(t, b, downFault, "4s")
	f := found[scenario.ClientBackoff]
	if f.State != "found" || f.Of != b.seconds || !strings.Contains(f.Reason, "do not back off") {
		t.Errorf("%+v, %d requests were tried three times", f, b.seconds)
	}
	verdictIs(t, doc, "client-backoff", "fail")
	finds(t, found[scenario.ClientRetryAfter], "not_seen", 0, 0)
	verdictIs(t, doc, "client-retry-after", "inconclusive")
}

func TestClientThatPassesOnWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"one process": nil, "two processes": {"--processes", "2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bot{tries: 1, passes: true}
			doc, found := runBot(t, b, cutFault, "4s", args...)
			if b.passed < 30 || doc.Counts.OK != doc.Counts.Turns {
				t.Fatalf("passed %d on, counts %+v", b.passed, doc.Counts)
			}
			finds(t, found[scenario.ClientBroken], "found", b.passed, b.passed)
			verdictIs(t, doc, "client-broken-passed-on", "fail")
		})
	}
}

func TestClientThatGoesOnForNobody(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"one process": nil, "two processes": {"--processes", "2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bot{tries: 1, deaf: true, patient: 4 * time.Second}
			doc, found := runBot(t, b, hangFault, "4s", args...)
			if doc.Counts.Timeout < 30 {
				t.Fatalf("counts %+v", doc.Counts)
			}
			finds(t, found[scenario.ClientAfterLeft], "found", doc.Counts.Timeout, doc.Counts.Timeout)
			verdictIs(t, doc, "client-after-user-left", "fail")
			if f := found[scenario.ClientInFlight]; f.Figure == nil || *f.Figure < 30 {
				t.Errorf("calls open at a time: %+v", f)
			}
			verdictIs(t, doc, "client-in-flight", "fail")
		})
	}
}

// A client that has none of it, in front of every fault; and the same one, of which
// nothing can be told because it keeps the trace ids to itself.
func TestGoodClient(t *testing.T) {
	t.Parallel()
	faults := []string{
		strings.ReplaceAll(busyFault, "100%", "50%"), "{name: down, at: 4s, for: 2s, kind: fail-first, attempts: 2, status: 503}",
		strings.ReplaceAll(wrongFault, "at: 1s", "at: 7s"), strings.ReplaceAll(cutFault, "at: 1s", "at: 10s"),
		strings.ReplaceAll(hangFault, "at: 1s", "at: 13s"),
	}
	good := func() *bot {
		return &bot{
			tries: 3, wait: politely, places: make(chan struct{}, 16),
			stands: func(status int) bool { return status >= 500 || status == http.StatusTooManyRequests },
		}
	}
	t.Run("tied", func(t *testing.T) {
		t.Parallel()
		b := good()
		doc, found := runBot(t, b, strings.Join(faults, ", "), "16s", "--set", "target.timeout=3s")
		for _, what := range scenario.ClientFindings() {
			if f := found[what]; f.State != "none" && what != scenario.ClientCallsPerTurn || f.N != 0 && what != scenario.ClientCallsPerTurn && what != scenario.ClientInFlight && what != scenario.ClientBackoff {
				t.Errorf("%s: %+v", what, f)
			}
		}
		if found[scenario.ClientRetryAfter].Of != b.told || found[scenario.ClientRetries4xx].Of != b.refused {
			t.Errorf("told to wait %d, refused %d; %+v", b.told, b.refused, found)
		}
		if f := found[scenario.ClientInFlight]; f.Figure == nil || *f.Figure > 16 {
			t.Errorf("the cap is 16: %+v", f)
		}
		for _, name := range []string{"retry-after", "retries-after-4xx", "after-user-left", "broken-passed-on", "backoff", "in-flight"} {
			verdictIs(t, doc, "client-"+name, "pass")
		}
	})
	t.Run("untied", func(t *testing.T) {
		t.Parallel()
		b := good()
		b.untied = true
		doc, found := runBot(t, b, strings.Join(faults[:2], ", "), "6s")
		for _, what := range scenario.ClientFindings()[1:6] {
			if f := found[what]; f.State != "not_seen" || !strings.Contains(f.Reason, "trace id") {
				t.Errorf("%s: %+v", what, f)
			}
		}
		verdictIs(t, doc, "client-retry-after", "inconclusive")
		if doc.Client.Tied != 0 || doc.Client.Calls < 100 || doc.Verdict == "pass" {
			t.Errorf("%+v, verdict %s", doc.Client, doc.Verdict)
		}
	})
}

// A model that runs already tells the same.
func TestClientOfAModelThatRunsAlready(t *testing.T) {
	t.Parallel()
	s := mockllm.RunT(t, mockllm.Config{})
	b := &bot{model: s.URL(), tries: 1, passes: true}
	_, found := runBotAt(t, b, "admin: '"+s.AdminURL()+"'", cutFault, "4s")
	finds(t, found[scenario.ClientBroken], "found", b.passed, b.passed)
}
