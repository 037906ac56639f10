package admin

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
)

const (
	switchDefault = 30 * time.Minute // a switch that nobody takes back is an incident in waiting
	switchLongest = 24 * time.Hour
)

func (a *Admin) appendSwitch(j wire.JSON, name string, sw degrade.Switch) wire.JSON {
	j = j.Object(name).String("mode", sw.Mode).StringIf("tier", sw.Tier).String("scope", sw.Scope).StringIf("reason", sw.Reason)
	if !sw.Expires.IsZero() {
		j = j.String("expires_at", sw.Expires.Format(time.RFC3339Nano))
	}
	return j.Int("version", sw.Version).Bool("shared", a.Watch.SwitchShared()).EndObject()
}

func (a *Admin) showSwitch(w http.ResponseWriter, _ *http.Request) {
	sw := a.Watch.CurrentSwitch()
	w.Header().Set("ETag", `"`+strconv.FormatInt(sw.Version, 10)+`"`)
	send(w, http.StatusOK, a.appendSwitch(nil, "", sw))
}

// setSwitch takes {mode, tier, scope, reason, expires_in} with If-Match.
func (a *Admin) setSwitch(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Mode      string `json:"mode"`
		Tier      string `json:"tier"`
		Scope     string `json:"scope"`
		Reason    string `json:"reason"`
		ExpiresIn string `json:"expires_in"`
	}
	if err := wire.Decode(r.Body, &in); err != nil {
		problem.Fields("want {mode: auto|freeze|force, tier, scope, reason, expires_in}: "+err.Error()).Write(w, "")
		return
	}
	sw := degrade.Switch{Mode: in.Mode, Scope: in.Scope, Reason: in.Reason}
	life := switchDefault
	if in.ExpiresIn != "" {
		d, err := time.ParseDuration(in.ExpiresIn)
		if err != nil || d <= 0 || d > switchLongest {
			problem.Fields("expires_in: want a duration up to 24h, such as 30m").Write(w, "")
			return
		}
		life = d
	}
	sw.Expires = time.Now().Add(life)
	if p := sw.Check(in.Tier); p != "" {
		problem.Fields(p).Write(w, "")
		return
	}
	version, ok := ifMatch(w, r)
	if !ok {
		return
	}
	if !a.Watch.SetSwitch(r.Context(), sw, version) {
		problem.StaleVersion.Write(w, "")
		return
	}
	a.Log.Warn("switch", "mode", sw.Mode, "tier", sw.Tier, "scope", sw.Scope, "reason", sw.Reason, "expires_at", sw.Expires.UTC())
	a.showSwitch(w, r)
}

// ifMatch reads the version that a caller has seen; false: it was told to send one.
func ifMatch(w http.ResponseWriter, r *http.Request) (version int64, ok bool) {
	version, err := strconv.ParseInt(strings.Trim(r.Header.Get("If-Match"), `"`), 10, 64)
	if err != nil {
		problem.NoVersion.Write(w, "")
		return 0, false
	}
	return version, true
}
