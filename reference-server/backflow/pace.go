package backflow

import (
	"context"
	"time"
)

// paceScript lets one call through when it is time for it, by the clock of Redis:
// that many a second, and that many in an hour, however many servers there are. It
// gives 0, or for how many microseconds to wait, or -1 where the hour's are spent. A
// place that is further away than calls are apart is left from another rate or clock.
const paceScript = `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local hour = math.floor(tonumber(t[1]) / 3600)
local apart, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local p = redis.call('HMGET', KEYS[1], 'next', 'hour', 'used')
local at, used = tonumber(p[1] or '0'), 0
if tonumber(p[2] or '-1') == hour then used = tonumber(p[3] or '0') end
if most > 0 and used >= most then return -1 end
if at > now and at - now <= apart then return at - now end
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', now + apart), 'hour', string.format('%.0f', hour), 'used', string.format('%.0f', used + 1))
return 0`

const noBudget = -1

// permit asks for one call. wait is 0 where it may be made, noBudget where it may not
// in this hour.
func (f *Flow) permit(ctx context.Context, live Live) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, redisLimit)
	defer cancel()
	apart := int64(float64(time.Second/time.Microsecond) / live.Rate)
	us, err := f.scripts.pace.Run(ctx, f.redis, []string{paceKey}, apart, live.PerHour).Int64()
	if err != nil || us == noBudget {
		return noBudget, err
	}
	return time.Duration(us) * time.Microsecond, nil
}

// giveBack is for a permit that there was no question for.
func (f *Flow) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, redisLimit)
	defer cancel()
	_ = f.redis.HIncrBy(ctx, paceKey, "used", -1).Err()
}
