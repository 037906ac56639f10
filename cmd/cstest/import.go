package main

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/learn"
	"github.com/cstest/cstest/scenario"
)

func newImportCmd(s streams) *cobra.Command {
	var columns string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take conversations from ShareGPT, OpenAI messages, ChatGPT exports, or a chat log",
		Long: `Take the users' messages of a file and print them as a scenario's conversations. FILE is
ShareGPT JSON, OpenAI messages (JSON or a value a line), conversations.json of a ChatGPT
export, or a chat log of a message a row: CSV, or JSON lines with --map, whose columns
cstest learn --help describes. Texts stay as they are: where they may have personal data,
use cstest learn.`,
		Example: `  cstest import chats.jsonl > conversations.yaml
  cstest import conversations.json > conversations.yaml
  cstest import log.csv --map conversation=sid,time=sent_at,role=who,text=msg > conversations.yaml`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			yaml, err := importFile(s, args[0], columns)
			if err != nil {
				return err
			}
			_, err = s.out.Write(yaml)
			return err
		},
	}
	cmd.Flags().StringVar(&columns, "map", "", "COLUMN=NAME of conversation, time, role and text, and user=WORD, with commas between")
	return cmd
}

func importFile(s streams, path, columns string) ([]byte, error) {
	if !isTable(path, columns) {
		yaml, err := scenario.ImportFile(path, s.language())
		if err != nil {
			return nil, usageError{err}
		}
		return yaml, nil
	}
	log, err := readChatLog(s.in, path, columns)
	if err != nil {
		return nil, err
	}
	for _, d := range log.Dirty {
		s.say("warning: %d rows %s, the first is row %d", d.Rows, d.Why, d.First)
	}
	yaml, err := scenario.Import(path, asMessages(log), s.language())
	if err != nil {
		return nil, usageError{err}
	}
	return yaml, nil
}

// asMessages writes the customers' side of a log as OpenAI messages, a dialog a
// line.
func asMessages(log *learn.Log) []byte {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, d := range log.Dialogs {
		var list []message
		for _, say := range d.Says() {
			list = append(list, message{"user", strings.ToValidUTF8(say, "")})
		}
		_ = e.Encode(map[string]any{"messages": list}) // texts into memory: cannot fail
	}
	return b.Bytes()
}
