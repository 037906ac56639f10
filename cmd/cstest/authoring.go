package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/scenario"
)

func newInitCmd(s streams) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Start a scenario for your own server (default cstest.yaml)",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := ownScenario
			if len(args) > 0 {
				path = args[0]
			}
			return initScenario(s, path, force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite FILE")
	return cmd
}

func initScenario(s streams, path string, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if os.IsExist(err) {
		return usagef("%s is there already: choose another name, or add --force", path)
	}
	if err != nil {
		return usageError{err}
	}
	if _, err := f.Write(scenario.Example()); err != nil {
		_ = f.Close()
		return resultsError{err}
	}
	if err := f.Close(); err != nil {
		return resultsError{err}
	}
	fmt.Fprintf(s.err, "wrote %s; next: cstest validate %s, then cstest try %s\n", path, path, path)
	return nil
}

func newSchemaCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := scenario.Schema()
			if err != nil {
				return err
			}
			_, err = s.out.Write(schema)
			return err
		},
	}
}

func newImportCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:     "import FILE",
		Short:   "Take conversations from ShareGPT JSON or OpenAI messages JSON/JSONL",
		Example: "  cstest import chats.jsonl > conversations.yaml",
		Args:    cobra.ExactArgs(1),
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
