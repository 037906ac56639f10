package trial

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

const (
	identityEvery  = time.Second
	identityWithin = 900 * time.Millisecond
	// identitySure is how many answers of another server in a row, up to the end,
	// make it another one: a fleet of several versions answers by turns.
	identitySure = 2
)

// identityHeaders name the software that answers, and its build.
var identityHeaders = []string{"Server", "X-Powered-By", "X-Build", "X-Version"}

// identity notices when other software answers at the target's address: a HEAD
// request a second, on a connection of its own beside the load, whose answer
// names it in identityHeaders. Two servers that name themselves alike, or both
// not at all, are not told apart.
type identity struct {
	url     string
	headers map[string]string
	client  *http.Client

	first  string // what the target said before the load
	since  time.Duration
	now    string
	differ int // answers in a row that were not first
	strays int // all of them
	asked  int
}

// newIdentity is of a target; nil where it cannot be asked.
func newIdentity(t *scenario.Target) *identity {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" {
		return nil
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	if scheme, ok := map[string]string{"ws": "http", "wss": "https"}[u.Scheme]; ok {
		u.Scheme = scheme
	}
	i := &identity{url: u.String(), headers: map[string]string{}}
	for name, value := range t.Headers {
		t, err := template.Parse(value, template.Header)
		if text, ok := t.Constant(); ok && err == nil { // nothing that is a secret or a user's
			i.headers[name] = text
		}
	}
	// No certificate is checked and nothing secret is sent: the load checks.
	config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
	if t.TLS != nil {
		config.ServerName = t.TLS.ServerName
	}
	dialer := &net.Dialer{Timeout: identityWithin}
	i.client = &http.Client{
		Timeout:       identityWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: nil, DisableKeepAlives: true, TLSClientConfig: config, MaxResponseHeaderBytes: 64 << 10,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if to, ok := t.Resolve[addr]; ok {
					addr = to
				}
				return dialer.DialContext(ctx, network, addr)
			},
		},
	}
	return i
}

// identifyTarget asks a target who it is, before the load; nil where it does not say.
func identifyTarget(ctx context.Context, target *scenario.Target) *identity {
	i := newIdentity(target)
	if i == nil {
		return nil
	}
	who, ok := i.ask(ctx)
	if !ok {
		return nil
	}
	i.first = who
	return i
}

// ask gives who answers now; false where nobody does, or a gateway for somebody
// who is not there.
func (i *identity) ask(ctx context.Context) (string, bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, i.url, nil)
	if err != nil {
		return "", false
	}
	for name, value := range i.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", "cstest-identity")
	resp, err := i.client.Do(req)
	if err != nil {
		return "", false
	}
	// A HEAD's answer has no body; one of 101 has the connection, from which a read
	// would never end.
	_ = resp.Body.Close()
	if resp.StatusCode < http.StatusOK || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError {
		return "", false // a gateway's own page, in place of the server's
	}
	var parts []string
	for _, name := range identityHeaders {
		if v := resp.Header.Get(name); v != "" {
			parts = append(parts, name+": "+v[:min(len(v), 100)])
		}
	}
	return strings.Join(parts, ", "), true
}

// saw takes what was answered at an offset into the load.
func (i *identity) saw(who string, at time.Duration) {
	i.asked++
	if who == i.first {
		i.differ = 0
		return
	}
	if i.differ == 0 {
		i.since = at
	}
	i.now = who
	i.differ++
	i.strays++
}

// incident is what came of it: another server answered until the end.
func (i *identity) incident() (measure.Incident, bool) {
	if i == nil || i.differ < identitySure {
		return measure.Incident{}, false
	}
	return measure.Incident{Kind: measure.OtherTarget, At: i.since, What: reason.New(
		reason.OtherTarget, int(i.since/time.Second)+1, orNone(i.now), orNone(i.first))}, true
}

// warning tells of a target that is several servers; false where it is not.
func (i *identity) warning() (reason.Reason, bool) {
	if i == nil || i.strays == 0 || i.differ >= identitySure {
		return reason.Reason{}, false
	}
	return reason.New(reason.MixedTargets, i.strays, i.asked, orNone(i.now), orNone(i.first)), true
}

// watch asks every second from base on; what it returns ends it, and an answer
// that is under way is not waited for.
func (i *identity) watch(base time.Time) (stop func()) {
	if i == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	look := func(ctx context.Context) {
		if who, ok := i.ask(ctx); ok {
			i.saw(who, max(0, time.Since(base)))
		}
	}
	asking.Go(func() {
		tick := time.NewTicker(identityEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				look(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		asking.Wait()
		i.client.CloseIdleConnections()
	}
}
