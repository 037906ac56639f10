package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/scenario"
)

// Receiver is where a message goes, with nothing left to expand.
type Receiver struct {
	Kind        scenario.Receiver
	URL, Secret string
}

// sendWithin is how long a receiver may take, mostAnswer how much it may say.
const (
	sendWithin = 10 * time.Second
	mostAnswer = 64 << 10
)

// Send tells a receiver. Its error has no address in it: who knows the address of a
// robot can write there. at is when, for the signature.
func (r Receiver) Send(ctx context.Context, m *Message, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	address, body, err := r.request(m, at)
	if err != nil {
		return withoutAddress(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return withoutAddress(err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if r.Kind == scenario.Webhook && r.Secret != "" {
		timestamp := strconv.FormatInt(at.Unix(), 10)
		req.Header.Set("X-Cstest-Timestamp", timestamp)
		req.Header.Set("X-Cstest-Signature", signWebhook(r.Secret, timestamp, body))
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return withoutAddress(err)
	}
	defer res.Body.Close() // it is only read from
	said, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return withoutAddress(err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s: %.200s", res.Status, said)
	}
	return r.accepted(said)
}

// withoutAddress is what went wrong, less where.
func withoutAddress(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	return err
}

// request is what a receiver wants to be sent, and where.
func (r Receiver) request(m *Message, at time.Time) (address string, body []byte, err error) {
	address = r.URL
	var v any
	switch r.Kind {
	case scenario.DingTalk:
		if r.Secret != "" {
			if address, err = signDingTalk(address, r.Secret, at); err != nil {
				return "", nil, err
			}
		}
		v = map[string]any{"msgtype": "markdown", "markdown": map[string]string{"title": m.Title, "text": "### " + m.Title + "\n\n" + markdown(m, "\n\n")}}
	case scenario.WeCom:
		v = map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": "### " + m.Title + "\n" + markdown(m, "\n")}}
	case scenario.Feishu:
		text := map[string]any{"msg_type": "text", "content": map[string]string{"text": strings.Join(append([]string{m.Title}, withLink(m, m.Link)...), "\n")}}
		if r.Secret != "" {
			text["timestamp"], text["sign"] = signFeishu(r.Secret, at)
		}
		v = text
	case scenario.Slack:
		link := ""
		if m.Link != "" {
			link = "<" + slackURL.Replace(m.Link) + ">"
		}
		v = map[string]string{"text": "*" + m.Title + "*\n" + strings.Join(withLink(m, link), "\n")}
	case scenario.Webhook:
		v = webhookOf(m)
	}
	body, err = json.Marshal(v)
	return address, body, err
}

// slackURL escapes what would end a link of Slack's.
var slackURL = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C")

func withLink(m *Message, link string) []string {
	lines := m.Lines()
	if link != "" {
		lines = append(lines, link)
	}
	return lines
}

func markdown(m *Message, between string) string {
	link := ""
	if m.Link != "" {
		shown := strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "<", "%3C", ">", "%3E").Replace(m.Link)
		link = "[" + plain(m.Link) + "](" + shown + ")"
	}
	return strings.Join(withLink(m, link), between)
}

// webhook is the body that a receiver of one's own gets: names as in result.json.
type webhook struct {
	Verdict    string    `json:"verdict"`
	ExitCode   int       `json:"exit_code"`
	RunID      string    `json:"run_id"`
	Scenario   string    `json:"scenario"`
	StartedAt  string    `json:"started_at"`
	DurationS  float64   `json:"duration_s"`
	Title      string    `json:"title"`
	Numbers    [3]string `json:"numbers"`
	Reasons    []string  `json:"reasons"`
	Turns      int64     `json:"turns"`
	Answered   *float64  `json:"answered"`
	P99Ns      *int64    `json:"p99_ns"`
	Link       string    `json:"link,omitempty"`
	TagsOfRun  any       `json:"tags"`
	CstestSays string    `json:"cstest_version"`
}

func webhookOf(m *Message) webhook {
	d := m.Doc
	return webhook{
		Verdict: d.Verdict, ExitCode: d.ExitCode, RunID: d.RunID, Scenario: d.Scenario.Name, StartedAt: d.StartedAt, DurationS: d.DurationS,
		Title: m.Title, Numbers: m.Numbers, Reasons: d.Reasons, Turns: d.Counts.Turns, Answered: d.Availability.Answers, P99Ns: d.Latency.Response.P99Ns,
		Link: m.Link, TagsOfRun: d.Tags, CstestSays: d.CstestVersion,
	}
}

// accepted reads what a receiver says to a message that it got: those of the three
// robots answer 200 to what they refuse.
func (r Receiver) accepted(said []byte) error {
	var code struct {
		ErrCode *int   `json:"errcode"` // DingTalk, WeCom
		ErrMsg  string `json:"errmsg"`
		Code    *int   `json:"code"` // Feishu
		Msg     string `json:"msg"`
	}
	switch r.Kind {
	case scenario.DingTalk, scenario.WeCom, scenario.Feishu:
		if err := json.Unmarshal(said, &code); err != nil {
			return fmt.Errorf("it answers %.200q", said)
		}
		for _, c := range []*int{code.ErrCode, code.Code} {
			if c != nil && *c != 0 {
				return fmt.Errorf("it refuses: %d %.200s", *c, code.ErrMsg+code.Msg)
			}
		}
	case scenario.Slack, scenario.Webhook:
	}
	return nil
}
