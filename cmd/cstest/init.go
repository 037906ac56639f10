package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/scenario"
)

func newInitCmd(s streams) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Start a scenario for your own server (default cstest.yaml)",
		Example: `  cstest init
  cstest init my-shop.yaml`,
		Args: arguments(0, 1),
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
	text, schema, err := ownExample(path)
	if err != nil {
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if os.IsExist(err) {
		return refused(reason.FileIsThere, path)
	}
	if err != nil {
		return usageError{err}
	}
	if _, err := f.Write(text); err != nil {
		_ = f.Close()
		return resultsError{err}
	}
	if err := f.Close(); err != nil {
		return resultsError{err}
	}
	beside := filepath.Join(filepath.Dir(path), schemaFile)
	if _, err := os.Lstat(beside); force || os.IsNotExist(err) {
		if err := os.WriteFile(beside, schema, 0o644); err != nil {
			return resultsError{err}
		}
	}
	fmt.Fprintln(s.err, reason.New(reason.ScenarioWritten, path, path, path, beside).Text(s.language()))
	return nil
}

// schemaFile is the JSON Schema beside a scenario; the example's first line names it.
const schemaFile = "scenario.schema.json"

// ownExample is the example as it stands in a file of that name, and the schema
// that its first line names.
func ownExample(path string) (text, schema []byte, err error) {
	text = bytes.ReplaceAll(scenario.Example(), []byte(ownScenario), []byte(report.Clean(filepath.Base(path))))
	schema, err = scenario.Schema()
	return text, schema, err
}
