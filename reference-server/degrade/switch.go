package degrade

import (
	"slices"
	"strings"
	"time"
)

// The modes of a switch.
const (
	modeAuto   = "auto"
	modeFreeze = "freeze"
	modeForce  = "force"
)

// The scopes of a switch: everybody, or those of one tenant or release group.
const (
	scopeAll    = "all"
	scopeTenant = "tenant:"
	scopeGroup  = "group:"
	maxScope    = 300 // bytes
)

// Switch overrides the decision about the tier by hand: auto leaves it to the
// server, freeze keeps the tier of the moment, force sets one. It expires.
type Switch struct {
	Mode    string
	Tier    string
	Scope   string // all, tenant:NAME or group:NAME
	Reason  string
	Expires time.Time
	Version int64
	forced  Tier
}

// Check completes the switch; the result says what is wrong, or nothing.
func (sw *Switch) Check(tier string) string {
	if sw.Scope == "" {
		sw.Scope = scopeAll
	}
	name, part := strings.CutPrefix(sw.Scope, scopeTenant)
	if !part {
		name, part = strings.CutPrefix(sw.Scope, scopeGroup)
	}
	switch sw.Mode {
	case modeAuto, modeFreeze:
		if tier != "" {
			return "tier: only with mode force"
		}
		if part {
			return "scope: only with mode force"
		}
	case modeForce:
		i := slices.Index(TierNames[:], tier)
		if i < 0 {
			return "tier: want llm, faq, handoff or static"
		}
		sw.Tier, sw.forced = tier, Tier(i)
	default:
		return "mode: want auto, freeze or force"
	}
	if sw.Scope != scopeAll && (!part || name == "") || len(sw.Scope) > maxScope {
		return "scope: want all, tenant:NAME or group:NAME"
	}
	if len(sw.Reason) > 200 || sw.Mode != modeAuto && sw.Reason == "" {
		return "reason: say why, in 1 to 200 bytes"
	}
	return ""
}

// covers says whether the switch is meant for this tenant and group.
func (sw *Switch) covers(tenant, group string) bool {
	return sw.Scope == scopeAll || sw.Scope == scopeTenant+tenant || sw.Scope == scopeGroup+group
}

// CurrentSwitch is the switch in force; an expired one is auto again.
func (w *Watch) CurrentSwitch() Switch {
	sw := w.hand.Load()
	if sw == nil {
		return Switch{Mode: modeAuto, Scope: scopeAll}
	}
	if sw.Mode != modeAuto && !time.Now().Before(sw.Expires) {
		return Switch{Mode: modeAuto, Scope: scopeAll, Version: sw.Version}
	}
	return *sw
}

// version is that of the switch known here; 0: never touched.
func (w *Watch) version() int64 {
	if sw := w.hand.Load(); sw != nil {
		return sw.Version
	}
	return 0
}
