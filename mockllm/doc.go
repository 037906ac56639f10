// Package mockllm is a mock LLM server that speaks the HTTP APIs of
// OpenAI (chat and text completions, responses, embeddings, moderations), Azure
// and Anthropic (messages), plain and streamed, over HTTP/1.1 and cleartext HTTP/2. Its latency follows a stated distribution, its faults follow
// a schedule, and both are a function of (seed, trace id, attempt), so that a run
// repeats under any order of arrival. What it did is told by a journal, by facts
// and by metrics, measured on the monotonic clock.
//
// A test starts one with RunT and points its application at URL:
//
//	mock := mockllm.RunT(t, mockllm.Config{
//		Latency: mockllm.LogNormal(110*time.Millisecond, 320*time.Millisecond),
//		Faults:  []mockllm.Fault{{Name: "storm", Kind: "status", Status: 503, Share: 0.9, RetryAfter: unit.Duration(2 * time.Second)}},
//	})
//	app.LLM = mock.URL() + "/v1"
//
// A call goes through the rooms below in this order: internal/transport reads the
// request; internal/openai or
// internal/anthropic turns it into a prompt.Request; internal/draw and
// internal/fault decide what it meets; internal/answer, internal/schema and
// internal/token give the words; internal/admission gives a place; this package
// waits and sends; journal keeps the books. Package config is what may be told.
// None of them imports this package, and none anything else of this module but
// unit.
package mockllm
