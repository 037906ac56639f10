package refserver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"
)

// passLife is how long a pass is good: a text that opens one socket, which the
// API calls a one-time ticket. A browser cannot send an Authorization header
// with an upgrade, so it trades its token for one.
const passLife = 30 * time.Second

// passKey never holds the pass itself: who can read Redis gains nothing.
func passKey(pass string) string {
	sum := sha256.Sum256([]byte(pass))
	return "agt:{" + hex.EncodeToString(sum[:16]) + "}"
}

// passHolder is what Redis keeps of a pass.
type passHolder struct {
	UID    string `json:"uid"`
	Tenant string `json:"tenant"`
	Role   string `json:"role"`
}

// agentPass trades an agent's token for a pass.
func (s *Server) agentPass(x *exchange) error {
	if s.draining.Load() {
		return problemDraining
	}
	if q := s.gates.allowUser(x.who, x.set, x.start); q != nil {
		return x.limited(q)
	}
	pass := rand.Text()
	b, err := json.Marshal(passHolder{x.who.UID, x.who.Tenant, x.who.role})
	if err != nil {
		return err
	}
	if err := s.store.Redis.Set(x.r.Context(), passKey(pass), b, passLife).Err(); err != nil {
		return problemState
	}
	x.send(http.StatusOK, wire.JSON(nil).Object("").String("ticket", pass).Int("expires_in_s", int64(passLife.Seconds())).EndObject())
	return nil
}

// redeem uses up a pass. Errors are *problem.
func (s *Server) redeem(x *exchange, pass string) (identity, error) {
	if len(s.cfg.Secrets) == 0 {
		return identity{}, problemNoKey
	}
	if len(pass) == 0 || len(pass) > 64 {
		return identity{}, problemToken
	}
	b, err := s.store.Redis.GetDel(x.r.Context(), passKey(pass)).Bytes()
	if dialog.IsNil(err) {
		return identity{}, problemToken
	}
	if err != nil {
		return identity{}, problemState
	}
	var t passHolder
	if json.Unmarshal(b, &t) != nil {
		return identity{}, problemToken
	}
	return identity{Owner: dialog.Owner{Tenant: t.Tenant, UID: t.UID}, role: t.Role}, nil
}

// identify finds out who calls: by the Authorization header, or by a pass
// where the endpoint takes them, never by both. A token in the query is
// refused even beside a good header, because URLs end up in logs. Errors are
// *problem.
func (x *exchange) identify(e endpoint) (identity, error) {
	if e.pass {
		q := x.r.URL.Query()
		for name := range q {
			if slices.Contains([]string{"token", "access_token", "id_token", "jwt", "bearer", "authorization"}, strings.ToLower(name)) {
				return identity{}, problemToken
			}
		}
		if passes, ok := q["ticket"]; ok {
			if len(passes) != 1 || len(x.r.Header.Values("Authorization")) > 0 {
				return identity{}, problemToken
			}
			return x.srv.redeem(x, passes[0])
		}
	}
	who, err := x.srv.verifier.request(x.r)
	if err != nil {
		return identity{}, tokenProblem(err)
	}
	return who, nil
}
