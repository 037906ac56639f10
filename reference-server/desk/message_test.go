package desk

import (
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/ws"
)

func FuzzRequests(f *testing.F) {
	for _, s := range []string{`{"type":"subscribe","queues":["*"]}`, `{"type":"claim","ticket_id":"x"}`, `null`, "\xff", `{"queues":[1]}`, `{"type":"a"}{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, ok, code := decodeRequest(b)
		if code != 0 && code != ws.Payload {
			t.Fatalf("close code %d", code)
		}
		if code != 0 && ok {
			t.Fatal("accepted and refused")
		}
		if ok && len(q.Queues) > 64 {
			t.Fatalf("%d queues", len(q.Queues))
		}
		for _, m := range [][]byte{outcomeMessage(outcomeClaimed, bounded(q.TicketID)), errorMessage(codeBadMessage, bounded(q.TicketID)), helloMessage(q.Text, time.Second)} {
			if !gjson.ValidBytes(m) || len(m) > 8*len(b)+256 {
				t.Fatalf("answer %q", m)
			}
		}
	})
}
