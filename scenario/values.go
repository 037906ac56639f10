package scenario

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// Values are the leaves of a scenario's text by their path, as in
// llm.faults.storm.for: an entry of a list goes by its name, or by its place
// where it has none. Two scenarios with the same values ask the same.
func Values(text []byte) (map[string]string, error) {
	var root yaml.Node
	if err := yaml.Load(text, &root); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	out := map[string]string{}
	leaves(&root, "", out)
	return out, nil
}

func leaves(n *yaml.Node, path string, out map[string]string) {
	under := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			leaves(c, path, out)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			leaves(n.Content[i+1], under(n.Content[i].Value), out)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			name := under(nameOf(c, i))
			if _, taken := out[name+".name"]; taken {
				name = under(strconv.Itoa(i + 1))
			}
			leaves(c, name, out)
		}
	case yaml.ScalarNode, yaml.AliasNode: // an alias is text here: a resolved scenario has none
		out[path] = n.Value
	}
}

func nameOf(n *yaml.Node, i int) string {
	if n.Kind == yaml.MappingNode {
		for k := 0; k+1 < len(n.Content); k += 2 {
			if n.Content[k].Value == "name" && n.Content[k+1].Value != "" {
				return n.Content[k+1].Value
			}
		}
	}
	return strconv.Itoa(i + 1)
}
