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
func (a *Admin) showGray(w http.ResponseWriter, _ *http.Request) {
	r := a.Gray.Current()
	sums, excess := a.Gray.Sums()
	w.Header().Set("ETag", `"`+strconv.FormatInt(r.Version, 10)+`"`)
	j := wire.JSON(nil).Object("").Int("version", r.Version).StringIf("state", string(r.State)).Float("share", r.Share, -1)
	j = texts(j, "knobs", r.Knobs).StringIf("reason", r.Reason).StringIf("by", r.By)
	if r.AtMS > 0 {
		j = j.String("at", time.UnixMilli(r.AtMS).UTC().Format(time.RFC3339Nano))
	}
	j = texts(j, "promoted", r.All).Bool("shared", a.Gray.Shared()).Object("groups")
	for g, t := range sums {
		j = j.Object(gray.Names[g]).Int("turns", t.N).Int("bad", t.Bad).EndObject()
	}
	send(w, http.StatusOK, j.EndObject().Float("excess", excess, 4).EndObject())
}

// startGray takes {share, knobs, reason} with If-Match.
func (a *Admin) startGray(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Share  unit.Share        `json:"share"`
		Knobs  map[string]string `json:"knobs"`
		Reason string            `json:"reason"`
	}
	if err := wire.Decode(r.Body, &in); err != nil {
		problem.Fields(`want {share: "5%", knobs: {"llm.model": "…"}, reason}: `+err.Error()).Write(w, "")
		return
	}
	if version, ok := ifMatch(w, r); ok {
		a.afterGray(w, r, a.Gray.Start(r.Context(), version, float64(in.Share), in.Knobs, in.Reason))
	}
}

func (a *Admin) promoteGray(w http.ResponseWriter, r *http.Request) {
	if reason, ok := reasonOf(w, r); ok {
		if version, ok := ifMatch(w, r); ok {
			a.afterGray(w, r, a.Gray.Promote(r.Context(), version, reason))
		}
	}
}

func (a *Admin) rollbackGray(w http.ResponseWriter, r *http.Request) {
	if reason, ok := reasonOf(w, r); ok {
		if version, ok := ifMatch(w, r); ok {
			a.afterGray(w, r, a.Gray.Rollback(r.Context(), version, reason, gray.ByOperator))
		}
	}
}

// reasonOf reads {reason}; false: the caller was told what is wrong.
func reasonOf(w http.ResponseWriter, r *http.Request) (reason string, ok bool) {
	var in struct {
		Reason string `json:"reason"`
	}
	if err := wire.Decode(r.Body, &in); err != nil || in.Reason == "" || len(in.Reason) > 200 {
		problem.Fields("want {reason}: say why, in 1 to 200 bytes").Write(w, "")
		return "", false
	}
	return in.Reason, true
}

func (a *Admin) afterGray(w http.ResponseWriter, r *http.Request, err error) {
	var field *gray.FieldError
	switch {
	case err == nil:
		a.showGray(w, r)
	case errors.As(err, &field):
		problem.Fields(field.What).Write(w, "")
	case errors.Is(err, gray.ErrStale):
		problem.StaleVersion.Write(w, "")
	case errors.Is(err, gray.ErrNothing):
		problem.NoRelease.Write(w, "")
	default:
		problem.State.Write(w, "")
	}
}
