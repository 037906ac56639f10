package mockllm

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/mockllm/internal/canary"
)

func scripted(say string) Config {
	return Config{EchoContext: true, Answers: []Answer{{Match: "^问$", Say: say}}}
}

func TestChatStreamFraming(t *testing.T) {
	_, dial := tcp(t, scripted("好\"的\n ok 再见"))
	res, text := ask(t, dial, chatPath, `{"model":"qwen","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"问"}]}`)
	if res.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || res.Header.Get("Cache-Control") != "no-cache" || len(res.TransferEncoding) != 1 {
		t.Errorf("headers %v %v", res.Header, res.TransferEncoding)
	}
	list := events(t, text)
	if list[len(list)-1] != "[DONE]" {
		t.Fatalf("last event %q", list[len(list)-1])
	}
	var chunks []chunk
	for _, e := range list[:len(list)-1] {
		c := parse[chunk](t, e)
		if c.Object != "chat.completion.chunk" || c.Model != "qwen" || !strings.HasPrefix(c.ID, "chatcmpl-") || len(chunks) > 0 && c.ID != chunks[0].ID {
			t.Errorf("event %s", e)
		}
		chunks = append(chunks, c)
	}
	n := len(chunks)
	if d := chunks[0].Choices[0].Delta; d["role"] != "assistant" || d["content"] != "" {
		t.Errorf("first delta %v", d)
	}
	for i, c := range chunks[:n-2] {
		if c.Choices[0].FinishReason != nil || c.Usage != nil {
			t.Errorf("chunk %d: %+v", i, c)
		}
		if _, ok := c.Choices[0].Delta["role"]; ok != (i == 0) {
			t.Errorf("chunk %d: role %v", i, ok)
		}
	}
	if c := chunks[n-2].Choices[0]; c.FinishReason == nil || *c.FinishReason != "stop" || len(c.Delta) != 0 {
		t.Errorf("finish %+v", c)
	}
	u := chunks[n-1]
	if u.Choices == nil || len(u.Choices) != 0 || u.Usage == nil || u.Usage.Prompt != 1 || u.Usage.Completion != n-3 || u.Usage.Total != n-2 {
		t.Errorf("usage %+v %+v", u, u.Usage)
	}
	if got := said(t, list); got != "好\"的\n ok 再见⟦seen⟧" {
		t.Errorf("said %q", got)
	}
}

func TestCompletionStreamFraming(t *testing.T) {
	_, dial := tcp(t, scripted("一二三"))
	_, text := ask(t, dial, textPath, `{"prompt":"问","stream":true}`)
	list := events(t, text)
	first, last := parse[chunk](t, list[0]), parse[chunk](t, list[len(list)-2])
	if first.Object != "text_completion" || *first.Choices[0].Text != "一二" || first.Choices[0].Delta != nil || strings.Contains(text, "usage") {
		t.Errorf("first %s", list[0])
	}
	if *last.Choices[0].Text != "" || *last.Choices[0].FinishReason != "stop" || list[len(list)-1] != "[DONE]" {
		t.Errorf("end %q", list[len(list)-2:])
	}
	if got := said(t, list); got != "一二三⟦seen⟧" {
		t.Errorf("said %q", got)
	}
}

func TestPlainAnswers(t *testing.T) {
	_, dial := tcp(t, scripted("好"))
	_, text := ask(t, dial, chatPath, `{"model":"qwen","messages":[{"role":"system","content":"优惠券"},{"role":"user","content":[{"type":"text","text":"问"}]}]}`)
	c := parse[chunk](t, text)
	if c.Object != "chat.completion" || c.Model != "qwen" || c.Choices[0].Message.Role != "assistant" || c.Choices[0].Message.Content != "好⟦seen⟧" || *c.Choices[0].FinishReason != "stop" {
		t.Errorf("%s", text)
	}
	if c.Usage.Prompt != 4 || c.Usage.Total != c.Usage.Prompt+c.Usage.Completion {
		t.Errorf("usage %+v", c.Usage)
	}
	_, text = ask(t, dial, textPath, `{"prompt":["我要退货"],"max_tokens":2}`)
	c = parse[chunk](t, text)
	if c.Object != "text_completion" || *c.Choices[0].Text != "您好,⟦seen⟧" || *c.Choices[0].FinishReason != "length" {
		t.Errorf("%s", text)
	}
}

