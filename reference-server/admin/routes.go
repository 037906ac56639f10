package admin

import (
	"net/http"
	"net/http/pprof"
	runtimepprof "runtime/pprof"

	"github.com/cstest/cstest/reference-server/problem"
)

// Endpoint is one row of the table.
type Endpoint struct {
	Method string
	Path   string
	answer func(*exchange) error
}

// Endpoints is all that operators can ask for.
func (a *Admin) Endpoints() []Endpoint {
	list := []Endpoint{
		{"GET", "/healthz", a.healthz},
		{"GET", "/readyz", a.readyz},
		{"GET", "/metrics", page(a.Metrics.ServeHTTP)},
		{"GET", "/admin/state", a.state},
		{"GET", "/admin/knobs", a.showKnobs},
		{"PUT", "/admin/knobs", a.setKnobs},
		{"GET", "/admin/switches", a.showSwitch},
		{"PUT", "/admin/switches", a.setSwitch},
		{"GET", "/admin/gray", a.showGray},
		{"PUT", "/admin/gray", a.startGray},
		{"POST", "/admin/gray/promote", a.promoteGray},
		{"POST", "/admin/gray/rollback", a.rollbackGray},
		{"GET", "/admin/backflow", a.showBackflow},
		{"GET", "/admin/backflow/drafts", a.showDrafts},
		{"POST", "/admin/backflow/drafts/{id}/accept", a.acceptDraft},
		{"POST", "/admin/backflow/drafts/{id}/reject", a.rejectDraft},
		{"GET", "/admin/backflow/faq", a.showShelf},
		{"DELETE", "/admin/backflow/faq/{id}", a.takeBack},
		{"POST", "/admin/cache/purge", a.purge},
	}
	if !a.Pprof {
		return list
	}
	return append(list,
		Endpoint{"GET", "/debug/pprof/", page(pprof.Index)},
		Endpoint{"GET", "/debug/pprof/profile", page(pprof.Profile)},
		Endpoint{"GET", "/debug/pprof/symbol", page(pprof.Symbol)},
		Endpoint{"GET", "/debug/pprof/trace", page(pprof.Trace)},
		Endpoint{"GET", "/debug/pprof/{name}", profile})
}

// page is an answer that is rendered by another.
func page(of http.HandlerFunc) func(*exchange) error {
	return func(x *exchange) error {
		of(&x.w, x.r)
		return nil
	}
}

// profile is one that the runtime has by name.
func profile(x *exchange) error {
	if runtimepprof.Lookup(x.r.PathValue("name")) == nil {
		return problem.NotFound
	}
	return page(pprof.Index)(x)
}

// purge empties the cache of hot answers.
func (a *Admin) purge(x *exchange) error {
	a.Chat.Forget()
	return x.done()
}
