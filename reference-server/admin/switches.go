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

func (a *Admin) showSwitch(x *exchange) error {
	sw := a.Watch.CurrentSwitch()
	x.w.Header().Set("ETag", `"`+strconv.FormatInt(sw.Version, 10)+`"`)
	return x.send(http.StatusOK, a.appendSwitch(nil, "", sw))
}

// setSwitch takes {mode, tier, scope, reason, expires_in} with If-Match.
func (a *Admin) setSwitch(x *exchange) error {
	var in struct {
		Mode      string `json:"mode"`
		Tier      string `json:"tier"`
		Scope     string `json:"scope"`
		Reason    string `json:"reason"`
		ExpiresIn string `json:"expires_in"`
	}
	if err := x.decode(&in, "want {mode: auto|freeze|force, tier, scope, reason, expires_in}"); err != nil {
		return err
	}
	sw := degrade.Switch{Mode: in.Mode, Scope: in.Scope, Reason: in.Reason}
	life := switchDefault
	if in.ExpiresIn != "" {
		d, err := time.ParseDuration(in.ExpiresIn)
		if err != nil || d <= 0 || d > switchLongest {
			return problem.Fields("expires_in: want a duration up to 24h, such as 30m")
		}
		life = d
	}
	sw.Expires = time.Now().Add(life)
	if p := sw.Check(in.Tier); p != "" {
		return problem.Fields(p)
	}
	version, err := x.ifMatch()
	if err != nil {
		return err
	}
	if !a.Watch.SetSwitch(x.r.Context(), sw, version) {
		return problem.StaleVersion
	}
	a.Log.Warn("switch", "mode", sw.Mode, "tier", sw.Tier, "scope", sw.Scope, "reason", sw.Reason, "expires_at", sw.Expires.UTC())
	return a.showSwitch(x)
}

// ifMatch is the version that the caller has seen.
func (x *exchange) ifMatch() (version int64, err error) {
	version, err = strconv.ParseInt(strings.Trim(x.r.Header.Get("If-Match"), `"`), 10, 64)
	if err != nil {
		return 0, problem.NoVersion
	}
	return version, nil
}
