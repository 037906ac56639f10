package admin

import (
	"net/http"

	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
)

func (a *Admin) showKnobs(x *exchange) error {
	set := a.Knobs.Load()
	j := texts(wire.JSON(nil).Object(""), "knobs", set.Values()).String("knobs_sha256", set.SHA256()).Array("list")
	for _, k := range knobs.List() {
		j = j.Object("").String("name", k.Name).String("unit", k.Unit).String("default", k.Default).Bool("live", k.Live).String("about", k.About).EndObject()
	}
	return x.send(http.StatusOK, j.EndArray().EndObject())
}

// setKnobs changes live knobs: {"limit.global": "1k/s"}. All or nothing.
func (a *Admin) setKnobs(x *exchange) error {
	var values map[string]string
	if err := x.decode(&values, "want an object of knob names and their values as strings"); err != nil {
		return err
	}
	set, err := a.Knobs.Change(values)
	if err != nil {
		return problem.Fields(err.Error())
	}
	a.Log.Warn("knobs changed", "values", values, "sha256", set.SHA256())
	return a.showKnobs(x)
}
