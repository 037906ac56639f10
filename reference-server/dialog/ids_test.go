package dialog

import (
	"fmt"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"优惠券 ⟦c:AAAAAAAA.1⟧": "优惠券",
		"a⟦x⟧b⟦y⟧c":          "abc",
		"plain":              "plain",
		"open ⟦never shut":   "open",
		"⟦seen c:A.1 c:A.2⟧": "",
		"shut ⟧ only":        "shut ⟧ only",
	} {
		if got := ReadWords(in); got.Said != want || got.Marked != in {
			t.Errorf("%q is read as %q, said %q, want %q", in, got.Marked, got.Said, want)
		}
	}
}

func TestIDs(t *testing.T) {
	m := NewMinter([]byte("0123456789abcdef0123456789abcdef"))
	a, b := Owner{Tenant: "t1", UID: "u1"}, Owner{Tenant: "t1", UID: "u2"}
	id := m.Mint(IDDialog, a)
	if !IsID(id) {
		t.Fatalf("minted %q", id)
	}
	if !m.Owns(id, IDDialog, a) {
		t.Error("the owner is not recognised")
	}
	for name, ok := range map[string]bool{
		"another user":   m.Owns(id, IDDialog, b),
		"another tenant": m.Owns(id, IDDialog, Owner{Tenant: "t2", UID: "u1"}),
		"another kind":   m.Owns(id, IDTicket, a),
		"shifted border": m.Owns(m.Mint(IDDialog, Owner{Tenant: "t", UID: "1u1"}), IDDialog, Owner{Tenant: "t1", UID: "u1"}),
		"another key":    NewMinter([]byte(strings.Repeat("x", 32))).Owns(id, IDDialog, a),
	} {
		if ok {
			t.Errorf("%s is taken for the owner", name)
		}
	}
	for i := range 100_000 {
		guess := fmt.Sprintf("%032x", i)
		if m.Owns(guess, IDDialog, a) {
			t.Fatalf("guess %s hits", guess)
		}
	}
}

// A turn sent again has the same id; another turn, user, tenant or kind has another.
func TestIDsOfTurns(t *testing.T) {
	m := NewMinter([]byte("0123456789abcdef0123456789abcdef"))
	a := Owner{Tenant: "t1", UID: "u1"}
	id := m.Derive(IDDialog, a, "turn-1")
	if !IsID(id) || !m.Owns(id, IDDialog, a) || m.Owns(id, IDDialog, Owner{Tenant: "t1", UID: "u2"}) {
		t.Fatalf("derived %q is not its owner's alone", id)
	}
	if again := NewMinter([]byte("0123456789abcdef0123456789abcdef")).Derive(IDDialog, a, "turn-1"); again != id {
		t.Errorf("on another server with the same key %s, here %s", again, id)
	}
	for name, other := range map[string]string{
		"turn":   m.Derive(IDDialog, a, "turn-2"),
		"user":   m.Derive(IDDialog, Owner{Tenant: "t1", UID: "u2"}, "turn-1"),
		"tenant": m.Derive(IDDialog, Owner{Tenant: "t2", UID: "u1"}, "turn-1"),
		"kind":   m.Derive(IDTicket, a, "turn-1"),
		"border": m.Derive(IDDialog, Owner{Tenant: "t", UID: "1u1"}, "turn-1"),
		"key":    NewMinter([]byte(strings.Repeat("x", 32))).Derive(IDDialog, a, "turn-1"),
	} {
		if other[:2*idRandom] == id[:2*idRandom] {
			t.Errorf("another %s has the same id", name)
		}
	}
}
