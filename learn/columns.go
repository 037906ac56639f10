package learn

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
)

// Columns say where the log has what: names of a CSV header, or gjson paths into
// the object of a line. An empty one is found by the usual names.
type Columns struct {
	Conversation, Time, Role, Text string
	Users                          []string // what Role says of a customer; empty: the usual words
}

var (
	usualNames = map[string][]string{
		"conversation": {"conversation_id", "conversation", "dialog_id", "session_id", "session", "chat_id", "会话", "会话id"},
		"time":         {"time", "timestamp", "ts", "created_at", "sent_at", "时间"},
		"role":         {"role", "sender", "from", "author", "direction", "发送方"},
		"text":         {"text", "content", "message", "say", "body", "内容"},
	}
	usualUsers = []string{"user", "customer", "buyer", "human", "client", "visitor", "in", "inbound", "顾客", "买家", "用户", "客户"}
)

// ParseColumns reads "conversation=sid,time=ts,role=who,text=msg,user=guest".
func ParseColumns(text string) (Columns, error) {
	var c Columns
	if text == "" {
		return c, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		into := c.named(key)
		switch {
		case !ok || value == "":
			return c, reason.Errorf("%q: write COLUMN=NAME, for example time=sent_at", part)
		case key == "user":
			c.Users = append(c.Users, value)
		case into == nil:
			return c, reason.Errorf("%q is no column: write conversation, time, role, text or user", key)
		default:
			*into = value
		}
	}
	return c, nil
}

func (c *Columns) named(key string) *string {
	switch key {
	case "conversation":
		return &c.Conversation
	case "time":
		return &c.Time
	case "role":
		return &c.Role
	case "text":
		return &c.Text
	}
	return nil
}

// complete finds the columns that were not named among the log's.
func (c *Columns) complete(has func(string) bool) error {
	for _, key := range []string{"conversation", "time", "role", "text"} {
		into := c.named(key)
		if *into != "" {
			if !has(*into) {
				return reason.Errorf("the log has no %q, which is to be its %s", *into, key)
			}
			continue
		}
		i := slices.IndexFunc(usualNames[key], has)
		switch {
		case i >= 0:
			*into = usualNames[key][i]
		case key != "role": // a log of customers alone needs none
			return reason.Errorf("which column is the %s? None is called %s: say it with --map %s=NAME", key, strings.Join(usualNames[key], ", "), key)
		}
	}
	return nil
}

// user tells whether a role is a customer's.
func (c *Columns) user(role string) bool {
	if c.Role == "" {
		return true
	}
	words := c.Users
	if len(words) == 0 {
		words = usualUsers
	}
	return slices.Contains(words, strings.ToLower(strings.TrimSpace(role))) || slices.Contains(words, role)
}

var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999", "2006-01-02T15:04:05.999", "2006/01/02 15:04:05", "2006-01-02 15:04"}

// parseTime reads a date or Unix seconds, milliseconds or microseconds.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		for n > 1e11 { // the year 5138 in seconds
			n /= 1000
		}
		if n < 1 {
			return time.Time{}, false
		}
		return time.UnixMicro(int64(n * 1e6)).UTC(), true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
