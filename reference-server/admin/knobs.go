package admin

import (
	"net/http"

	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
)

func (a *Admin) showKnobs(w http.ResponseWriter, _ *http.Request) {
	set := a.Knobs.Load()
	j := texts(wire.JSON(nil).Object(""), "knobs", set.Values()).String("knobs_sha256", set.SHA256()).Array("list")
	for _, k := range knobs.List() {
		j = j.Object("").String("name", k.Name).String("unit", k.Unit).String("default", k.Default).Bool("live", k.Live).String("about", k.About).EndObject()
	}
	send(w, http.StatusOK, j.EndArray().EndObject())
}

// setKnobs changes live knobs: {"limit.global": "1k/s"}. All or nothing.
func (a *Admin) setKnobs(w http.ResponseWriter, r *http.Request) {
	var values map[string]string
	if err := wire.Decode(r.Body, &values); err != nil {
		problem.Fields("want an object of knob names and their values as strings: "+err.Error()).Write(w, "")
		return
	}
	set, err := a.Knobs.Change(values)
	if err != nil {
		problem.Fields(err.Error()).Write(w, "")
		return
	}
	a.Log.Warn("knobs changed", "values", values, "sha256", set.SHA256())
	a.showKnobs(w, r)
}
