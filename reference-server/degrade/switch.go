package degrade

import (
	"slices"
	"time"
)

// Switch overrides the decision about the tier by hand: auto leaves it to the
// server, freeze keeps the tier of the moment, force sets one. It expires.
type Switch struct {
	Mode    string
	Tier    string
	Reason  string
	Expires time.Time
	Version int64
	forced  Tier
}

// Check completes the switch; the result says what is wrong, or nothing.
func (sw *Switch) Check(tier string) string {
	switch sw.Mode {
	case "auto", "freeze":
		if tier != "" {
			return "tier: only with mode force"
		}
	case "force":
		i := slices.Index(TierNames[:], tier)
		if i < 0 {
			return "tier: want llm, faq, handoff or static"
		}
		sw.Tier, sw.forced = tier, Tier(i)
	default:
		return "mode: want auto, freeze or force"
	}
	if len(sw.Reason) > 200 || sw.Mode != "auto" && sw.Reason == "" {
		return "reason: say why, in 1 to 200 bytes"
	}
	return ""
}

// CurrentSwitch is the switch in force; an expired one is auto again.
func (w *Watch) CurrentSwitch() Switch {
	sw := w.hand.Load()
	if sw == nil {
		return Switch{Mode: "auto"}
	}
	if sw.Mode != "auto" && !time.Now().Before(sw.Expires) {
		return Switch{Mode: "auto", Version: sw.Version}
	}
	return *sw
}

// SetSwitch replaces the switch if its version is still the given one.
func (w *Watch) SetSwitch(sw Switch, version int64) bool {
	old := w.hand.Load()
	have := int64(0)
	if old != nil {
		have = old.Version
	}
	if have != version {
		return false
	}
	sw.Version = version + 1
	return w.hand.CompareAndSwap(old, &sw)
}
