package measure

import (
	"reflect"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
)

// What happened to several shards is told once, whatever their order.
func TestIncidentsOfShardsAreMerged(t *testing.T) {
	at := func(kind IncidentKind, second int) Incident {
		return Incident{Kind: kind, At: time.Duration(second) * time.Second, What: reason.New(reason.ClockSet, time.Hour, second+1)}
	}
	a := &Facts{Incidents: []Incident{at(Suspended, 5), at(ClockStep, 1)}}
	b := &Facts{Incidents: []Incident{at(ClockStep, 1), at(OtherTarget, 5)}}
	want := []Incident{at(ClockStep, 1), at(OtherTarget, 5), at(Suspended, 5)}
	for _, got := range []*Facts{MergeFacts(a, b), MergeFacts(b, a)} {
		if !reflect.DeepEqual(got.Incidents, want) {
			t.Errorf("incidents %+v, want %+v", got.Incidents, want)
		}
	}
	if none := MergeFacts(&Facts{}, &Facts{}); len(none.Incidents) != 0 {
		t.Errorf("incidents of none: %+v", none.Incidents)
	}
}
