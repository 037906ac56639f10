package token

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"
)

// PassLife is how long a pass is good.
const PassLife = 30 * time.Second

const maxPass = 64 // bytes

// Passes are texts that stand for a token once, which the API calls one-time
// tickets: a browser cannot send an Authorization header with an upgrade to a
// WebSocket, so it trades its token for one. Safe for concurrent use.
type Passes struct{ redis redis.UniversalClient }

// NewPasses keeps passes in Redis.
func NewPasses(rdb redis.UniversalClient) *Passes { return &Passes{rdb} }

// passKey never holds the pass itself: who can read Redis gains nothing.
func passKey(pass string) string {
	sum := sha256.Sum256([]byte(pass))
	return "agt:{" + hex.EncodeToString(sum[:16]) + "}"
}

// Issue makes a pass for who. The error wraps dialog.ErrState.
func (p *Passes) Issue(ctx context.Context, who Identity) (string, error) {
	pass := rand.Text()
	holder := wire.JSON(nil).Object("").String("uid", who.UID).String("tenant", who.Tenant).String("role", string(who.Role)).Int("until", who.Until.Unix()).EndObject()
	if err := p.redis.Set(ctx, passKey(pass), []byte(holder), PassLife).Err(); err != nil {
		return "", fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	return pass, nil
}

// Redeem uses up a pass. Errors wrap ErrToken or dialog.ErrState.
func (p *Passes) Redeem(ctx context.Context, pass string) (Identity, error) {
	if pass == "" || len(pass) > maxPass {
		return Identity{}, fmt.Errorf("%w: a pass has 1 to %d bytes", ErrToken, maxPass)
	}
	holder, err := p.redis.GetDel(ctx, passKey(pass)).Result()
	if dialog.IsNil(err) {
		return Identity{}, fmt.Errorf("%w: no such pass, or no longer", ErrToken)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	got := gjson.GetMany(holder, "uid", "tenant", "role", "until")
	return Identity{Owner: dialog.Owner{UID: got[0].Str, Tenant: got[1].Str}, Role: Role(got[2].Str), Until: time.Unix(got[3].Int(), 0)}, nil
}
