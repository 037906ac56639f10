package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/template"
	"github.com/cstest/cstest/visible"
)

const (
	maxImport     = 64 << 20  // bytes of a file of conversations
	maxImportText = 512 << 10 // bytes of what is taken, so that it fits into a scenario with room to spare
)

// ImportFile reads conversations as Import does, from a regular file of at most
// 64 MiB.
func ImportFile(path string, lang reason.Lang) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, reason.Errorf("open conversations: %w", err)
	}
	text, err := readRegular(f, maxImport)
	if err != nil {
		return nil, reason.Errorf("read conversations %s: %w", path, err)
	}
	return Import(path, text, lang)
}

// Import takes the users' messages from ShareGPT JSON (conversations of from and
// value), OpenAI messages (role and content) or a ChatGPT export (the branches
// that were shown), as one JSON value, a list, or a
// value a line, and gives the YAML of a scenario's `conversations:`. Dialogs of
// the same messages become one with their number as weight. A comment says
// what was left out because a scenario would not hold it, in the language. name stands before
// positions in errors.
func Import(name string, text []byte, lang reason.Lang) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if line, column, message, bad := notUTF8(text); bad {
		return nil, reason.Errorf("%s:%d:%d: %s", name, line, column, message)
	}
	var in importing
	d := json.NewDecoder(bytes.NewReader(text))
	for {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = in.value(raw)
		}
		if err != nil {
			before := text[:min(int(d.InputOffset()), len(text))]
			return nil, reason.Errorf("%s:%d: %w", name, bytes.Count(bytes.TrimSpace(before), []byte{'\n'})+1, err)
		}
	}
	if len(in.list) == 0 && in.left > 0 {
		return nil, reason.Errorf("%s: all %d conversations with a message of a user were left out for their size: a scenario holds %d turns of 8 KiB each of a conversation", name, in.left, maxTurns)
	}
	if len(in.list) == 0 {
		return nil, reason.Errorf("%s: has no conversation with a message of a user", name)
	}
	return in.yaml(name, lang)
}

