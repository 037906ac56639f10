package refserver

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
)

func TestAsyncTurn(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	tok := tokenFor(t, "u1")
	dialog := ""
	for i := 1; i <= 2; i++ {
		body := fmt.Sprintf(`{"text":"第%d句 ⟦c:AAAAAAAA.%d⟧"}`, i, i)
		if dialog != "" {
			body = fmt.Sprintf(`{"text":"第%d句 ⟦c:AAAAAAAA.%d⟧","dialog_id":%q}`, i, i, dialog)
		}
		r := send(t, "POST", s.URL()+"/v1/chat", tok, body, "Prefer", "respond-async")
		if r.status != 202 || r.get("status").String() != "queued" || r.header.Get("Retry-After") == "" {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
		job := send(t, "GET", s.URL()+r.header.Get("Location"), tok, "")
		job.want(t, "status", "done")
		job.want(t, "result.answer", fmt.Sprintf("answer %d", i))
		job.want(t, "result.seq", fmt.Sprint(i))
		job.want(t, "result.context.turns", fmt.Sprint(i))
		job.want(t, "result.context.status", map[int]string{1: "new", 2: "ok"}[i])
		job.want(t, "result.job", r.get("job").String())
		dialog = job.get("result.dialog_id").String()
		if dialog != r.get("dialog_id").String() {
			t.Errorf("dialog %s, announced %s", dialog, r.get("dialog_id"))
		}
		again := send(t, "GET", s.URL()+r.get("url").String(), tok, "")
		if again.body != job.body {
			t.Errorf("asked again: %s", again.body)
		}
	}
	if !strings.Contains(l.body(1), "⟦c:AAAAAAAA.1⟧") {
		t.Error("the second job did not see the first turn")
	}
}

func TestCancelledJobStaysCancelled(t *testing.T) {
	l := newScriptedLLM(t)
	entered := make(chan struct{})
	l.set(func(_ int, r *http.Request, _ string) (int, string) {
		close(entered)
		<-r.Context().Done()
		return 200, "too late"
	})
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "llm.timeout", "20s", "chat.degrade_at", "20s", "chat.deadline", "20s", "llm.attempts", "1"))
	tok := tokenFor(t, "u1")
	r := send(t, "POST", s.URL()+"/v1/chat/async", tok, `{"text":"慢慢想"}`)
	<-entered
	url := s.URL() + r.get("url").String()
	send(t, "GET", url, tok, "").want(t, "status", "running")
	send(t, "DELETE", url, tok, "").want(t, "status", "cancelled")
	send(t, "GET", url+"?wait=1s", tok, "").want(t, "status", "cancelled")
	send(t, "DELETE", url, tok, "").want(t, "status", "cancelled")
	if r := send(t, "GET", s.URL()+"/v1/jobs/"+s.ids.Mint(dialog.IDJob, dialog.Owner{Tenant: "default", UID: "u1"}), tok, ""); r.status != 410 {
		t.Errorf("a job that never was: %d", r.status)
	}
	if r := send(t, "GET", url+"?wait=long", tok, ""); r.status != 422 {
		t.Errorf("wait=long: %d", r.status)
	}
}

// Polls that wait are bounded for each user; one that does not wait is not.
func TestWaitingPollsHaveALimit(t *testing.T) {
	l := newScriptedLLM(t)
	release := make(chan struct{})
	l.set(func(int, *http.Request, string) (int, string) { <-release; return 200, "好的" })
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.polls_user", "2", "llm.timeout", "20s", "chat.degrade_at", "20s", "chat.deadline", "20s"))
	tok := tokenFor(t, "u1")
	url := s.URL() + send(t, "POST", s.URL()+"/v1/chat/async", tok, `{"text":"慢慢想"}`).get("url").String()
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { send(t, "GET", url+"?wait=10s", tok, "").want(t, "status", "done") })
	}
	waitFor(t, func() bool {
		return strings.Contains(send(t, "GET", s.AdminURL()+"/metrics", "", "").body, "\nchat_polls_waiting 2\n")
	})
	if r := send(t, "GET", url+"?wait=10s", tok, ""); r.status != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("a third: %d %s", r.status, r.body)
	}
	if r := send(t, "GET", url, tok, ""); r.status != 200 {
		t.Errorf("without waiting: %d %s", r.status, r.body)
	}
	close(release)
	all.Wait()
}

// Jobs of one dialog run in the order they were queued, and none fails because
// another is under way.
func TestJobsOfOneDialogRunInOrder(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.user", "0/s"))
	tok := tokenFor(t, "u1")
	id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
	var jobs []string
	for n := range 5 {
		r := send(t, "POST", s.URL()+"/v1/chat/async", tok, fmt.Sprintf(`{"text":"第%d件事","dialog_id":%q,"turn_id":"t-%d"}`, n, id, n))
		if r.status != 202 {
			t.Fatalf("job %d: %d %s", n, r.status, r.body)
		}
		jobs = append(jobs, r.get("job").String())
	}
	for n, job := range jobs {
		r := send(t, "GET", s.URL()+"/v1/jobs/"+job+"?wait=10s", tok, "")
		r.want(t, "status", "done")
		if got := r.get("result.seq").Int(); got != int64(n+2) {
			t.Errorf("job %d has seq %d, want %d: %s", n, got, n+2, r.body)
		}
	}
}

// A worker died between the commit of the turn and the end of the job: the
// turn happens once, and who takes the job over answers with what was committed.
func TestAJobTakenOverAnswersWhatWasCommitted(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	who := dialog.Owner{Tenant: "default", UID: "u1"}
	job := jobs.Job{
		ID: s.ids.Mint(dialog.IDJob, who), Tenant: who.Tenant, UID: who.UID, DialogID: s.ids.Mint(dialog.IDDialog, who), New: true,
		TurnID: "t-1", Text: "一次就好", Hash: dialog.TextHash("一次就好"),
	}
	first, code := s.chat.AnswerJob(t.Context(), job)
	if code != "" || !strings.Contains(string(first), `"seq":1`) {
		t.Fatalf("%q %s", code, first)
	}
	again, code := s.chat.AnswerJob(t.Context(), job)
	if code != "" || string(again) != string(first) {
		t.Errorf("taken over: %q %s, before %s", code, again, first)
	}
	if l.calls() != 1 {
		t.Errorf("%d model calls, want 1", l.calls())
	}
}
