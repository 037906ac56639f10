package admin

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
	"github.com/cstest/cstest/unit"
)

// showGray tells where the release stands, and how the groups fared in the last
// minute.
func (a *Admin) showGray(x *exchange) error {
	r := a.Gray.Current()
	sums, excess := a.Gray.Sums()
	x.w.Header().Set("ETag", `"`+strconv.FormatInt(r.Version, 10)+`"`)
	j := wire.JSON(nil).Object("").Int("version", r.Version).StringIf("state", string(r.State)).Float("share", r.Share, -1)
	j = texts(j, "knobs", r.Knobs).StringIf("reason", r.Reason).StringIf("by", r.By)
	if r.AtMS > 0 {
		j = j.String("at", time.UnixMilli(r.AtMS).UTC().Format(time.RFC3339Nano))
	}
	j = texts(j, "promoted", r.All).Bool("shared", a.Gray.Shared()).Object("groups")
	for g, t := range sums {
		j = j.Object(gray.Names[g]).Int("turns", t.N).Int("bad", t.Bad).EndObject()
	}
	return x.send(http.StatusOK, j.EndObject().Float("excess", excess, 4).EndObject())
}

// startGray takes {share, knobs, reason} with If-Match.
func (a *Admin) startGray(x *exchange) error {
	var in struct {
		Share  unit.Share        `json:"share"`
		Knobs  map[string]string `json:"knobs"`
		Reason string            `json:"reason"`
	}
	if err := x.decode(&in, `want {share: "5%", knobs: {"llm.model": "…"}, reason}`); err != nil {
		return err
	}
	version, err := x.ifMatch()
	if err != nil {
		return err
	}
	return a.afterGray(x, a.Gray.Start(x.r.Context(), version, float64(in.Share), in.Knobs, in.Reason))
}

func (a *Admin) promoteGray(x *exchange) error {
	reason, version, err := x.reasonAndVersion()
	if err != nil {
		return err
	}
	return a.afterGray(x, a.Gray.Promote(x.r.Context(), version, reason))
}

func (a *Admin) rollbackGray(x *exchange) error {
	reason, version, err := x.reasonAndVersion()
	if err != nil {
		return err
	}
	return a.afterGray(x, a.Gray.Rollback(x.r.Context(), version, reason, gray.ByOperator))
}

// reasonAndVersion reads {reason} with If-Match.
func (x *exchange) reasonAndVersion() (reason string, version int64, err error) {
	const want = "want {reason}: say why, in 1 to 200 bytes"
	var in struct {
		Reason string `json:"reason"`
	}
	if err := x.decode(&in, want); err != nil {
		return "", 0, err
	}
	if in.Reason == "" || len(in.Reason) > 200 {
		return "", 0, problem.Fields(want)
	}
	version, err = x.ifMatch()
	return in.Reason, version, err
}

// afterGray answers what a change came to.
func (a *Admin) afterGray(x *exchange, err error) error {
	var field *gray.FieldError
	switch {
	case err == nil:
		return a.showGray(x)
	case errors.As(err, &field):
		return problem.Fields(field.What)
	case errors.Is(err, gray.ErrStale):
		return problem.StaleVersion
	case errors.Is(err, gray.ErrNothing):
		return problem.NoRelease
	}
	return problem.State
}
