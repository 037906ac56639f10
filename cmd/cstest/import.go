package main

import (
	"github.com/spf13/cobra"

	"github.com/cstest/cstest/scenario"
)

func newImportCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Take conversations from ShareGPT JSON or OpenAI messages JSON/JSONL",
		Example: `  cstest import chats.jsonl > conversations.yaml
  cstest import sharegpt.json | less`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			yaml, err := scenario.ImportFile(args[0])
			if err != nil {
				return usageError{err}
			}
			_, err = s.out.Write(yaml)
			return err
		},
	}
}
