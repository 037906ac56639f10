package admin

import (
	"net/http"
	"time"

	"github.com/cstest/cstest/reference-server/wire"
)

// Healthz says that the process answers.
func (a *Admin) Healthz() (int, wire.JSON) {
	return http.StatusOK, wire.JSON(nil).Object("").String("status", "ok").EndObject()
}

func (a *Admin) healthz(x *exchange) error {
	return x.send(a.Healthz())
}

func (a *Admin) readyz(x *exchange) error {
	return x.send(a.Readyz())
}

// ReadyAsked is when Readyz was last asked.
func (a *Admin) ReadyAsked() time.Time { return time.Unix(0, a.asked.Load()) }

// Readyz is 503 only on the way down or without keys: a Redis or a model that
// is down is reported, not failed, because the lower tiers still serve.
func (a *Admin) Readyz() (int, wire.JSON) {
	a.asked.Store(time.Now().UnixNano())
	status, code := "ready", http.StatusOK
	switch {
	case a.Leaving():
		status, code = "draining", http.StatusServiceUnavailable
	case !a.Keys:
		status, code = "no key to check tokens with", http.StatusServiceUnavailable
	}
	redis := "ok"
	if a.Watch.RedisFails(time.Now()) {
		redis = "failing"
	}
	return code, wire.JSON(nil).Object("").String("status", status).String("tier", a.Watch.At().Shown().String()).
		String("breaker", a.Caller.Breaker().State()).String("redis", redis).EndObject()
}
