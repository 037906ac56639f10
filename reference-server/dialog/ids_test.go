package dialog

import (
	"fmt"
	"strings"
	"testing"
)

func TestStripMarks(t *testing.T) {
	for in, want := range map[string]string{
		"优惠券 ⟦c:AAAAAAAA.1⟧": "优惠券",
		"a⟦x⟧b⟦y⟧c":          "abc",
		"plain":              "plain",
		"open ⟦never shut":   "open",
		"⟦seen c:A.1 c:A.2⟧": "",
		"shut ⟧ only":        "shut ⟧ only",
	} {
		if got := StripMarks(in); got != want {
			t.Errorf("stripMarks(%q) = %q, want %q", in, got, want)
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