// message is one of either format; OpenAI's content is a text or a list of parts.
type message struct {
	From    string          `json:"from"`
	Value   string          `json:"value"`
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type dialogFile struct {
	Conversations []message `json:"conversations"`
	Messages      []message `json:"messages"`
	// A ChatGPT export has these two.
	Mapping map[string]chatgptNode `json:"mapping"`
	Current string                 `json:"current_node"`
}

type importing struct {
	list                  []Conversation
	byText                map[string]int
	turns, bytes          int
	dialogs, left, silent int
	prompts, others       int // system prompts, and parts of messages that are no text
}

// value takes a dialog, a list of dialogs, or a bare list of messages.
func (in *importing) value(raw json.RawMessage) error {
	if raw[0] != '[' {
		return in.dialog(raw)
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	var first message
	if len(items) > 0 && json.Unmarshal(items[0], &first) == nil && (first.Role != "" || first.From != "") {
		var bare []message
		if err := json.Unmarshal(raw, &bare); err != nil {
			return reason.Errorf("is not a list of messages")
		}
		return in.take(bare)
	}
	for i, item := range items {
		if err := in.dialog(item); err != nil {
			return reason.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

func (in *importing) dialog(raw json.RawMessage) error {
	var d dialogFile
	if err := json.Unmarshal(raw, &d); err != nil {
		return reason.Errorf("is neither ShareGPT nor OpenAI messages")
	}
	switch {
	case d.Mapping != nil:
		return in.take(shown(d.Mapping, d.Current))
	case d.Conversations == nil && d.Messages == nil:
		return reason.Errorf("has neither conversations (ShareGPT) nor messages (OpenAI)")
	case d.Messages != nil:
		return in.take(d.Messages)
	}
	return in.take(d.Conversations)
}

// take adds the dialog of a list of messages.
func (in *importing) take(messages []message) error {
	in.dialogs++
	var turns []Turn
	size := 0
	for i, m := range messages {
		text, others, err := m.user()
		if err != nil {
			return reason.Errorf("message %d: %w", i+1, err)
		}
		in.others += others
		if m.Role == "system" || m.Role == "developer" || m.From == "system" {
			in.prompts++
		}
		if text = strings.TrimSpace(text); text != "" {
			turns = append(turns, Turn{Say: template.Quote(text)})
			size += len(text)
		}
	}
	if len(turns) == 0 {
		in.silent++
		return nil
	}
	if in.byText == nil {
		in.byText = map[string]int{}
	}
	key, _ := json.Marshal(turns) // texts only: cannot fail
	if i, ok := in.byText[string(key)]; ok {
		in.list[i].Weight++
		return nil
	}
	if len(in.list) >= maxConversations || len(turns) > maxTurns || in.turns+len(turns) > maxSlots || in.bytes+size > maxImportText || tooLong(turns) {
		in.left++
		return nil
	}
	in.byText[string(key)] = len(in.list)
	in.turns += len(turns)
	in.bytes += size
	in.list = append(in.list, Conversation{Name: fmt.Sprintf("imported-%d", len(in.list)+1), Weight: 1, Turns: turns})
	return nil
}

// tooLong tells whether a text is more than a turn may say.
func tooLong(turns []Turn) bool {
	for _, t := range turns {
		if len(t.Say) > 8<<10 || strings.ContainsAny(t.Say, "⟦⟧") || strings.ContainsRune(t.Say, utf8.RuneError) {
			return true
		}
	}
	return false
}

// user gives the text of a user's message, nothing for other roles; others is how
// many of its parts are none, as images.
func (m message) user() (text string, others int, err error) {
	switch {
	case m.From != "":
		switch m.From {
		case "human", "user":
			return m.Value, 0, nil
		}
		return "", 0, nil
	case m.Role == "":
		return "", 0, reason.Errorf("has neither from (ShareGPT) nor role (OpenAI)")
	case m.Role != "user" || len(m.Content) == 0:
		return "", 0, nil
	case m.Content[0] == '"':
		err := json.Unmarshal(m.Content, &text)
		return text, 0, err
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(m.Content, &parts); err != nil {
		return "", 0, reason.Errorf("content is neither a text nor a list of parts")
	}
	var texts []string
	for _, p := range parts {
		if p.Type == "text" || p.Type == "input_text" {
			texts = append(texts, p.Text)
		} else {
			others++
		}
	}
	return strings.Join(texts, "\n"), others, nil
}

func (in *importing) yaml(name string, lang reason.Lang) ([]byte, error) {
	var b bytes.Buffer
	note := func(format string, args ...any) { b.WriteString(reason.Say(format, args...).Text(lang)) }
	note("# %d conversations from %s", in.dialogs, short(name))
	if in.left > 0 {
		note("; %d left out: a scenario holds %d conversations and %d turns of 8 KiB each", in.left, maxConversations, maxSlots)
	}
	if in.silent > 0 {
		note("; %d without a message of a user", in.silent)
	}
	if in.prompts > 0 {
		note("; %d system prompts left out: they are the server's", in.prompts)
	}
	if in.others > 0 {
		note("; %d images and other parts left out: users say texts", in.others)
	}
	b.WriteString("\nconversations:\n")
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, c := range in.list {
		turns := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, t := range c.Turns {
			turns.Content = append(turns.Content, pairs("say", text(t.Say)))
		}
		list.Content = append(list.Content, pairs("name", text(c.Name), "weight", plain(fmt.Sprint(c.Weight)), "turns", turns))
	}
	out, err := yaml.Dump(list, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithUnicode(true))
	if err != nil {
		return nil, reason.Errorf("print conversations of %s: %w", name, err)
	}
	for line := range bytes.Lines(out) {
		b.WriteString("  ")
		b.Write(line)
	}
	return visible.YAML(b.Bytes()), nil
}

// pairs makes a mapping of keys and nodes.
func pairs(list ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, v := range list {
		switch v := v.(type) {
		case string:
			n.Content = append(n.Content, text(v))
		case *yaml.Node:
			n.Content = append(n.Content, v)
		}
	}
	return n
}
