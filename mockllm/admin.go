package mockllm

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/openai"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/unit"
)

const (
	maxAdminBody  = 8 << 20
	journalPage   = 1000   // records of GET /mock/journal unless limit says otherwise
	maxJournal    = 10_000 // and at most
	maxEpochShift = 24 * time.Hour
)

// newAPI makes the server of the admin listener.
func (s *Server) newAPI() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mock/config", s.getConfig)
	mux.HandleFunc("PUT /mock/config", s.owned(s.putConfig))
	mux.HandleFunc("GET /mock/faults", s.getFaults)
	mux.HandleFunc("PUT /mock/faults", s.owned(s.putFaults))
	mux.HandleFunc("PUT /mock/epoch", s.owned(s.putEpoch))
	mux.HandleFunc("POST /mock/reset", s.owned(s.postReset))
	mux.HandleFunc("GET /mock/owner", s.getOwner)
	mux.HandleFunc("DELETE /mock/owner", s.owned(s.deleteOwner))
	mux.HandleFunc("GET /mock/journal", s.getJournal)
	mux.HandleFunc("GET /mock/client", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, s.Client()) })
	mux.HandleFunc("POST /mock/client", s.postClient)
	mux.HandleFunc("GET /mock/facts", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, s.Facts()) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, map[string]string{"status": "ok"}) })
	mux.Handle("GET /metrics", s.metrics)
	return &http.Server{
		Handler:           s.guard(http.NewCrossOriginProtection().Handler(mux)),
		ReadHeaderTimeout: transport.HeaderTime,
		ReadTimeout:       transport.BodyTime,
		WriteTimeout:      transport.WriteTime,
		IdleTimeout:       transport.IdleTime,
		MaxHeaderBytes:    transport.MaxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // a client's misbehaviour is no news
	}
}

// guard asks for the token, or, without one, for a Host that names this
// machine: a page in a browser that rebinds its name to 127.0.0.1 has another.
func (s *Server) guard(next http.Handler) http.Handler {
	token := s.Config().AdminToken
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token != "" {
			given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
				refuse(w, http.StatusUnauthorized, errors.New("send the admin token as Authorization: Bearer TOKEN"))
				return
			}
		} else if host := hostOnly(r.Host); host != "localhost" && (net.ParseIP(host) == nil || !net.ParseIP(host).IsLoopback()) {
			refuse(w, http.StatusForbidden, errors.New("the Host header must name the loopback address"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// reply sends a JSON value.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have left
}

// refuse sends the problems of a request, one a line, in OpenAI's shape.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	e := prompt.Error{Status: status, Message: err.Error(), Kind: "invalid_request_error"}
	_, _ = w.Write(openai.AppendError(nil, &e))
}

// decodeBody reads a request body strictly into v, or answers 400 or 413.
func decodeBody(w http.ResponseWriter, r *http.Request, v any) bool {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Errorf("request body: %w", err))
		return false
	}
	if err := config.DecodeStrict(data, v); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

// configBody is the body of PUT /mock/config.
type configBody struct {
	Config
	TTL unit.Duration `json:"ttl,omitzero"`
}

// faultsBody is the body of PUT /mock/faults and of its answer.
type faultsBody struct {
	TTL    unit.Duration `json:"ttl,omitzero"`
	Faults []Fault       `json:"faults"`
}

// shown is the configuration without its secret, and how long it stays.
func (s *Server) shown() configBody {
	body := configBody{Config: s.Config(), TTL: s.schedule.Remaining()}
	body.AdminToken = ""
	return body
}

func (s *Server) getConfig(w http.ResponseWriter, _ *http.Request) { reply(w, 200, s.shown()) }

