package load

import (
	"reflect"
	"testing"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// What answers say of sessions, of whole ones with a good status alone.
func TestWhatIsHeardOfSessions(t *testing.T) {
	named := func(status int, id string) *driver.Reply { return &driver.Reply{Status: status, DialogID: []byte(id)} }
	broken := named(200, "")
	broken.Reason = driver.TimedOut
	for _, c := range []struct {
		name    string
		replies []*driver.Reply
		told    bool // the scenario says where dialogs are named
		want    []reason.Code
	}{
		{"nothing", nil, true, nil},
		{"named", []*driver.Reply{named(200, "a")}, true, nil},
		{"not named", []*driver.Reply{named(200, "")}, true, []reason.Code{reason.DialogNeverNamed}},
		{"not named, by the last good status", []*driver.Reply{named(299, "")}, true, []reason.Code{reason.DialogNeverNamed}},
		{"not named, by a redirect", []*driver.Reply{named(300, "")}, true, nil},
		{"not named, where nothing says that it is", []*driver.Reply{named(200, "")}, false, nil},
		{"not named, but for one", []*driver.Reply{named(200, ""), named(200, "a")}, true, nil},
		{"not whole", []*driver.Reply{broken}, true, nil},
		{"a cookie of a refusal", []*driver.Reply{{Status: 500, Cookie: true}}, true, []reason.Code{reason.CookieIgnored}},
	} {
		s := newSessions()
		for _, r := range c.replies {
			s.heard(r, nil, 1)
		}
		var got []reason.Code
		for _, i := range s.incidents(c.told) {
			got = append(got, i.What.Code)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// An id belongs to the conversation that it was first given, under which it asked or anew.
func TestWhoseAnIDIs(t *testing.T) {
	s := newSessions()
	s.heard(&driver.Reply{Status: 200, DialogID: []byte("first")}, nil, 1)
	s.heard(&driver.Reply{Status: 200, DialogID: []byte("second")}, []byte("first"), 1)
	s.heard(&driver.Reply{Status: 200, DialogID: []byte("third")}, []byte("third"), 1) // as it was asked: nothing new
	for id, want := range map[string]bool{"first": true, "second": true, "third": false, "fourth": false} {
		if got := s.ofAnother([]byte(id), 2); got != want {
			t.Errorf("%s is another's: %v", id, got)
		}
		if s.ofAnother([]byte(id), 1) {
			t.Errorf("%s is not its own", id)
		}
	}
	if list := s.incidents(true); len(list) != 1 || list[0].What.Code != reason.DialogChangesID {
		t.Errorf("%v", list)
	}
}

// Logins are told with how many were renewed, and what they took on average and at most.
func TestLoginsAreTold(t *testing.T) {
	s := newSessions()
	for i, took := range []time.Duration{2 * time.Millisecond, 9 * time.Millisecond, 4*time.Millisecond + 1} {
		s.heard(&driver.Reply{Status: 200, DialogID: []byte("a"), LoggedIn: true, Renewed: i == 1, Login: took}, []byte("a"), 1)
	}
	s.heard(&driver.Reply{Status: 200, DialogID: []byte("a"), Renewed: true, Login: time.Hour}, []byte("a"), 1) // not a login
	want := []measure.Incident{{Kind: measure.Sessions, What: reason.New(reason.LoginsMade, int64(3), int64(1), 5*time.Millisecond, 9*time.Millisecond)}}
	if got := s.incidents(true); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