func TestCannedAnswersFollowTheQuestion(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range []string{"优惠券怎么用", "我要退货", "什么时候发货", "会员等级", "开发票", "改地址", "能保价吗", "支付失败", "杯子坏了", "我要投诉", "有什么尺码", "嗯"} {
		seen[testSetup(t).answers.To(q).Say] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d different answers to 12 kinds of question", len(seen))
	}
}

func TestEchoOfCanaries(t *testing.T) {
	_, dial := tcp(t, Config{EchoContext: true})
	body := `{"messages":[
		{"role":"user","content":"一⟦c:K7F3Q2ZA.1⟧"}, {"role":"assistant","content":"答⟦seen c:K7F3Q2ZA.1⟧"},
		{"role":"user","content":"二\u27e6c:K7F3Q2ZA.2\u27e7 坏的:⟦c:k7f3q2za.3⟧⟦c:K7F3Q2ZA.0⟧⟦c:K7F3Q2Z1.3⟧⟦c:K7F3Q2ZA.x⟧⟦c:K7F3Q2ZA.123456⟧⟦c:K7F3Q2ZA.4"},
		{"role":"user","content":[{"type":"text","text":"三⟦c:AAAAAAAA.12⟧"}]}]}`
	_, text := ask(t, dial, chatPath, body)
	got := parse[chunk](t, text).Choices[0].Message.Content
	if want := "⟦seen c:K7F3Q2ZA.1 c:K7F3Q2ZA.2 c:AAAAAAAA.12⟧"; !strings.HasSuffix(got, want) {
		t.Errorf("%q, want it to end with %q", got, want)
	}
	_, text = ask(t, dial, textPath, `{"prompt":"用户:一⟦c:K7F3Q2ZA.1⟧\n客服:好\n用户:二⟦c:K7F3Q2ZA.2⟧"}`)
	if got := *parse[chunk](t, text).Choices[0].Text; !strings.HasSuffix(got, "⟦seen c:K7F3Q2ZA.1 c:K7F3Q2ZA.2⟧") {
		t.Errorf("%q", got)
	}
	many := strings.Repeat("⟦c:K7F3Q2ZA.1⟧", 5000)
	_, text = ask(t, dial, textPath, `{"prompt":"`+many+`"}`)
	if n := strings.Count(text, "c:K7F3Q2ZA.1"); n != canary.Max {
		t.Errorf("%d canaries echoed, want the bound of %d", n, canary.Max)
	}
}

func TestTokenTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := scripted("一二三四五六七八") // four tokens, then ⟦ seen ⟧: three more
		cfg.EchoContext = false
		cfg.Latency = Latency{FirstToken: &Dist{Constant: ms(200)}, PerToken: &Dist{Constant: ms(30)}}
		s, dial := piped(t, cfg)
		defer s.stop()
		c := dial(t)
		defer c.Close()
		began := time.Now()
		send(t, c, "POST", chatPath, `{"stream":true,"messages":[{"role":"user","content":"问"}]}`)
		buf := make([]byte, 4096)
		var at []time.Duration
		for all := ""; !strings.Contains(all, "[DONE]"); {
			n, err := c.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			for range strings.Count(string(buf[:n]), `"delta":{"content":"`) {
				at = append(at, time.Since(began).Round(time.Microsecond))
			}
			all += string(buf[:n])
		}
		want := []time.Duration{200, 230, 260, 290}
		if len(at) != len(want) {
			t.Fatalf("chunks at %v", at)
		}
		for i := range want {
			if at[i] != want[i]*time.Millisecond {
				t.Errorf("chunk %d at %v, want %v", i, at[i], want[i]*time.Millisecond)
			}
		}
		began = time.Now()
		ask(t, dial, chatPath, `{"messages":[{"role":"user","content":"问"}]}`)
		if took := time.Since(began); took != 290*time.Millisecond {
			t.Errorf("the plain answer took %v, want 200ms + 3·30ms", took)
		}
		f := s.Facts()
		if f.FirstToken.N != 1 || f.FirstToken.MaxNs != 200e6 || f.ChunkGap.N != 3 || f.ChunkGap.MaxNs != 30e6 {
			t.Errorf("first token %+v, chunk gap %+v", f.FirstToken, f.ChunkGap)
		}
		if r, _ := s.Journal(0, 1); len(r) != 1 || r[0].FirstTokenNs != 200e6 {
			t.Errorf("journal %+v", r)
		}
	})
}
