package driver

import (
	"bytes"
	"net/http"
	"net/url"
	"time"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

const (
	// pollEvery is how long a job is left alone when the server does not say.
	pollEvery = 100 * time.Millisecond
	// pollAtLeast is the time from one question to the next, whatever the server
	// says; pollAtMost bounds what it says.
	pollAtLeast = 10 * time.Millisecond
	pollAtMost  = 60 * time.Second
	maxJobPath  = 2 << 10
)

// jobRules say where an asynchronous answer is and when it is there.
type jobRules struct {
	url    bool   // the address is in the answer, not in Location
	status bool   // the state is in the answer, not in the HTTP status
	done   string // the state that means done; empty: any that is not waiting
}

// await asks after the job that the answer in x announced until it is done. The
// last answer is left in x, and the request that it answers given back, for who
// looks; request is the turn's.
func (ch *channel) await(x *exchange, reply *Reply, request []byte) ([]byte, wire.Fault) {
	p := ch.client.plan
	if x.Head.Status != http.StatusAccepted {
		return request, wire.Fault{}
	}
	x.transient = true
	defer func() { x.transient = false }()
	at := x.Head.Location
	if p.read.find(x, x.Body) {
		p.read.fill(x, reply)
		if p.jobs.url {
			at = x.string(&x.scanner.Values[slotJobURL])
		}
	}
	job, f := p.jobAt(at)
	if f.Bad() {
		return request, f
	}
	x.values.job = job
	asked := time.Duration(0)
	x.passed.forget()
	for {
		if f := ch.pause(x, asked, pollEvery); f.Bad() {
			return request, f
		}
		ch.show(x, request)
		asked = p.Now()
		f := ch.carry(x, &p.poll)
		if request = ch.asked(x, &p.poll); f.Bad() {
			return request, f
		}
		if p.jobs.over(x, &p.read) {
			x.passed.forget()
			return request, f
		}
		x.passed.note(p.wants.job, 0, x.Body)
	}
}

// over tells whether the polled answer is the last.
func (j *jobRules) over(x *exchange, r *reader) bool {
	if x.Head.Status == http.StatusAccepted {
		return false
	}
	if x.Head.Status != http.StatusOK || !j.status || !r.find(x, x.Body) {
		return true
	}
	if failed(x, "").Bad() || r.own != nil && (r.own.ok.In(&x.look) == find.Fails || r.own.fails.Hold(&x.look)) {
		return true
	}
	switch state := string(x.string(&x.scanner.Values[slotJobStatus])); state {
	case "failed", "error", "cancelled", "canceled", "expired":
		return true
	case "queued", "pending", "running", "accepted":
		return state == j.done
	default:
		return j.done == "" || state == j.done
	}
}

// pause waits as long as the last answer asks for, within bounds, or every. asked is
// when the last question went out, 0 before the first.
func (ch *channel) pause(x *exchange, asked, every time.Duration) wire.Fault {
	wait := every
	if after := x.Head.RetryAfter; len(after) > 0 {
		wait = retryAfter(after, time.Now())
	}
	now := ch.client.plan.Now()
	if asked > 0 {
		wait = max(wait, asked+pollAtLeast-now)
	}
	left := x.Deadline - now
	timer := time.NewTimer(min(wait, left))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ch.client.carrier.Interrupted():
		return wire.Interruption()
	}
	if wait >= left {
		return wire.NewFault(TimedOut, "the job was not done within the timeout")
	}
	return wire.Fault{}
}

// retryAfter reads seconds or a date, at most pollAtMost; what cannot be read is
// no time at all.
func retryAfter(val []byte, now time.Time) time.Duration {
	wait := time.Duration(0)
	if n, ok := (&jsonscan.Value{Kind: jsonscan.Number, Raw: val}).Count(); ok {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(string(val)); err == nil {
		wait = at.Sub(now)
	} else if len(val) > 0 && len(bytes.Trim(val, "0123456789")) == 0 {
		wait = pollAtMost
	}
	return min(max(wait, 0), pollAtMost)
}

// jobAt gives the path of a job's address, which has to be on the target:
// credentials go nowhere else.
func (p *plan) jobAt(at []byte) (string, wire.Fault) {
	if len(at) == 0 {
		return "", wire.NewFault(Malformed, "the answer 202 does not say where the job is")
	}
	u, err := url.Parse(string(at))
	if err != nil || len(at) > maxJobPath || u.Opaque != "" || u.User != nil {
		return "", wire.NewFault(Malformed, "the job's address is not a URL")
	}
	switch {
	case u.Host != "" && u.Host != p.Host:
		return "", wire.NewFault(Malformed, "the job is on another host, "+wire.Visible([]byte(u.Host))+", where nothing is sent")
	case u.Scheme != "" && (u.Scheme == "https") != p.Secure:
		return "", wire.NewFault(Malformed, "the job's address begins with "+wire.Visible([]byte(u.Scheme))+": and target.url does not: nothing is sent there")
	}
	base := url.URL{Path: p.turnPath}
	u.Scheme, u.Host, u.Fragment = "", "", ""
	return base.ResolveReference(u).RequestURI(), wire.Fault{}
}
