package trial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/servers"
)

// RefusedError is a target that may not be loaded without being allowed by name.
type RefusedError struct {
	Host    string
	Address netip.Addr
}

// Error names the address and the flag that would allow it.
func (e *RefusedError) Error() string {
	return e.Reasons().String()
}

// Reasons is the error as a reason.
func (e *RefusedError) Reasons() reason.Reasons {
	return reason.Reasons{reason.New(reason.TargetPublic, e.Host, e.Address, e.Host)}
}

// TargetError is a target that could not be used.
type TargetError struct {
	Why reason.Reason // of several lines, some
	Err error
}

// Error is the whole story.
func (e *TargetError) Error() string { return e.Why.String() }

// Reasons is the error as a reason.
func (e *TargetError) Reasons() reason.Reasons { return reason.Reasons{e.Why} }

// Unwrap gives the cause, when there is one.
func (e *TargetError) Unwrap() error { return e.Err }

// startServers brings up what the scenario asks for; a mock LLM that cannot be
// used is a *TargetError.
func startServers(ctx context.Context, s *scenario.Scenario, o *Options) (*servers.Set, error) {
	up, err := servers.Start(ctx, s, servers.Options{
		Executable: o.Executable, LogDir: o.LogDir, Redact: o.Redact, Owner: o.RunID, ArmedElsewhere: o.Shards > 1,
	})
	return up, unusable(err)
}

// Borrow finds the mock LLM that a scenario's llm.admin names, to be armed once for
// a run that others drive. Its error is a *TargetError.
func Borrow(ctx context.Context, s *scenario.Scenario, owner string) (*Lent, error) {
	b, err := servers.Borrow(ctx, s, owner, load.TracePrefix(s.Seed))
	if err != nil {
		return nil, unusable(err)
	}
	return &Lent{b}, nil
}

// Lent is a mock LLM that runs already, for the length of a load.
type Lent struct{ *servers.Borrowed }

// Arm is Borrowed's; one that is armed for another run is a *TargetError.
func (l *Lent) Arm(ctx context.Context, base time.Time, ttl time.Duration) error {
	return unusable(l.Borrowed.Arm(ctx, base, ttl))
}

// unusable tells a mock LLM that cannot be used as a target that cannot.
func unusable(err error) error {
	if mock, ok := errors.AsType[*servers.Error](err); ok {
		return &TargetError{Why: mock.Why, Err: mock.Err}
	}
	return err
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// private tells whether load may go to an address without being asked twice.
func private(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsUnspecified() || a.IsPrivate() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a)
}

// checkAddress refuses public targets that were not allowed by host, address or
// prefix. It returns whether the target is on this machine.
func checkAddress(ctx context.Context, t *scenario.Target, allow []string) (local bool, err error) {
	u, err := url.Parse(t.URL)
	if err != nil {
		return false, fmt.Errorf("target url: %w", err)
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "wss": "443"}[u.Scheme]
		if port == "" {
			port = "80"
		}
	}
	dial := host
	if to, ok := t.Resolve[net.JoinHostPort(host, port)]; ok {
		if h, _, err := net.SplitHostPort(to); err == nil {
			dial = h
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", dial)
	if err != nil {
		return false, &TargetError{Why: reason.New(reason.TargetNotFound, u.Redacted(), err), Err: err}
	}
	for _, a := range addrs {
		if !private(a) && !allowed(allow, host, dial, a) {
			return false, &RefusedError{Host: host, Address: a.Unmap()}
		}
		local = local || ownAddress(a.Unmap())
	}
	return local, nil
}

func allowed(allow []string, host, dial string, a netip.Addr) bool {
	for _, s := range allow {
		if strings.EqualFold(s, host) || strings.EqualFold(s, dial) {
			return true
		}
		if p, err := netip.ParsePrefix(s); err == nil && p.Contains(a.Unmap()) {
			return true
		}
		if one, err := netip.ParseAddr(s); err == nil && one == a.Unmap() {
			return true
		}
	}
	return false
}

// ownAddress tells whether an address is one of this machine's.
func ownAddress(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() { // 0.0.0.0 as a destination is this machine
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, o := range own {
		if p, err := netip.ParsePrefix(o.String()); err == nil && p.Addr().Unmap() == a {
			return true
		}
	}
	return false
}