func (s *Server) putConfig(w http.ResponseWriter, r *http.Request) {
	var body configBody
	if !decodeBody(w, r, &body) {
		return
	}
	var p config.Problems
	now := s.Config()
	for _, fixed := range []struct {
		key     string
		changed bool
	}{
		{"listen", body.Listen != "" && body.Listen != now.Listen},
		{"admin_listen", body.AdminListen != "" && body.AdminListen != now.AdminListen},
		{"admin_token", body.AdminToken != ""},
		{"journal_records", body.JournalRecords != 0 && body.JournalRecords != now.JournalRecords},
	} {
		if fixed.changed {
			p.Add(fixed.key, "cannot change while the server runs")
		}
	}
	checkTTL(&p, body.TTL)
	if err := p.Join(); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := s.Configure(body.Config, body.TTL.D()); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	s.lease.take(r.Header.Get(OwnerHeader), body.TTL.D())
	reply(w, 200, s.shown())
}

func checkTTL(p *config.Problems, ttl unit.Duration) {
	if ttl < 0 || ttl > ttlLimit {
		p.Add("ttl", "must be from 0s (none) to %s", ttlLimit)
	}
}

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) {
	reply(w, 200, faultsBody{Faults: append([]Fault{}, s.Config().Faults...), TTL: s.schedule.Remaining()})
}

func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	var body faultsBody
	if !decodeBody(w, r, &body) {
		return
	}
	var p config.Problems
	checkTTL(&p, body.TTL)
	err := p.Join()
	if err == nil {
		err = s.SetFaults(body.Faults, body.TTL.D())
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	s.getFaults(w, r)
}

func (s *Server) putEpoch(w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	var body struct {
		StartsInMs  float64 `json:"starts_in_ms"`
		TracePrefix string  `json:"trace_prefix,omitempty"`
	}
	if !decodeBody(w, r, &body) {
		return
	}
	shift := time.Duration(body.StartsInMs * float64(time.Millisecond))
	if limit := float64(maxEpochShift.Milliseconds()); !(math.Abs(body.StartsInMs) <= limit) {
		refuse(w, http.StatusBadRequest, fmt.Errorf("starts_in_ms: must be within %.0f of now", limit))
		return
	}
	if body.TracePrefix == "" {
		s.SetEpoch(received.Add(shift))
	} else if prefix, err := parsePrefix(body.TracePrefix); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	} else {
		s.SetRunEpoch(received.Add(shift), prefix)
	}
	reply(w, 200, map[string]int64{"now_ns": -int64(time.Until(received.Add(shift)))})
}

// parsePrefix reads the first 8 bytes of trace ids.
func parsePrefix(text string) (uint64, error) {
	prefix, err := strconv.ParseUint(text, 16, 64)
	if err != nil || len(text) != 16 {
		return 0, errors.New("trace_prefix: must be the first 16 hexadecimal digits of the run's trace ids")
	}
	return prefix, nil
}

// postClient tells of the client what who knows its users asks.
func (s *Server) postClient(w http.ResponseWriter, r *http.Request) {
	var asked Asked
	if !decodeBody(w, r, &asked) {
		return
	}
	prefix, err := parsePrefix(asked.TracePrefix)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if now, set := s.journal.Prefix(); !set || now != prefix {
		refuse(w, http.StatusConflict, errors.New("the epoch is another run's by now, or none's"))
		return
	}
	reply(w, 200, s.ClientAbout(&asked))
}

func (s *Server) postReset(w http.ResponseWriter, _ *http.Request) {
	s.Reset()
	w.WriteHeader(http.StatusNoContent)
}

// journalBody is the answer of GET /mock/journal. Next is the value of after
// for the next page, Lost how many records asked for were overwritten.
type journalBody struct {
	Records []Record    `json:"records"`
	Next    uint64      `json:"next"`
	Lost    uint64      `json:"lost"`
	Phases  []PhaseFact `json:"phases"`
}

func (s *Server) getJournal(w http.ResponseWriter, r *http.Request) {
	after, err1 := queryNumber(r, "after", 0)
	limit, err2 := queryNumber(r, "limit", journalPage)
	if err := errors.Join(err1, err2); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	body := journalBody{Next: after, Phases: s.Facts().Phases}
	body.Records, body.Lost = s.Journal(after, int(min(limit, maxJournal)))
	if n := len(body.Records); n > 0 {
		body.Next = body.Records[n-1].Seq
	}
	reply(w, 200, body)
}

func queryNumber(r *http.Request, name string, otherwise uint64) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%s: must be a whole number", name)
	}
	return n, nil
}
