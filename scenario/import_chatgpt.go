package scenario

import (
	"encoding/json"
	"slices"
	"strings"
)

// chatgptNode is a message of a ChatGPT export, which keeps a dialog as a tree:
// every edited question begins a branch, and current is the end of the one shown.
type chatgptNode struct {
	Parent  string `json:"parent"`
	Message *struct {
		Author struct {
			Role string `json:"role"`
		} `json:"author"`
		Content struct {
			Parts []json.RawMessage `json:"parts"`
		} `json:"content"`
	} `json:"message"`
}

// shown are the messages of the branch that ends with current, in order. Parts
// that are no texts, such as pictures, are left out.
func shown(nodes map[string]chatgptNode, current string) []message {
	var out []message
	for range len(nodes) { // a node that is its own ancestor ends nothing
		node, ok := nodes[current]
		if !ok {
			break
		}
		current = node.Parent
		if node.Message == nil || node.Message.Author.Role == "" {
			continue
		}
		var text strings.Builder
		for _, part := range node.Message.Content.Parts {
			var s string
			if json.Unmarshal(part, &s) == nil {
				text.WriteString(s)
			}
		}
		content, _ := json.Marshal(text.String()) // a text: cannot fail
		out = append(out, message{Role: node.Message.Author.Role, Content: content})
	}
	slices.Reverse(out)
	return out
}
