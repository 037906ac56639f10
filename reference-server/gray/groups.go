package gray

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/cstest/cstest/reference-server/knobs"
)

// Group is a release group.
type Group uint8

// The groups.
const (
	Base Group = iota
	Gray

	NumGroups = int(Gray) + 1
)

// Names are the names of the groups, in their order.
var Names = [NumGroups]string{"base", "gray"}

// String is the group's name.
func (g Group) String() string { return Names[g] }

// view is how users are parted at the moment.
type view struct {
	from    *knobs.Settings // of everybody
	release *Release
	share   float64
	gray    *knobs.Settings // of the group
	own     bool            // those are others than everybody's
}

// Of is the group of a user, and its knobs. The uid is that of the caller's token: no
// part of a request chooses the group.
func (r *Releases) Of(uid string) (Group, *knobs.Settings) {
	v := r.view()
	if member(uid, v.from, v.share) {
		return Gray, v.gray
	}
	return Base, v.from
}

// Settings are the knobs of a group.
func (r *Releases) Settings(g Group) *knobs.Settings {
	if v := r.view(); g == Gray {
		return v.gray
	}
	return r.knobs.Load()
}

// Running says whether the group has knobs of its own at the moment.
func (r *Releases) Running() bool { return r.view().own }

// view is made anew when knobs or release have changed.
func (r *Releases) view() *view {
	v, set, rel := r.seen.Load(), r.knobs.Load(), r.release.Load()
	if v != nil && v.from == set && v.release == rel {
		return v
	}
	v = &view{from: set, release: rel, gray: set}
	now := r.current(set, rel)
	if now.State == Running || now.State == "" {
		v.share = now.Share
	}
	if now.State == Running && len(now.Knobs) > 0 {
		// It was good when it began; everybody's knobs may have changed so that it is
		// not any more, and then the group has those.
		if own, err := set.ForGroup(now.Knobs); err == nil {
			v.gray, v.own = &own, true
		}
	}
	r.seen.Store(v)
	return v
}

// member says whether a user is among this share. hash: SHA-256 of salt and uid,
// modulo 10,000, below the share: whoever is in stays in when the share grows. tail:
// the last two digits of the uid, as the article has it, where a uid without them is
// in no group.
func member(uid string, s *knobs.Settings, share float64) bool {
	if share <= 0 {
		return false
	}
	if s.GrayMode == "tail" {
		n := len(uid)
		if n < 2 || !digit(uid[n-2]) || !digit(uid[n-1]) {
			return false
		}
		return float64(10*int(uid[n-2]-'0')+int(uid[n-1]-'0')) < 100*share
	}
	h := sha256.Sum256([]byte(s.GraySalt + "\x00" + uid))
	return float64(binary.BigEndian.Uint64(h[:8])%10_000) < 10_000*share
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
