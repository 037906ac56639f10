package scenario

import _ "embed" // the example

//go:embed example.yaml
var example string

// Example gives a commented scenario to start from, for a chat server of one's
// own with field names of its own. The caller may change the text.
func Example() []byte { return []byte(example) }
