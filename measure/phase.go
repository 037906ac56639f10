package measure

import (
	"slices"
	"strings"
	"time"
)

// Phase is a part of a turn's response time. The phases of a turn add up to it.
type Phase uint8

// The phases, in their order.
const (
	PhaseLag       Phase = iota // the generator itself was late
	PhaseWait                   // for a connection, or a place among those in flight
	PhaseConnect                // DNS, connect and TLS, also where they failed
	PhaseFirstByte              // from the request's first byte to the answer's, or to the end where none came
	PhaseBody                   // from there to the last byte: a stream, the polls of a job

	Phases = int(PhaseBody) + 1
)

// String is the phase's name in result.json.
func (p Phase) String() string {
	return [Phases]string{"lag", "wait", "connect", "first_byte", "body"}[p]
}

// Bands cut response times at every eighth edge of a sketch's cells: four to a
// power of two.
const (
	bandCells = 8
	bands     = (sketchCells-1)/bandCells + 1
)

// Band is the turns whose response times lie between two edges, and the sum of
// their phases.
type Band struct {
	Turns int64
	Times [Phases]time.Duration
}

// Bands are all of them, by their place. The zero value is empty.
type Bands [bands]Band

// ServerTime is a metric of a Server-Timing header (W3C). Name is valid as long as
// what it was read from.
type ServerTime struct {
	Name []byte
	Took time.Duration
}

// MaxServerTimes is how many names of Server-Timing metrics are kept, those that
// came first.
const MaxServerTimes = 8

// mostServerTimes is how many a journal is believed to have: those of the lanes of
// a shard may differ.
const mostServerTimes = 1 << 10

// ServerBand is the turns of a band whose answers had a metric, and its sum.
type ServerBand struct {
	Turns int64
	Time  time.Duration
}

// ServerTimes is one metric of the answers, by response time.
type ServerTimes struct {
	Name  string
	Bands [bands]ServerBand
}

func bandOf(response time.Duration) int { return (sketchCell(response) + bandCells - 1) / bandCells }

// BandFrom is the least response time of a band.
func BandFrom(band int) time.Duration {
	if band <= 0 {
		return 0
	}
	return sketchFrom(1 + (band-1)*bandCells)
}

// phases splits the response time of a turn.
func (t *Turn) phases() (p [Phases]time.Duration) {
	rest := max(t.Done-t.Intended-t.Login, 0)
	take := func(of Phase, d time.Duration) {
		d = min(max(d, 0), rest)
		p[of] += d
		rest -= d
	}
	take(PhaseLag, t.Lag)
	take(PhaseConnect, t.Connect)
	switch {
	case t.Sent == 0:
		take(PhaseConnect, rest)
	case t.FirstByte == 0:
		take(PhaseWait, t.Sent-t.Intended-t.Login-t.Lag-t.Connect)
		take(PhaseFirstByte, rest)
	default:
		take(PhaseWait, t.Sent-t.Intended-t.Login-t.Lag-t.Connect)
		take(PhaseFirstByte, t.FirstByte-t.Sent)
		take(PhaseBody, rest)
	}
	return p
}

// Add adds what o holds.
func (b *Band) Add(o *Band) {
	b.Turns = saturating(b.Turns, o.Turns)
	for i, d := range o.Times {
		b.Times[i] = time.Duration(saturating(int64(b.Times[i]), int64(d)))
	}
}

func (b *Bands) add(o *Bands) {
	for i := range o {
		if o[i].Turns > 0 {
			b[i].Add(&o[i])
		}
	}
}

// phaseTally is what an interval recorded of phases.
type phaseTally struct {
	answered, failed Bands
	server           []ServerTimes
}

func (p *phaseTally) record(t *Turn) {
	if t.Outcome == Censored {
		return
	}
	at := bandOf(t.Done - t.Intended - t.Login)
	to := &p.failed
	if Answered.Has(t.Outcome) {
		to = &p.answered
	}
	b := &to[at]
	b.Turns++
	for i, d := range t.phases() {
		b.Times[i] += d
	}
	for _, s := range t.Server {
		if m := p.metric(s.Name); m != nil {
			m.Bands[at].Turns++
			m.Bands[at].Time = time.Duration(saturating(int64(m.Bands[at].Time), int64(max(s.Took, 0))))
		}
	}
}

