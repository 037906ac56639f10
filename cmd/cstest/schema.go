package main

import (
	"github.com/spf13/cobra"

	"github.com/cstest/cstest/scenario"
)

func newSchemaCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Example: `  cstest schema > scenario.schema.json
  cstest schema | less`,
		Args: noSuchCommand,
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
