package chat

import (
	"testing"

	"github.com/cstest/cstest/reference-server/dialog"
)

func TestNotesInAPrompt(t *testing.T) {
	e := exchangeOf(&dialog.Record{User: "投诉", Response: []byte(`{"answer":"已转人工"}`), Degraded: true, Notes: []dialog.Note{{Ticket: "00000000000000000000000000000001", Agent: "a", Text: "处理好了 ⟦c:AAAAAAAA.1⟧"}}})
	if e.User != "投诉" || len(e.Replies) != 1 || e.Replies[0] != "处理好了" {
		t.Errorf("a degraded turn with a reply is put before the model as %+v", e)
	}
	e = exchangeOf(&dialog.Record{User: "运费", Response: []byte(`{"answer":"包邮 ⟦seen c:A.1⟧"}`)})
	if len(e.Replies) != 1 || e.Replies[0] != "包邮" {
		t.Errorf("an answered turn is put before the model as %+v", e)
	}
}
