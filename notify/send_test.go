package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/notify"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

var at = time.UnixMilli(1700000000123)

// got is what a receiver was sent.
type got struct {
	query   map[string][]string
	headers http.Header
	raw     []byte
	body    map[string]any
}

// send has a message arrive at a receiver that answers with a text.
func send(t *testing.T, kind scenario.Receiver, secret, answer string, m *notify.Message) (got, error) {
	t.Helper()
	var g got
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.query, g.headers = r.URL.Query(), r.Header
		g.raw, _ = io.ReadAll(r.Body)
		_ = json.Unmarshal(g.raw, &g.body)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	err := notify.Receiver{Kind: kind, URL: server.URL + "/robot?access_token=T0KEN", Secret: secret}.Send(t.Context(), m, at)
	return g, err
}

func document() *result.Document {
	answered, p99 := 0.992, int64(412_000_000)
	d := &result.Document{RunID: "r-1", Verdict: "fail", ExitCode: 10, Reasons: []string{"objective <b>@all</b> [x](http://evil) failed\n# head"}}
	d.Scenario.Name = "sale*"
	d.Availability.Answers, d.Latency.Response.P99Ns = &answered, &p99
	d.Counts.Turns, d.Counts.OK = 1000, 900
	return d
}

func message() *notify.Message {
	return notify.New(document(), "https://ci.example/run?a=1&b=(2)", reason.English)
}

func TestMessageHasNoMarkup(t *testing.T) {
	m := message()
	if m.Title != "cstest sale＊: fail" || m.Numbers != [3]string{"answered 99.2 %", "P99 412 ms", "1,000 turns, 90 % of full quality"} {
		t.Errorf("%q %q", m.Title, m.Numbers)
	}
	if strings.ContainsAny(m.Why, "<>@[]#*`\n") || !strings.Contains(m.Why, "failed") {
		t.Errorf("why %q", m.Why)
	}
	if zh := notify.New(document(), "", reason.Chinese); zh.Numbers[0] != "已应答 99.2 %" || !strings.Contains(zh.Title, "不通过") {
		t.Errorf("%q %q", zh.Title, zh.Numbers)
	}
	if empty := notify.New(&result.Document{}, "", reason.English); empty.Numbers[1] != "P99 –" {
		t.Errorf("%q", empty.Numbers)
	}
}

// As DingTalk documents it: sign is HMAC-SHA256 of "timestamp\nsecret" with the secret
// as key, in Base64, and timestamp is in milliseconds; both stand in the address.
func TestDingTalk(t *testing.T) {
	g, err := send(t, scenario.DingTalk, "SECx", `{"errcode":0,"errmsg":"ok"}`, message())
	if err != nil || g.query["access_token"][0] != "T0KEN" || g.query["timestamp"][0] != "1700000000123" || g.query["sign"][0] != of("SECx", "1700000000123\nSECx") {
		t.Errorf("%v: %v", g.query, err)
	}
	md := g.body["markdown"].(map[string]any)
	if g.body["msgtype"] != "markdown" || !strings.Contains(md["text"].(string), "P99 412 ms") || !strings.Contains(md["text"].(string), "(https://ci.example/run?a=1&b=%282%29)") {
		t.Errorf("%v", g.body)
	}
	if _, err := send(t, scenario.DingTalk, "", `{"errcode":310000,"errmsg":"sign not match"}`, message()); err == nil || err.Error() != "it refuses: 310000 sign not match" {
		t.Errorf("refused with %v", err)
	}
}

func of(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// As Feishu documents it: sign is HMAC-SHA256 of nothing with "timestamp\nsecret" as
// key, in Base64, and timestamp is in seconds; both stand in the body.
func TestFeishu(t *testing.T) {
	g, err := send(t, scenario.Feishu, "s3", `{"code":0,"msg":"success"}`, message())
	if err != nil || g.body["timestamp"] != "1700000000" || g.body["sign"] != of("1700000000\ns3", "") || g.body["msg_type"] != "text" {
		t.Errorf("%v: %v", g.body, err)
	}
	text := g.body["content"].(map[string]any)["text"].(string)
	if !strings.HasPrefix(text, "cstest sale＊: fail\nanswered 99.2 % · P99 412 ms · ") || !strings.HasSuffix(text, "\nhttps://ci.example/run?a=1&b=(2)") {
		t.Errorf("%q", text)
	}
	if _, err := send(t, scenario.Feishu, "s3", `{"code":19021,"msg":"sign match fail"}`, message()); err == nil || !strings.Contains(err.Error(), "19021 sign match fail") {
		t.Errorf("refused with %v", err)
	}
}

func TestWeComAndSlack(t *testing.T) {
	g, err := send(t, scenario.WeCom, "", `{"errcode":0}`, message())
	if err != nil || !strings.Contains(g.body["markdown"].(map[string]any)["content"].(string), "### cstest sale＊: fail\nanswered") {
		t.Errorf("%v: %v", g.body, err)
	}
	if _, err := send(t, scenario.WeCom, "", `<html>`, message()); err == nil || !strings.Contains(err.Error(), "it answers") {
		t.Errorf("a web page: %v", err)
	}
	g, err = send(t, scenario.Slack, "", "ok", message())
	if err != nil || !strings.Contains(g.body["text"].(string), "<https://ci.example/run?a=1&amp;b=(2)>") {
		t.Errorf("%v: %v", g.body, err)
	}
}

func TestWebhook(t *testing.T) {
	g, err := send(t, scenario.Webhook, "k", "", message())
	h := hmac.New(sha256.New, []byte("k"))
	h.Write([]byte("1700000000." + string(g.raw)))
	if err != nil || g.headers.Get("X-Cstest-Timestamp") != "1700000000" || g.headers.Get("X-Cstest-Signature") != "sha256="+hex.EncodeToString(h.Sum(nil)) {
		t.Errorf("%v: %v", g.headers, err)
	}
	if g.body["verdict"] != "fail" || g.body["exit_code"] != 10.0 || g.body["run_id"] != "r-1" || g.body["answered"] != 0.992 || g.body["p99_ns"] != 412e6 || len(g.body["numbers"].([]any)) != 3 {
		t.Errorf("%v", g.body)
	}
}

// Who reads what went wrong does not learn where the robot is.
func TestErrorsKeepTheAddress(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	url := gone.URL
	gone.Close()
	for _, address := range []string{url + "/T0KEN", "http://T0KEN\x7f/", "://T0KEN"} {
		err := notify.Receiver{Kind: scenario.DingTalk, URL: address, Secret: "s"}.Send(t.Context(), message(), at)
		if err == nil || strings.Contains(err.Error(), "T0KEN") {
			t.Errorf("%q: %v", address, err)
		}
	}
	moved := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect))
	defer moved.Close()
	if err := (notify.Receiver{Kind: scenario.Slack, URL: moved.URL}).Send(t.Context(), message(), at); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("a redirect: %v", err)
	}
}
