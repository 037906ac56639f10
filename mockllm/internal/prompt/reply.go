package prompt

// Reply is what all parts of one answer share, whatever its form.
type Reply struct {
	ID           [16]byte // hexadecimal digits
	Created      int64    // seconds since 1970
	Model        string
	Tool         string // the function called; the text is its arguments then
	Stopped      string // the stop text that ended it
	N            int    // how many choices, all alike
	IncludeUsage bool
}

// Usage counts tokens as told to the client. Reasoning is a part of Completion.
type Usage struct{ Prompt, Completion, Reasoning int }
