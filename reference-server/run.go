package refserver

import (
	"context"
	"errors"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/token"
)

// TB is what RunT needs of testing.TB, so that the package does not import
// testing.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// RunT starts a server for a test and closes it at the end of it. Without
// Secrets it runs with Dev, so that tokens can be had from POST /dev/token. A
// drain that takes longer than 10 s fails the test.
func RunT(t TB, cfg Config) *Server {
	t.Helper()
	cfg.Dev = cfg.Dev || cfg.Secrets == nil
	s, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatalf("refserver: %v", err)
		return nil
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("refserver: %v", err)
		}
	})
	return s
}

var errNotDev = errors.New("tokens are minted with Dev only")

// Token mints a token for a user, good for an hour, as POST /dev/token does.
// The error says that the server was started without Dev.
func (s *Server) Token(uid string) (string, error) {
	if !s.cfg.Dev {
		return "", errNotDev
	}
	return s.tokens.Sign(token.Identity{Owner: dialog.Owner{Tenant: token.DefaultTenant, UID: uid}, Role: token.User}, s.cfg.firstKid(), time.Hour)
}
