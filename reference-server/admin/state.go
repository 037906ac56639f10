package admin

import (
	"maps"
	"net/http"
	"slices"

	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/wire"
)

// state shows what the server does and how it is set, in exact figures.
func (a *Admin) state(x *exchange) error {
	set, at, f, room := a.Knobs.Load(), a.Watch.At(), a.Chat.Figures(), a.Limiter.State()
	j := wire.JSON(nil).Object("").String("profile", a.Profile)
	j = texts(j, "knobs", set.Values()).String("knobs_sha256", set.SHA256()).String("redis", a.Redis)
	j = j.String("tier", at.Shown().String()).Int("live_share", int64(at.LiveShare()))
	j = a.appendSwitch(j, "switch", a.Watch.CurrentSwitch()).Array("transitions")
	for _, t := range a.Watch.History() {
		j = j.Object("").Int("t_unix_ms", t.AtMS).String("from", t.From).String("to", t.To).Int("live_share", int64(t.Share)).String("reason", t.Reason).EndObject()
	}
	j = j.EndArray().Int("turns", f.Turns).Int("degraded", f.Degraded).Object("answers")
	for t := range degrade.TierNames {
		j = j.Int(degrade.TierNames[t], f.Answers[t])
	}
	j = counts(j.EndObject(), "outcomes", a.Outcomes())
	j = j.Int("llm_attempts", a.Attempts()).String("breaker", a.Caller.Breaker().State()).
		Object("cache").Int("hit", f.Hit).Int("miss", f.Miss).Int("stale", f.Stale).EndObject().
		Object("tickets").Int("journal", int64(a.Desk.Journaled())).EndObject().
		Object("agents").Int("sockets", a.Desk.Sockets())
	open, most := a.Connections()
	j = counts(j, "on_duty", a.Desk.OnDuty()).EndObject().
		Object("customers").Int("sockets", int64(a.Customers())).EndObject().Object("connections").Int("open", open).Int("most", most).EndObject().Int("redis_round_trips", a.RoundTrips()).
		Object("gray").String("state", string(a.Gray.Current().State)).Int("version", a.Gray.Current().Version).EndObject().
		Int("in_flight", a.Chat.InFlight()).
		Object("admission").Int("limit", int64(room.Limit)).Int("in_flight", int64(room.InFlight)).Int("waiting", int64(room.Waiting)).Int("sheds", room.Sheds).EndObject().
		Float("cpu_lag_ms", float64(a.Watch.Lag().Microseconds())/1000, 1).
		Bool("draining", a.Draining())
	return x.send(http.StatusOK, j.EndObject())
}

// texts appends an object of texts, in the order of names.
func texts(j wire.JSON, name string, values map[string]string) wire.JSON {
	j = j.Object(name)
	for _, k := range slices.Sorted(maps.Keys(values)) {
		j = j.String(k, values[k])
	}
	return j.EndObject()
}

// counts appends an object of whole numbers, in the order of names.
func counts[N int | int64](j wire.JSON, name string, values map[string]N) wire.JSON {
	j = j.Object(name)
	for _, k := range slices.Sorted(maps.Keys(values)) {
		j = j.Int(k, int64(values[k]))
	}
	return j.EndObject()
}
