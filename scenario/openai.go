package scenario

import (
	"encoding/json"
	"strings"

	"github.com/cstest/cstest/unit"
)

// OpenAI says how api openai is spoken beside model, and what the model is given. Nil
// is chat completions with nothing besides.
type OpenAI struct {
	Form    OpenAIForm    `json:"form,omitempty"`
	History HistoryKeeper `json:"history,omitempty"` // of form responses
	System  string        `json:"system,omitempty"`
	Tools   []Tool        `json:"tools,omitempty"`
	// MaxCalls is how often the model is called within a turn, its tools answered.
	MaxCalls unit.Count `json:"max_calls,omitempty"`
}

// Tool is a function that the model may call, and what it is answered then. Result is
// a text, or JSON that is sent as text.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      bool            `json:"strict,omitempty"`
	Result      json.RawMessage `json:"result,omitempty"`
}

// Prices are of a million tokens each. Cached is of those of the prompt that the model
// knew already.
type Prices struct {
	Input    float64  `json:"input"`
	Cached   *float64 `json:"cached,omitempty"`
	Output   float64  `json:"output"`
	Currency string   `json:"currency,omitempty"`
}

// UsagePath says where an answer tells its tokens.
type UsagePath struct {
	Input     string `json:"input"`
	Cached    string `json:"cached,omitempty"`
	Output    string `json:"output"`
	Reasoning string `json:"reasoning,omitempty"`
}

// ContentPart is what a message has beside its text: a further text, or an image.
type ContentPart struct {
	Text   string      `json:"text,omitempty"`
	Image  string      `json:"image,omitempty"` // a file, or the address of one
	Detail ImageDetail `json:"detail,omitempty"`
}

// Chained tells whether the server keeps the dialog, by the id of the answer before.
func (o *OpenAI) Chained() bool {
	return o != nil && o.Form == FormResponses && o.History != HistoryClient
}

// ImageType is the media type of an image's file by its name; empty where it is none
// that models read.
func ImageType(file string) string {
	at := strings.LastIndexByte(file, '.')
	if at < 0 {
		return ""
	}
	switch strings.ToLower(file[at:]) {
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	}
	return ""
}

// IsFile tells whether the image is a file, and no address.
func (p *ContentPart) IsFile() bool {
	for _, begin := range []string{"https://", "http://", "data:", "${"} {
		if strings.HasPrefix(p.Image, begin) {
			return false
		}
	}
	return p.Image != ""
}
