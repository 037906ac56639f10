package config

import (
	"slices"
)

// Kind is what a fault does to a call it strikes.
type Kind uint8

// The kinds.
const (
	kindNone Kind = iota
	KindStatus
	KindSlow
	KindHang
	KindReset
	KindTruncate
	KindGarbage
	KindHTML
	KindWrongContentType
	KindEmpty
	KindOversized
	KindDrip
	KindErrorInStream
	KindLeak
	KindEscape
	KindFailFirst
	KindCount // how many there are, with none
)

// kindNames spells the kinds as configuration, journal and facts do.
var kindNames = [KindCount]string{
	"", "status", "slow", "hang", "reset", "truncate", "garbage", "html", "wrong-content-type",
	"empty", "oversized", "drip", "error-in-stream", "leak", "escape", "fail-first",
}

// String is the kind as configuration, journal and facts spell it.
func (k Kind) String() string { return kindNames[k] }

// Kinds lists the fault kinds by name.
func Kinds() []string { return slices.Clone(kindNames[1:]) }

// KindOf finds a kind by name; kindNone when there is none.
func KindOf(name string) Kind {
	return Kind(max(slices.Index(kindNames[:], name), 0))
}
