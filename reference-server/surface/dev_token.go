package surface

import (
	"net/http"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/token"
	"github.com/cstest/cstest/reference-server/wire"
)

// devToken mints a token: {"uid": "u1"}. Only there with Dev, on loopback.
func (s *Surface) devToken(x *exchange) error {
	var in struct {
		UID    string `json:"uid"`
		Tenant string `json:"tenant"`
		Role   string `json:"role"`
	}
	if !wire.IsJSON(x.r.Header) {
		return problem.Type
	}
	if err := wire.Decode(x.r.Body, &in); err != nil || !token.PlainName(in.UID, token.MaxUID) {
		return problem.Fields("want {uid, tenant, role} with a uid of 1 to 64 characters")
	}
	who := token.Identity{Owner: dialog.Owner{Tenant: in.Tenant, UID: in.UID}, Role: token.Role(in.Role)}
	if who.Tenant == "" {
		who.Tenant = token.DefaultTenant
	}
	if who.Role == "" {
		who.Role = token.User
	}
	tok, err := s.Mint(who)
	if err != nil {
		return err
	}
	x.send(http.StatusOK, wire.JSON(nil).Object("").String("token", tok).Int("expires_in_s", int64(token.DevLife.Seconds())).EndObject())
	return nil
}
