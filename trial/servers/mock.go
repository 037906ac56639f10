package servers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// Mock is the admin side of a mock LLM, our child's or one that runs already.
type Mock struct {
	admin  string // base URL
	client *http.Client
	access Access
}

// Access is how a mock that runs already is spoken to.
type Access struct {
	Token string // its admin_token; empty: it wants none
	Owner string // for whom it is armed; empty: for nobody in particular
}

// ErrOwned is the error of a mock that is armed for somebody else.
var ErrOwned = errors.New("the mock LLM is armed for another run")

// NewMock is the mock whose admin side is at a URL.
func NewMock(admin string, access Access) *Mock {
	return &Mock{
		admin:  strings.TrimSuffix(admin, "/"),
		access: access,
		// A mock on this network needs no proxy, and must not be reached through one.
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{Proxy: nil}},
	}
}

// Arm gives the mock its latency, faults and answers. It forgets them after ttl,
// so that a run that dies cannot leave a storm on.
func (m *Mock) Arm(ctx context.Context, llm *scenario.LLM, seed uint64, echo bool, ttl time.Duration) error {
	body := struct {
		scenario.LLM
		Seed       uint64        `json:"seed"`
		TTL        unit.Duration `json:"ttl"`
		AwaitEpoch bool          `json:"await_epoch"`
	}{LLM: *llm, Seed: seed, TTL: unit.Duration(ttl), AwaitEpoch: true}
	body.Listen, body.Admin, body.Token = "", "", ""
	if body.EchoContext == nil {
		body.EchoContext = &echo
	}
	return m.Call(ctx, http.MethodPut, "/mock/config", body, nil)
}

// config is the configuration in force, to be given back after the run.
func (m *Mock) config(ctx context.Context) (json.RawMessage, error) {
	var raw json.RawMessage
	err := m.Call(ctx, http.MethodGet, "/mock/config", nil, &raw)
	return raw, err
}

// restore gives it back as it was, and to nobody.
func (m *Mock) restore(ctx context.Context, former json.RawMessage) error {
	err := m.Call(ctx, http.MethodPut, "/mock/config", former, nil)
	if m.access.Owner != "" {
		err = errors.Join(err, m.Call(ctx, http.MethodDelete, "/mock/owner", nil, nil))
	}
	return err
}

// Reset makes the mock forget what it counted.
func (m *Mock) Reset(ctx context.Context) error {
	return m.Call(ctx, http.MethodPost, "/mock/reset", nil, nil)
}

// Epoch tells the mock that t = 0 is at base, and how the run's trace ids begin; empty
// is not told.
func (m *Mock) Epoch(ctx context.Context, base time.Time, traces string) error {
	ms := float64(time.Until(base)) / float64(time.Millisecond)
	body := map[string]any{"starts_in_ms": ms}
	if traces != "" {
		body["trace_prefix"] = traces
	}
	return m.Call(ctx, http.MethodPut, "/mock/epoch", body, nil)
}

type mockFacts struct {
	EpochSet bool  `json:"epoch_set"`
	Calls    int64 `json:"calls"`
	// Early is what came before t = 0 by the mock's clock, which is late by the
	// time its message took: the run's first calls, for it was reset just before.
	Early  int64 `json:"before_epoch"`
	Phases []struct {
		Name  string `json:"name"`
		Kind  string `json:"kind"`
		Start int64  `json:"start_ns"`
		End   int64  `json:"end_ns"`
	} `json:"phases"`
	PerSecond []measure.CallSecond `json:"per_second"`
}

// Facts adds to f what the mock knows of the run.
func (m *Mock) Facts(ctx context.Context, f *measure.Facts) error {
	var got mockFacts
	if err := m.Call(ctx, http.MethodGet, "/mock/facts", nil, &got); err != nil {
		return err
	}
	if !got.EpochSet {
		return errors.New("the mock LLM forgot when the load began: it was restarted or reset during the run")
	}
	f.LLMKnown, f.LLMCalls, f.Calls = true, got.Calls+got.Early, got.PerSecond
	for _, p := range got.Phases {
		f.Storms = append(f.Storms, measure.Storm{
			Name: p.Name, Kind: p.Kind, Start: time.Duration(p.Start), End: time.Duration(p.End),
		})
	}
	return nil
}

// Client adds to f how the target treated the mock, as far as turns of the run and their
// ends tell; these are then only counted. The mock must have been told of the trace ids.
func (m *Mock) Client(ctx context.Context, f *measure.Facts, traces string) error {
	type left struct {
		Turn string `json:"turn"`
		At   int64  `json:"at_ns"`
	}
	type good struct {
		Turn  string `json:"turn"`
		Whole uint32 `json:"whole,omitzero"`
		Head  uint32 `json:"head,omitzero"`
		Tail  uint32 `json:"tail,omitzero"`
	}
	asked := struct {
		TracePrefix string `json:"trace_prefix"`
		Left        []left `json:"left"`
		Good        []good `json:"good"`
	}{TracePrefix: traces}
	if f.Ends != nil {
		for _, t := range f.Ends.Left.List() {
			asked.Left = append(asked.Left, left{fmt.Sprintf("%016x", t.Turn), int64(t.At)})
		}
		for _, t := range f.Ends.Good.List() {
			asked.Good = append(asked.Good, good{fmt.Sprintf("%016x", t.Turn), t.Said.Whole, t.Said.Head, t.Said.Tail})
		}
	}
	var got measure.Client
	if err := m.Call(ctx, http.MethodPost, "/mock/client", asked, &got); err != nil {
		return err
	}
	got.Bound()
	f.Client = &got
	if f.Ends != nil {
		counted := *f.Ends
		counted.Left.Packed, counted.Good.Packed = nil, nil
		f.Ends = &counted
	}
	return nil
}

// Call speaks JSON with an admin listener.
func (m *Mock) Call(ctx context.Context, method, path string, in, out any) error {
	return callJSON(ctx, m.client, m.access, method, m.admin+path, in, out)
}

func callJSON(ctx context.Context, client *http.Client, access Access, method, url string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if access.Token != "" {
		req.Header.Set("Authorization", "Bearer "+access.Token)
	}
	if access.Owner != "" {
		req.Header.Set("Mock-Owner", access.Owner)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() // only read from
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	if resp.StatusCode == http.StatusConflict {
		return fmt.Errorf("%w: %s", ErrOwned, bytes.TrimSpace(b[:min(len(b), 500)]))
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, bytes.TrimSpace(b[:min(len(b), 500)]))
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	return nil
}
