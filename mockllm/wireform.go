package mockllm

import (
	"github.com/cstest/cstest/mockllm/internal/anthropic"
	"github.com/cstest/cstest/mockllm/internal/draw"
	"github.com/cstest/cstest/mockllm/internal/openai"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// plainForm writes a plain answer in the form of one API.
type plainForm interface {
	// Whole appends the answer, Hollow one that has no content at all.
	Whole(dst []byte, text, finish string, u prompt.Usage) []byte
	Hollow(dst []byte, u prompt.Usage) []byte
}

// streamForm writes a streamed answer in the form of one API.
type streamForm interface {
	Opening(dst []byte) []byte                                // before the first token
	Content(dst []byte, token string) []byte                  // one token
	Closing(dst []byte, finish string, u prompt.Usage) []byte // after the last token
	End(dst []byte) []byte                                    // after all
	HollowEvents(dst []byte, u prompt.Usage) []byte           // instead of all but End
	ErrorEvent(dst []byte, e *prompt.Error) []byte            // instead of what is left
}

// decode reads the request and makes what will write its answer.
func (c *call) decode(in *inbound) error {
	c.req.API, c.req.Model, c.req.Deployed = in.api, string(in.model), len(in.model) > 0
	limits := &c.set.limits
	switch in.api {
	case prompt.Responses:
		return openai.DecodeResponse(&c.req, in.body, limits)
	case prompt.Messages:
		return anthropic.DecodeMessages(&c.req, in.body, limits)
	case prompt.Embeddings:
		c.vectors = &openai.Embeddings{}
		return openai.DecodeEmbeddings(&c.req, c.vectors, in.body, limits)
	case prompt.Moderations:
		c.verdicts = &openai.Moderations{}
		return openai.DecodeModerations(&c.req, c.verdicts, in.body, limits)
	case prompt.Chat, prompt.Completions:
	}
	return openai.DecodeCompletion(&c.req, in.body, limits)
}

// head fills in what all parts of the answer share.
func (c *call) head() {
	const digits = "0123456789abcdef"
	r := &c.frame.Reply
	h := draw.Hash(c.set.cfg.Seed, c.key, c.entry.Attempt, 0)
	for i := range r.ID {
		r.ID[i] = digits[h>>(4*i)&15]
	}
	r.Created, r.Model, r.N, r.IncludeUsage = c.start.Unix(), c.req.Model, max(c.req.Choices, 1), c.req.IncludeUsage
	c.frame.Chat = c.req.API == prompt.Chat
}

// writer chooses what writes the answer, once its words are known.
func (c *call) writer() {
	switch c.req.API {
	case prompt.Responses:
		r := &openai.Response{Reply: c.frame.Reply}
		c.body, c.events = r, r
	case prompt.Messages:
		m := &anthropic.Message{Reply: c.frame.Reply, Prompt: c.req.PromptTokens}
		c.body, c.events = m, m
	case prompt.Embeddings:
		c.vectors.Reply = c.frame.Reply
		c.body = c.vectors
	case prompt.Moderations:
		c.verdicts.Reply = c.frame.Reply
		c.body = c.verdicts
	case prompt.Chat, prompt.Completions:
		c.body, c.events = &c.frame, &c.frame
	}
}

// appendError appends an error in the shape of an API.
func appendError(dst []byte, api prompt.API, e *prompt.Error) []byte {
	if api == prompt.Messages {
		return anthropic.AppendError(dst, e)
	}
	return openai.AppendError(dst, e)
}
