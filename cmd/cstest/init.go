package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/scenario"
)

func newInitCmd(s streams) *cobra.Command {
	var (
		force, send bool
		from        string
	)
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Start a scenario for your own server (default cstest.yaml)",
		Long: `Write a scenario to start from. With --from it is made from requests that you recorded:
curl commands, as a browser's network tab copies them, or a HAR file; or from what describes
them: an OpenAPI document, or a Postman collection. What the customer says, the ids of user,
dialog and turn, the login and the places in the answers are found where they can be; secrets
are replaced by variables of the environment, whose names are told, and so is what was guessed.

  --from curl 'curl …'     one or more, as one argument, in a file after @, or - for standard input
  --from har FILE.har      the login and the turns in their order
  --from openapi FILE      YAML or JSON, OpenAPI 3 or Swagger 2.0; $ref within the file
  --from postman FILE      a collection, exported as v2.1, with its saved examples

With --send the requests of the curl commands go to the server once each, in their order, so
that the answers tell where the reply stands and what the login gives. Cookies and tokens
that the server gives meanwhile take the place of the copied ones.`,
		Example: `  cstest init
  cstest init my-shop.yaml
  cstest init --from har chat.har my-shop.yaml
  cstest init --from curl @copied.txt my-shop.yaml --send
  cstest init --from openapi openapi.yaml my-shop.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if from != "" {
				return arguments(1, 2)(nil, args)
			}
			return arguments(0, 1)(nil, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			var source string
			if from != "" {
				source, args = args[0], args[1:]
			}
			path := ownScenario
			if len(args) > 0 {
				path = args[0]
			}
			if _, err := os.Lstat(path); err == nil && !force {
				return refused(reason.FileIsThere, path) // before the server is asked anything
			}
			if from == "" {
				text := bytes.ReplaceAll(scenario.Example(), []byte(ownScenario), []byte(escape.Clean(filepath.Base(path))))
				return initScenario(s, path, text, force)
			}
			text, err := recorded(c.Context(), s, from, source, path, send)
			if err != nil {
				return err
			}
			return initScenario(s, path, text, force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite FILE")
	cmd.Flags().StringVar(&from, "from", "", "make it from a recorded request or a description: curl, har, openapi or postman")
	cmd.Flags().BoolVar(&send, "send", false, "send each request once, to see the answers (--from curl)")
	return cmd
}

func initScenario(s streams, path string, text []byte, force bool) error {
	schema, err := scenario.Schema()
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
