package refserver

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/unit"
)

// Knob describes one tunable of the server.
type Knob struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`    // duration, rate, share, size, count, switch, or the allowed words joined by |
	Default string `json:"default"` // value in the hardened profile, in the form Config.Knobs takes
	Live    bool   `json:"live"`    // may be changed through /admin/knobs while the server runs
	About   string `json:"about"`
}

// settings are the values of all knobs. A settings value is never changed once
// published; live changes publish a copy.
type settings struct {
	chatBlockingWorkers unit.Count
	chatDeadline        unit.Duration
	chatDegradeAt       unit.Duration
	chatMaxInFlight     unit.Count
	chatMaxBodies       unit.Count
	chatMaxBodiesUser   unit.Count
	chatConcurrentTurns string

	limitGlobal      unit.Rate
	limitGlobalBurst unit.Count
	limitTenant      unit.Rate
	limitUser        unit.Rate
	limitUserBurst   unit.Count
	limitReads       unit.Rate
	limitRefused     unit.Rate

	admissionTarget unit.Duration
	admissionWait   unit.Duration
	admissionHold   unit.Duration
	admissionFloor  unit.Count

	llmAPI                string
	llmKeepalive          bool
	llmMaxIdle            unit.Count
	llmMaxConns           unit.Count
	llmTimeout            unit.Duration
	llmAttempts           unit.Count
	llmBackoff            string
	llmBackoffBase        unit.Duration
	llmRetryBudget        unit.Share
	llmBulkhead           unit.Count
	llmBreaker            string
	llmBreakerOpen        unit.Duration
	llmBreakerFailures    unit.Share
	llmBreakerSlow        unit.Share
	llmBreakerConsecutive unit.Count
	llmSlow               unit.Duration

	redisPool       unit.Count
	redisRoundtrips unit.Count
	redisTimeout    unit.Duration
	redisAwayAt     unit.Duration
	redisAwayFor    unit.Duration

	cacheHot unit.Duration

	tiers         bool
	tierProbeRate unit.Rate
	tierDwell     unit.Duration
	tierDwellMax  unit.Duration
	tierStep      unit.Duration

	historyForget   unit.Share
	historyMessages unit.Count
	historyBytes    unit.Size
	historyTTL      unit.Duration
	historyHard     unit.Duration

	piiMask   bool
	httpGzip  bool
	logMode   string
	logSample unit.Share
	grayShare unit.Share
	grayMode  string
	graySalt  string

	agentMaxSockets unit.Count
	agentQueue      unit.Count
	agentPing       unit.Duration
	agentPong       unit.Duration
	agentHold       unit.Duration

	deskPerHour unit.Count
	deskMaxWait unit.Duration
}

// knobSpec ties a knob's description to its place in settings.
type knobSpec struct {
	name  string
	live  bool
	about string
	words []string // allowed values of a word knob; empty: any
	at    func(*settings) any
}

func knobSpecs() []knobSpec {
	return []knobSpec{
		{"chat.blocking_workers", false, "threads held through the model call; 0: a goroutine for each turn", nil, func(s *settings) any { return &s.chatBlockingWorkers }},
		{"chat.deadline", true, "end-to-end deadline of a turn; 0s: none", nil, func(s *settings) any { return &s.chatDeadline }},
		{"chat.degrade_at", true, "when a turn stops waiting for the model and takes the next tier; 0s: never", nil, func(s *settings) any { return &s.chatDegradeAt }},
		{"chat.max_in_flight", true, "turns in flight, above it 503 shed; 0: unbounded", nil, func(s *settings) any { return &s.chatMaxInFlight }},
		{"chat.max_bodies", true, "bodies of turns being read, above it 503 shed; 0: unbounded", nil, func(s *settings) any { return &s.chatMaxBodies }},
		{"chat.max_bodies_user", true, "bodies being read for one user, above it 429; 0: unbounded", nil, func(s *settings) any { return &s.chatMaxBodiesUser }},
		{"admission.target", true, "what a turn may cost beside the model, at the 90th percentile, before fewer are let in; 0s: all are let in", nil, func(s *settings) any { return &s.admissionTarget }},
		{"admission.wait", true, "how long a turn waits for room before 503 shed", nil, func(s *settings) any { return &s.admissionWait }},
		{"admission.hold", true, "how long 503 shed is held back, from the request's start, so that those who ask again at once are slowed down; 0s: not", nil, func(s *settings) any { return &s.admissionHold }},
		{"admission.floor", true, "turns in flight that are always let in", nil, func(s *settings) any { return &s.admissionFloor }},
		{"chat.concurrent_turns", true, "a second turn while one of the same dialog is in progress", []string{"refuse", "allow"}, func(s *settings) any { return &s.chatConcurrentTurns }},
		{"limit.global", true, "token bucket over all users, above it 429; 0/s: off", nil, func(s *settings) any { return &s.limitGlobal }},
		{"limit.global_burst", true, "size of the global bucket", nil, func(s *settings) any { return &s.limitGlobalBurst }},
		{"limit.tenant", true, "token bucket for each tenant, one second of burst; 0/s: off", nil, func(s *settings) any { return &s.limitTenant }},
		{"limit.user", true, "token bucket for each user; 0/s: off", nil, func(s *settings) any { return &s.limitUser }},
		{"limit.user_burst", true, "size of a user's bucket", nil, func(s *settings) any { return &s.limitUserBurst }},
		{"limit.reads", true, "token bucket of each user for polls, histories and tickets, two seconds of burst; 0/s: off", nil, func(s *settings) any { return &s.limitReads }},
		{"limit.refused", true, "token bucket of each address for requests without a valid token, five seconds of burst, above it 429 without a look at the token; 0/s: off", nil, func(s *settings) any { return &s.limitRefused }},
		{"llm.api", false, "chat: /v1/chat/completions with messages; completions: /v1/completions with a prompt", []string{"chat", "completions"}, func(s *settings) any { return &s.llmAPI }},
		{"llm.keepalive", false, "keep connections to the model open", nil, func(s *settings) any { return &s.llmKeepalive }},
		{"llm.max_idle", false, "idle connections kept to the model", nil, func(s *settings) any { return &s.llmMaxIdle }},
		{"llm.max_conns", false, "connections to the model; 0: unbounded", nil, func(s *settings) any { return &s.llmMaxConns }},
		{"llm.timeout", true, "one attempt at the model", nil, func(s *settings) any { return &s.llmTimeout }},
		{"llm.attempts", false, "attempts for one turn, the first included", nil, func(s *settings) any { return &s.llmAttempts }},
		{"llm.backoff", false, "wait before a retry: jitter 0.5–1.5 of the base, or linear: base times the attempt", []string{"jitter", "linear"}, func(s *settings) any { return &s.llmBackoff }},
		{"llm.backoff_base", false, "base of the wait before a retry", nil, func(s *settings) any { return &s.llmBackoffBase }},
		{"llm.retry_budget", false, "retries in flight as a share of model calls in flight; 100%: unbounded", nil, func(s *settings) any { return &s.llmRetryBudget }},
		{"llm.bulkhead", false, "model calls in flight, above it the next tier; 0: unbounded", nil, func(s *settings) any { return &s.llmBulkhead }},
		{"llm.breaker", false, "what opens the breaker", []string{"ratio", "consecutive", "off"}, func(s *settings) any { return &s.llmBreaker }},
		{"llm.breaker_open", false, "how long the breaker stays open, ±20 % with ratio", nil, func(s *settings) any { return &s.llmBreakerOpen }},
		{"llm.breaker_failures", false, "share of failed calls in 10 s that opens the ratio breaker (20 calls at least)", nil, func(s *settings) any { return &s.llmBreakerFailures }},
		{"llm.breaker_slow", false, "share of slow calls in 10 s that opens the ratio breaker (20 calls at least)", nil, func(s *settings) any { return &s.llmBreakerSlow }},
		{"llm.breaker_consecutive", false, "failures in a row that open the consecutive breaker", nil, func(s *settings) any { return &s.llmBreakerConsecutive }},
		{"llm.slow", true, "a model call longer than this is slow", nil, func(s *settings) any { return &s.llmSlow }},
		{"redis.pool", false, "connections to Redis; 0: dial for every operation", nil, func(s *settings) any { return &s.redisPool }},
		{"redis.roundtrips", false, "2: begin and commit, pipelined; 4: one command after the other", nil, func(s *settings) any { return &s.redisRoundtrips }},
		{"redis.timeout", false, "one Redis operation, waiting for a connection included", nil, func(s *settings) any { return &s.redisTimeout }},
		{"redis.away_at", false, "debugging: when the embedded Redis goes away, from the server's start", nil, func(s *settings) any { return &s.redisAwayAt }},
		{"redis.away_for", false, "debugging: for how long; 0s: it stays", nil, func(s *settings) any { return &s.redisAwayFor }},
		{"cache.hot", true, "how long a hot answer is served from memory, ±10 %; 0s: off", nil, func(s *settings) any { return &s.cacheHot }},
		{"tiers.enabled", false, "degrade by tiers; off: the canned line", nil, func(s *settings) any { return &s.tiers }},
		{"tiers.probe_rate", true, "shadow probes to the model while users get a lower tier", nil, func(s *settings) any { return &s.tierProbeRate }},
		{"tiers.dwell", true, "least time in a lower tier before the way back, doubled by a relapse", nil, func(s *settings) any { return &s.tierDwell }},
		{"tiers.dwell_max", true, "cap of the doubled dwell", nil, func(s *settings) any { return &s.tierDwellMax }},
		{"tiers.step", true, "time at each live share (10, 25, 50 %) on the way back", nil, func(s *settings) any { return &s.tierStep }},
		{"history.forget", true, "debugging: share of turns for which the stored dialog is kept from the model", nil, func(s *settings) any { return &s.historyForget }},
		{"history.messages", true, "messages of a dialog kept, in pairs", nil, func(s *settings) any { return &s.historyMessages }},
		{"history.bytes", true, "bytes of a dialog put before the model and kept", nil, func(s *settings) any { return &s.historyBytes }},
		{"history.ttl", true, "life of a dialog after its last turn", nil, func(s *settings) any { return &s.historyTTL }},
		{"history.hard", true, "life of a dialog after its first turn", nil, func(s *settings) any { return &s.historyHard }},
		{"pii.mask", true, "mask personal data in texts and answers", nil, func(s *settings) any { return &s.piiMask }},
		{"http.gzip", true, "compress JSON answers of 500 bytes and more when asked", nil, func(s *settings) any { return &s.httpGzip }},
		{"log.requests", true, "a log line for each request", []string{"off", "sampled", "all"}, func(s *settings) any { return &s.logMode }},
		{"log.sample", true, "share of requests logged when sampled; 5xx always", nil, func(s *settings) any { return &s.logSample }},
		{"gray.share", true, "share of users in the gray group", nil, func(s *settings) any { return &s.grayShare }},
		{"gray.mode", true, "how a user's group is found: hash of salt and uid, or tail: the last two digits", []string{"hash", "tail"}, func(s *settings) any { return &s.grayMode }},
		{"gray.salt", true, "salt of the group hash", nil, func(s *settings) any { return &s.graySalt }},
		{"agent.max_sockets", true, "agents' sockets on this server, above it 503; 0: none", nil, func(s *settings) any { return &s.agentMaxSockets }},
		{"agent.queue", true, "messages that wait for one agent, above it the socket is closed with 1013; for sockets opened from then on", nil, func(s *settings) any { return &s.agentQueue }},
		{"agent.ping", true, "time between pings to an agent; for sockets opened from then on", nil, func(s *settings) any { return &s.agentPing }},
		{"agent.pong", true, "how long the answer to a ping may take, then the socket is closed; for sockets opened from then on", nil, func(s *settings) any { return &s.agentPong }},
		{"agent.hold", true, "how long a claimed ticket stays with its agent without a reply; then it is pushed again", nil, func(s *settings) any { return &s.agentHold }},
		{"desk.per_hour", true, "tickets that the people of a tenant close in an hour, from which a ticket's eta is told", nil, func(s *settings) any { return &s.deskPerHour }},
		{"desk.max_wait", true, "eta above which people are kept for the questions that are theirs, and a turn that was only degraded gets no ticket; 0s: never", nil, func(s *settings) any { return &s.deskMaxWait }},
	}
}

// Knobs lists every knob with its default in the hardened profile, sorted by
// name.
func Knobs() []Knob {
	s := hardened()
	var list []Knob
	for _, k := range knobSpecs() {
		list = append(list, Knob{Name: k.name, Unit: k.unit(), Default: k.text(&s), Live: k.live, About: k.about})
	}
	slices.SortFunc(list, func(a, b Knob) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (k knobSpec) unit() string {
	switch k.at(new(settings)).(type) {
	case *unit.Duration:
		return "duration"
	case *unit.Rate:
		return "rate"
	case *unit.Share:
		return "share"
	case *unit.Size:
		return "size"
	case *unit.Count:
		return "count"
	case *bool:
		return "switch"
	}
	if len(k.words) > 0 {
		return strings.Join(k.words, "|")
	}
	return "text"
}

func (k knobSpec) text(s *settings) string {
	switch v := k.at(s).(type) {
	case fmt.Stringer:
		return v.String()
	case *bool:
		return strconv.FormatBool(*v)
	case *string:
		return *v
	}
	return ""
}

func (k knobSpec) set(s *settings, value string) error {
	switch v := k.at(s).(type) {
	case interface{ UnmarshalText([]byte) error }:
		return v.UnmarshalText([]byte(value))
	case *bool:
		switch value {
		case "true", "on":
			*v = true
		case "false", "off":
			*v = false
		default:
			return fmt.Errorf("%q is not a switch: want on or off", value)
		}
	case *string:
		if len(k.words) > 0 && !slices.Contains(k.words, value) {
			return fmt.Errorf("%q is not one of %s", value, strings.Join(k.words, ", "))
		}
		if len(value) > 64 {
			return errors.New("longer than 64 bytes")
		}
		*v = value
	}
	return nil
}

// apply returns a copy of s with the named knobs set, all problems at once.
// With liveOnly, knobs that cannot change while the server runs are refused.
func (s settings) apply(values map[string]string, liveOnly bool) (settings, error) {
	specs := map[string]knobSpec{}
	for _, k := range knobSpecs() {
		specs[k.name] = k
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		k, ok := specs[name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("knob %q is not known: --list-knobs shows all", name))
		case liveOnly && !k.live && k.text(&s) != values[name]:
			errs = append(errs, fmt.Errorf("knob %s cannot change while the server runs", name))
		default:
			if err := k.set(&s, values[name]); err != nil {
				errs = append(errs, fmt.Errorf("knob %s: %w", name, err))
			}
		}
	}
	if err := s.check(); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// check refuses combinations that cannot work.
func (s settings) check() error { //nolint:cyclop // a case for each kind; in parts it would be read no better
	var errs []error
	if s.llmTimeout <= 0 {
		errs = append(errs, errors.New("knob llm.timeout: must be above 0s"))
	}
	if s.chatDeadline > 0 && s.chatDegradeAt > s.chatDeadline {
		errs = append(errs, errors.New("knob chat.degrade_at: must be at most chat.deadline"))
	}
	if s.admissionTarget < 0 || s.admissionWait < 0 || s.admissionHold < 0 {
		errs = append(errs, errors.New("knob admission.target: must be 0s or more, as must admission.wait and admission.hold"))
	}
	if s.redisTimeout <= 0 {
		errs = append(errs, errors.New("knob redis.timeout: must be above 0s"))
	}
	if s.redisAwayAt < 0 || s.redisAwayFor < 0 {
		errs = append(errs, errors.New("knob redis.away_at: must be 0s or more, as must redis.away_for"))
	}
	if s.llmAttempts < 1 || s.llmAttempts > 10 {
		errs = append(errs, errors.New("knob llm.attempts: must be 1 to 10"))
	}
	if s.redisRoundtrips != 2 && s.redisRoundtrips != 4 {
		errs = append(errs, errors.New("knob redis.roundtrips: must be 2 or 4"))
	}
	if s.historyTTL <= 0 || s.historyHard < s.historyTTL {
		errs = append(errs, errors.New("knob history.ttl: must be above 0s and at most history.hard"))
	}
	if s.historyMessages < 2 || s.historyMessages > 200 {
		errs = append(errs, errors.New("knob history.messages: must be 2 to 200"))
	}
	if s.tierStep <= 0 || s.tierDwell <= 0 || s.tierDwellMax < s.tierDwell {
		errs = append(errs, errors.New("knob tiers.dwell: must be above 0s and at most tiers.dwell_max, tiers.step above 0s"))
	}
	if s.agentQueue < 1 || s.agentQueue > 65_536 {
		errs = append(errs, errors.New("knob agent.queue: must be 1 to 65536"))
	}
	if s.deskPerHour <= 0 {
		errs = append(errs, errors.New("knob desk.per_hour: must be above 0"))
	}
	if s.agentPing <= 0 || s.agentPong <= 0 || s.agentHold <= 0 {
		errs = append(errs, errors.New("knob agent.ping: must be above 0s, as must agent.pong and agent.hold"))
	}
	for _, c := range []struct {
		name  string
		value unit.Count
	}{
		{"chat.blocking_workers", s.chatBlockingWorkers},
		{"chat.max_in_flight", s.chatMaxInFlight},
		{"chat.max_bodies", s.chatMaxBodies},
		{"chat.max_bodies_user", s.chatMaxBodiesUser},
		{"admission.floor", s.admissionFloor},
		{"limit.global_burst", s.limitGlobalBurst},
		{"limit.user_burst", s.limitUserBurst},
		{"llm.max_idle", s.llmMaxIdle},
		{"llm.max_conns", s.llmMaxConns},
		{"llm.bulkhead", s.llmBulkhead},
		{"llm.breaker_consecutive", s.llmBreakerConsecutive},
		{"redis.pool", s.redisPool},
		{"agent.max_sockets", s.agentMaxSockets},
	} {
		if c.value < 0 || c.value > 10_000_000 {
			errs = append(errs, fmt.Errorf("knob %s: must be 0 to 10000k", c.name))
		}
	}
	return errors.Join(errs...)
}

// values are all knobs in their written form.
func (s settings) values() map[string]string {
	m := map[string]string{}
	for _, k := range knobSpecs() {
		m[k.name] = k.text(&s)
	}
	return m
}

// sha256 identifies the effective set: lower-case hex over "name=value\n" in
// the order of names.
func (s settings) sha256() string {
	m := s.values()
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(h, "%s=%s\n", name, m[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}
