package refserver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
)

// markPattern is what each turn of a history says that no other says.
var markPattern = regexp.MustCompile(`k\d+q\d+z`)

// echoModel answers with the marks in what users said, at once.
func echoModel(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var saw []string
		for _, m := range gjson.GetBytes(b, "messages").Array() {
			if m.Get("role").Str == "user" {
				saw = append(saw, markPattern.FindAllString(m.Get("content").Str, -1)...)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		answer := "看到 " + strings.Join(saw, " ") + " 好的"
		_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": answer}}}})
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// talker holds dialogs with a server and notes what it is answered.
type talker struct {
	server *Server
	client *http.Client
	ended  chan struct{} // one for each try that is over, as long as somebody counts them

	mu            sync.Mutex
	history       []observation
	indeterminate map[string]int
	tickets       map[string]string // id to its user
	answered      int
}

// talk is one dialog of a user, until stop is closed: each turn is sent until it has
// an answer, some are sent twice at once, and some clients do not wait.
func (k *talker) talk(t *testing.T, number int, stop <-chan struct{}) {
	uid := fmt.Sprintf("u%d", number)
	tok := tokenFor(t, uid)
	id := ""
	for n := 1; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		mark, turnID := fmt.Sprintf("k%dq%dz", number, n), fmt.Sprintf("%s-%d", uid, n)
		text := "随便聊聊 " + mark
		if n%9 == 0 {
			text = "我要投诉 " + mark
		}
		body := fmt.Sprintf(`{"text":%q,"turn_id":%q,"dialog_id":%q}`, text, turnID, id)
		if id == "" {
			body = fmt.Sprintf(`{"text":%q,"turn_id":%q}`, text, turnID)
		}
		got := ""
		for try := 0; try < 6 && got == ""; try++ {
			if n%5 == 0 && try == 0 {
				k.post(tok, body, time.Millisecond) // leaves before the answer
			}
			if n%4 == 0 {
				var twin sync.WaitGroup
				twin.Go(func() { k.note(uid, mark, turnID, k.post(tok, body, 3*time.Second)) })
				got = k.note(uid, mark, turnID, k.post(tok, body, 3*time.Second))
				twin.Wait()
				continue
			}
			got = k.note(uid, mark, turnID, k.post(tok, body, 3*time.Second))
		}
		if got == "" {
			k.mu.Lock()
			k.indeterminate[uid]++
			k.mu.Unlock()
			continue
		}
		if id == "" {
			id = got
		}
	}
}

// more waits until n more tries are over: turns were held meanwhile.
func (k *talker) more(n int) {
	for range n {
		<-k.ended
	}
}

// post gives the body of a 200, or "".
func (k *talker) post(tok, body string, limit time.Duration) string {
	defer func() {
		select {
		case k.ended <- struct{}{}:
		default:
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.server.URL()+"/v1/chat", strings.NewReader(body))
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+tok)
	resp, err := k.client.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(b)
}

// note keeps an answer and gives the id of its dialog.
func (k *talker) note(uid, mark, turnID, body string) string {
	if body == "" {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answered++
	r := gjson.Parse(body)
	o := observation{
		dialog: uid, turnID: turnID, mark: mark, body: body, seq: int(r.Get("seq").Int()), epoch: r.Get("epoch").Int(), status: r.Get("context.status").Str,
		persisted: r.Get("persisted").Bool(), byModel: r.Get("source").Str == "llm", order: len(k.history),
	}
	if o.byModel {
		o.saw = markPattern.FindAllString(r.Get("answer").Str, -1)
	}
	if !o.persisted {
		k.indeterminate[uid]++ // it may be kept all the same, as its answer does not promise
	}
	if id := r.Get("ticket.id").Str; id != "" {
		k.tickets[id] = uid
	}
	k.history = append(k.history, o)
	return r.Get("dialog_id").Str
}

// Turns of many dialogs while Redis is slowed, cut off, emptied and spoilt: whatever
// happens, what clients were answered keeps G1 to G6.
func TestGuaranteesUnderFire(t *testing.T) {
	llm := echoModel(t)
	onEachRedis(t, func(t *testing.T, redisURL string) {
		for _, f := range faults() {
			t.Run(f.name, func(t *testing.T) { holdDialogsUnder(t, &f, llm, redisURL) })
		}
	})
}

// holdDialogsUnder holds dialogs with a server under a fault, and what its clients
// were answered against the guarantees.
func holdDialogsUnder(t *testing.T, f *fault, llm, redisURL string) {
	way := newDeafRedis(t, redisURL)
	s := startServer(t, llm, func(c *Config) {
		c.Redis = way.url
		c.Knobs = map[string]string{"redis.timeout": "60ms", "limit.user": "0/s", "limit.global": "0/s", "cache.hot": "0s", "gray.share": "0%", "admission.hold": "10ms"}
		maps.Copy(c.Knobs, f.knobs)
	})
	s.redis.FlushAll(t.Context())
	k := &talker{server: s, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, ended: make(chan struct{}), indeterminate: map[string]int{}, tickets: map[string]string{}}
	defer k.client.CloseIdleConnections()
	stop := make(chan struct{})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() { k.talk(t, n, stop) })
	}
	f.do(t, k, way)
	k.more(30)
	close(stop)
	all.Wait()
	if k.answered < 50 {
		t.Errorf("%d answers: too few to say anything", k.answered)
	}
	byModel := 0
	for _, o := range k.history {
		if o.byModel {
			byModel++
		}
	}
	if byModel < len(k.history)/4 {
		t.Errorf("%d of %d answers are the model's, too few to say what it saw", byModel, len(k.history))
	}
	t.Logf("%d answers, %d by the model", len(k.history), byModel)
	if unkept := slices.ContainsFunc(k.history, func(o observation) bool { return !o.persisted }); f.unkept && !unkept {
		t.Error("every answer was kept: nothing was wrong with Redis")
	}
	for _, v := range violations(k.history, k.indeterminate) {
		t.Error(v)
	}
	k.checkTickets(t, f.loses)
}

// checkTickets: each ticket that was promised is there for its owner, in one place.
func (k *talker) checkTickets(t *testing.T, mayBeLost bool) {
	t.Helper()
	waitFor(t, func() bool { return k.server.desk.Journaled() == 0 })
	for id, uid := range k.tickets {
		var r reply
		waitFor(t, func() bool { // until Redis is met again, and what it lost is filed again
			r = send(t, "GET", k.server.URL()+"/v1/tickets/"+id, tokenFor(t, uid), "")
			return r.status == 200 || r.status != 503 && !mayBeLost
		})
		if r.status != 200 || r.get("state").String() != "open" {
			t.Errorf("G6: ticket %s: %d %s", id, r.status, r.body)
		}
		if !k.server.ids.Owns(id, dialog.IDTicket, dialog.Owner{Tenant: "default", UID: uid}) {
			t.Errorf("G4: ticket %s is not of %s", id, uid)
		}
	}
}
