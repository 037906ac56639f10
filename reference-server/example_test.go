package refserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm"
	refserver "github.com/cstest/cstest/reference-server"
)

// A server with a mock model behind it and one dialog of two turns.
func Example() {
	llm, err := mockllm.Start(mockllm.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()
	s, err := refserver.Start(context.Background(), refserver.Config{LLM: llm.URL(), Dev: true, Knobs: map[string]string{"redis.timeout": "2s", "llm.timeout": "5s", "chat.degrade_at": "0s", "chat.deadline": "0s"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close(context.Background())
	token, err := s.Token("u1")
	if err != nil {
		fmt.Println(err)
		return
	}
	say := func(body string) gjson.Result {
		req, _ := http.NewRequest(http.MethodPost, s.URL()+"/v1/chat", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return gjson.Result{}
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return gjson.ParseBytes(b)
	}
	first := say(`{"text":"我有一张满减优惠券,怎么用?"}`)
	second := say(`{"text":"还能用吗?","dialog_id":"` + first.Get("dialog_id").String() + `"}`)
	fmt.Println(first.Get("seq"), first.Get("tier"), first.Get("context.status"))
	fmt.Println(second.Get("seq"), second.Get("tier"), second.Get("context.status"), second.Get("persisted"))
	// Output:
	// 1 llm new
	// 2 llm ok true
}
