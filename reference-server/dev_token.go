package refserver

import (
	"net/http"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"
)

const devTokenLife = 2 * time.Hour

// devToken mints a token: {"uid": "u1"}. Only there with Dev, on loopback.
func (s *Server) devToken(x *exchange) error {
	var in struct {
		UID    string `json:"uid"`
		Tenant string `json:"tenant"`
		Role   string `json:"role"`
	}
	if err := strictJSON(x.r.Body, &in); err != nil || !plainName(in.UID, maxUID) {
		return problemFields("want {uid, tenant, role} with a uid of 1 to 64 characters")
	}
	who := identity{Owner: dialog.Owner{Tenant: in.Tenant, UID: in.UID}, role: in.Role}
	if who.Tenant == "" {
		who.Tenant = defaultTenant
	}
	if who.role == "" {
		who.role = roleUser
	}
	tok, err := s.verifier.sign(who, s.firstKid(), devTokenLife)
	if err != nil {
		return err
	}
	x.send(http.StatusOK, wire.JSON(nil).Object("").String("token", tok).Int("expires_in_s", int64(devTokenLife.Seconds())).EndObject())
	return nil
}
