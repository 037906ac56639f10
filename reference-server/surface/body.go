package surface

import (
	"io"
	"net/http"

	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/wire"
)

// readBody reads the body of a turn within its bounds.
func (s *Surface) readBody(x *exchange) ([]byte, error) {
	user := quota.Key(x.who.Owner)
	if full := s.bodies.Enter(user, int(x.set.ChatMaxBodies), int(x.set.ChatMaxBodiesUser)); full != "" {
		s.metrics.rejected["bodies"].Inc()
		if full == "user" {
			return nil, problem.Bodies
		}
		return nil, shed()
	}
	defer s.bodies.Leave(user)
	return readRequest(x.r)
}

func readRequest(r *http.Request) ([]byte, error) {
	if !wire.IsJSON(r.Header) {
		return nil, problem.Type
	}
	if r.ContentLength > maxBody {
		return nil, problem.Large
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, problem.Syntax
	}
	if len(body) > maxBody {
		return nil, problem.Large
	}
	return body, nil
}
