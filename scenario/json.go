package scenario

import "bytes"

// JSON turns one YAML document into compact JSON, under the rules of a scenario
// file: 1 MiB, no aliases, no duplicate keys. It is for configuration that is
// not a scenario. name stands before positions; the error is *Problems.
func JSON(name string, text []byte) ([]byte, error) {
	root, problems := parseTree(name, text)
	if root == nil || len(problems) > 0 {
		return nil, problemsError(problems)
	}
	var out bytes.Buffer
	if problem, at := appendJSON(&out, root); problem != "" {
		return nil, problemsError([]Problem{{File: name, Line: at.Line, Column: at.Column, Message: problem}})
	}
	return out.Bytes(), nil
}