// metric finds one by its name; nil when there are too many.
func (p *phaseTally) metric(name []byte) *ServerTimes {
	for i := range p.server {
		if p.server[i].Name == string(name) {
			return &p.server[i]
		}
	}
	if len(p.server) == MaxServerTimes || len(name) == 0 || len(name) > messageLimit {
		return nil
	}
	p.server = append(p.server, ServerTimes{Name: plain(string(name))})
	return &p.server[len(p.server)-1]
}

func (p *phaseTally) drain(s *Snapshot) {
	s.AnsweredBands.add(&p.answered)
	s.FailedBands.add(&p.failed)
	p.answered, p.failed = Bands{}, Bands{}
	for i := range p.server { // the names stay: recording allocates nothing
		if p.server[i].Bands != ([bands]ServerBand{}) {
			s.addServer(p.server[i : i+1])
			p.server[i].Bands = [bands]ServerBand{}
		}
	}
}

// addServer adds metrics up by name, and keeps them in the order of their names.
func (s *Snapshot) addServer(list []ServerTimes) {
	for i := range list {
		from := &list[i]
		at, found := slices.BinarySearchFunc(s.Server, from.Name, func(m ServerTimes, name string) int { return strings.Compare(m.Name, name) })
		if !found {
			s.Server = slices.Insert(s.Server, at, ServerTimes{Name: from.Name})
		}
		to := &s.Server[at]
		for b := range from.Bands {
			to.Bands[b].Add(&from.Bands[b])
		}
	}
}

// Add adds what o holds.
func (b *ServerBand) Add(o *ServerBand) {
	b.Turns = saturating(b.Turns, o.Turns)
	b.Time = time.Duration(saturating(int64(b.Time), int64(o.Time)))
}

// appendTo appends the binary form: how many bands have turns, then each as a step
// from the one before, its turns and its times.
func (b *Bands) appendTo(to []byte) []byte {
	populated := 0
	for i := range b {
		if b[i].Turns > 0 {
			populated++
		}
	}
	to = appendInt(to, int64(populated))
	last := 0
	for i := range b {
		if b[i].Turns == 0 {
			continue
		}
		to = appendInt(to, int64(i-last))
		to = appendInt(to, b[i].Turns)
		for _, d := range b[i].Times {
			to = appendInt(to, int64(d))
		}
		last = i
	}
	return to
}

func (d *decoder) bands(b *Bands) {
	last := -1
	for range d.length(bands) {
		at := max(last, 0) + int(d.int(bands))
		if at <= last || at >= bands {
			d.fail()
			return
		}
		b[at].Turns = d.int(mostCounted)
		for i := range b[at].Times {
			b[at].Times[i] = time.Duration(d.int(mostTime))
		}
		if b[at].Turns == 0 {
			d.fail()
		}
		last = at
	}
}

// appendServer appends the metrics: how many, then of each its name and its bands
// that have turns, as Bands does.
func appendServer(to []byte, list []ServerTimes) []byte {
	to = appendInt(to, int64(len(list)))
	for i := range list {
		to = appendText(to, list[i].Name)
		populated := 0
		for _, b := range list[i].Bands {
			if b.Turns > 0 {
				populated++
			}
		}
		to = appendInt(to, int64(populated))
		last := 0
		for at, b := range list[i].Bands {
			if b.Turns == 0 {
				continue
			}
			to = appendInt(to, int64(at-last))
			to = appendInt(to, b.Turns)
			to = appendInt(to, int64(b.Time))
			last = at
		}
	}
	return to
}

func (d *decoder) server() (list []ServerTimes) {
	for range d.length(mostServerTimes) {
		m := ServerTimes{Name: d.text()}
		last := -1
		for range d.length(bands) {
			at := max(last, 0) + int(d.int(bands))
			if at <= last || at >= bands {
				d.fail()
				return nil
			}
			m.Bands[at] = ServerBand{d.int(mostCounted), time.Duration(d.int(mostTime))}
			if m.Bands[at].Turns == 0 {
				d.fail()
			}
			last = at
		}
		if d.bad || len(list) > 0 && list[len(list)-1].Name >= m.Name {
			d.fail()
			return nil
		}
		list = append(list, m)
	}
	return list
}
