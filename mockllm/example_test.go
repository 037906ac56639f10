package mockllm_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/unit"
)

// ask sends one question, as part of the turn that trace names.
func ask(base, trace string) (int, string) {
	req, err := http.NewRequest(http.MethodPost, base+"/v1/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"在吗?"}]}`))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(body)
}

const exampleTrace = "0af7651916cd43dd8448eb211c80319c"

// A model that fails the first attempt of every turn, and what it tells of it.
func Example() {
	mock, err := mockllm.Start(mockllm.Config{
		Answers: []mockllm.Answer{{Match: "在吗", Say: "在的,请讲。"}},
		Faults:  []mockllm.Fault{{Name: "hiccup", Kind: "fail-first", Status: 503, RetryAfter: unit.Duration(2e9)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mock.Close()
	for range 2 {
		status, body := ask(mock.URL(), exampleTrace)
		fmt.Println(status, gjson.Get(body, "[choices.0.message.content,error.code]|0"))
	}
	records, _ := mock.Journal(0, 10)
	for _, r := range records {
		fmt.Printf("attempt %d: %s, fault %q\n", r.Attempt, r.Outcome, r.Fault)
	}
	client := mock.Client()
	fmt.Println("retries", client.Retries, "too early", client.RetriedEarly.N)
	// Output:
	// 503 service_unavailable
	// 200 在的,请讲。
	// attempt 1: status_503, fault "hiccup"
	// attempt 2: ok, fault ""
	// retries 1 too early 1
}

// A test points its application at a model of its own, which ends with the test.
func ExampleRunT() {
	test := func(t *testing.T) {
		mock := mockllm.RunT(t, mockllm.Config{Seed: 7})
		if status, _ := ask(mock.URL(), exampleTrace); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "TestApplication", F: test}})
	fmt.Println(ok)
	// Output: true
}
