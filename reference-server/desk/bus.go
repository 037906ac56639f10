package desk

import (
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"
)

const (
	busChannel = "tickets"
	busOutbox  = 4096
	busBatch   = 64
	busInbox   = 4096
)

// bus tells other servers of tickets through Redis. A message can get lost:
// Redis may be away or the connection may break. Then the receiving side lists
// what waits as soon as it is connected again. Safe for concurrent use.
type bus struct {
	redis  redis.UniversalClient
	shared bool // other servers may use this Redis
	me     string
	desk   *Desk
	outbox chan announcement
}

// announcement is a message between servers.
type announcement struct {
	From   string `json:"from"`
	Again  bool   `json:"again"` // also to those who had it
	Tenant string `json:"tenant"`
	Asked  int64  `json:"asked_ns"`
	Ticket Ticket `json:"ticket"`
}

// encode renders what decoding reads back: a ticket as it is told of, without who
// asked and when a claim ran.
func (a announcement) encode() wire.JSON {
	t := a.Ticket
	return wire.JSON(nil).Object("").String("from", a.From).Bool("again", a.Again).String("tenant", a.Tenant).Int("asked_ns", a.Asked).
		Object("ticket").String("id", t.ID).String("queue", t.Queue).String("state", string(t.State)).Int("eta_s", int64(t.ETA)).
		StringIf("dialog_id", t.DialogID).StringIf("text", t.Text).String("trace_id", t.TraceID).StringIf("agent", t.Agent).StringIf("reply", t.Reply).
		StringIf("draft", t.Draft).StringIf("socket", t.Socket).EndObject().
		EndObject()
}

func newBus(rdb redis.UniversalClient, shared bool, d *Desk) *bus {
	return &bus{redis: rdb, shared: shared, me: dialog.RandomHex(8), desk: d, outbox: make(chan announcement, busOutbox)}
}

// send hands a ticket to the publisher. When that cannot keep up the ticket is
// not published: it waits in its queue, and the count says so.
func (b *bus) send(t Ticket, again bool) {
	select {
	case b.outbox <- announcement{b.me, again, t.Tenant, t.AskedNS, t}:
	default:
		b.desk.metrics.published["dropped"].Inc()
	}
}

// publish works off the outbox until ctx ends, and what is in it then. The
// expected time of arrival goes to the stored ticket on the way: it is known
// only once the ticket has its place in the queue.
func (b *bus) publish(ctx context.Context) {
	for {
		select {
		case m := <-b.outbox:
			b.batch(m)
		case <-ctx.Done():
			for {
				select {
				case m := <-b.outbox:
					b.batch(m)
				default:
					return
				}
			}
		}
	}
}

// batch publishes m and what waits behind it, in one round trip.
func (b *bus) batch(m announcement) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	p := b.redis.Pipeline()
	n := 0
	for more := true; more && n < busBatch; n++ {
		p.HSet(ctx, ticketKey(m.Ticket.ID), "eta", m.Ticket.ETA)
		p.PExpire(ctx, ticketKey(m.Ticket.ID), ticketLife) // where the ticket itself was lost or erased meanwhile
		if b.shared {
			p.Publish(ctx, busChannel, []byte(m.encode()))
		}
		select {
		case m = <-b.outbox:
		default:
			more = false
		}
	}
	result := "ok"
	if _, err := p.Exec(ctx); err != nil {
		result = "failed"
	}
	b.desk.metrics.published[result].Add(float64(n))
}

// listen hears of the tickets of other servers until ctx ends.
func (b *bus) listen(ctx context.Context) {
	if !b.shared {
		return
	}
	sub := b.redis.Subscribe(ctx, busChannel)
	defer sub.Close()
	inbox := sub.ChannelWithSubscriptions(redis.WithChannelSize(busInbox), redis.WithChannelSendTimeout(time.Second))
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-inbox:
			if !ok {
				return
			}
			switch m := m.(type) {
			case *redis.Subscription:
				b.desk.resync(ctx)
			case *redis.Message:
				b.receive(m.Payload)
			}
		}
	}
}

func (b *bus) receive(payload string) {
	var m announcement
	if len(payload) > dialog.MaxRecord || json.Unmarshal([]byte(payload), &m) != nil || !dialog.IsID(m.Ticket.ID) || m.From == b.me {
		return
	}
	m.Ticket.Tenant, m.Ticket.AskedNS = m.Tenant, m.Asked
	b.desk.metrics.heard.Inc()
	b.desk.deliver(m.Ticket, m.Again)
}
