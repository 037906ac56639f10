package desk

import (
	"fmt"
	"testing"
)

func ticketID(n int) string { return fmt.Sprintf("%032x", n) }

func TestTheJournalIsBounded(t *testing.T) {
	var j journal
	for i := range journalCap + 5 {
		j.add(Ticket{ID: fmt.Sprint(i), Tenant: "default", Queue: "order", State: stateOpen}, false)
	}
	if j.length() != journalCap || len(j.byID) != journalCap || j.dropped != 5 {
		t.Errorf("%d entries, %d by id, %d dropped; want %d, %d, 5", j.length(), len(j.byID), j.dropped, journalCap, journalCap)
	}
	if _, ok := j.get("4"); ok {
		t.Error("the oldest stayed")
	}
	if _, ok := j.get("5"); !ok {
		t.Error("one too many went")
	}
}

// From the first attempt to write a ticket on, the journal gives it to nobody:
// Redis may have it, and others may have claimed it there.
func TestTheJournalLetsGoOfWhatItWrites(t *testing.T) {
	var j journal
	j.add(Ticket{ID: ticketID(1), Tenant: "default", Queue: "order", State: stateOpen}, false)
	nothing := func(*Ticket) {}
	if !j.change(ticketID(1), nothing) || len(j.open("default", queueNames())) != 1 {
		t.Fatal("a ticket that is only here cannot be changed")
	}
	if _, again, ok := j.next(); !ok || again {
		t.Fatalf("next: again %v, ok %v", again, ok)
	}
	if j.change(ticketID(1), nothing) || len(j.open("default", queueNames())) != 0 {
		t.Error("a ticket on its way to Redis was changed here")
	}
	if _, again, _ := j.next(); !again {
		t.Error("the first attempt is forgotten")
	}
	j.unsent(ticketID(1))
	if !j.change(ticketID(1), nothing) {
		t.Error("a ticket that Redis never saw is lost to the journal")
	}
}
