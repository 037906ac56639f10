package prompt

// API is the form in which a client asks and is answered.
type API uint8

// The APIs.
const (
	Chat API = iota
	Completions
	Responses
	Messages
	Embeddings
	Moderations
)

// String is the word of the journal.
func (a API) String() string {
	return [...]string{"chat", "completions", "responses", "messages", "embeddings", "moderations"}[a]
}

// Speaks reports whether the answer is a text.
func (a API) Speaks() bool { return a < Embeddings }
