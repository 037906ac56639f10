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
