package backflow

import "github.com/redis/go-redis/v9"

// All keys share a hash tag: what must happen together lies in one place.
const (
	streamKey   = "backflow:{b}"
	countsKey   = "backflow:{b}:counts"   // by end, and how many came in
	paceKey     = "backflow:{b}:pace"     // when the next call may be made, and how many were in this hour
	draftsKey   = "backflow:{b}:drafts"   // ids by how often they were asked
	rejectedKey = "backflow:{b}:rejected" // ids by when
	shelfKey    = "backflow:{b}:faq"      // accepted entries by id
	shelfEdit   = "backflow:{b}:faq:edit" // counts the changes of it
	group       = "servers"
)

// indexKey is a hash of what is kept of a dialog, for its erasure: turn ids with
// their message, and ids of drafts behind a slash, which no turn id has.
func indexKey(dialogID string) string { return "backflow:{b}:dialog:" + dialogID }

// draftKey is a hash of the answers to a question, by the dialog it was asked in.
func draftKey(id string) string { return draftsKey + ":" + id }

// scripts change the stream and its counts in one step, so that they agree at any
// moment.
type scripts struct {
	record, finish, expire, erase, pace, accept, reject, takeBack *redis.Script
}

// newScripts: record adds questions that are not there yet, and counts those that
// must go for them. finish takes one off, unless it is gone, and keeps its answer for
// a draft. expire takes off what is too old. erase takes off all of a dialog, drafts
// too.
func newScripts() scripts {
	return scripts{
		record: redis.NewScript(`
local added = 0
for i = 3, #KEYS do
  local turn, question = ARGV[2*i-3], ARGV[2*i-2]
  if redis.call('HEXISTS', KEYS[i], turn) == 0 then
    redis.call('HSET', KEYS[i], turn, redis.call('XADD', KEYS[1], '*', 'q', question))
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
    added = added + 1
  end
end
if added > 0 then redis.call('HINCRBY', KEYS[2], 'in', added) end
local gone = redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[1])
if gone > 0 then redis.call('HINCRBY', KEYS[2], 'dropped', gone) end
return added`),
		finish: redis.NewScript(`
redis.call('XACK', KEYS[1], 'servers', ARGV[1])
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
if #ARGV == 2 or redis.call('ZSCORE', KEYS[6], ARGV[3]) then return 1 end
if redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[6]) then return 1 end
redis.call('HSET', KEYS[4], ARGV[4], ARGV[5])
redis.call('PEXPIRE', KEYS[4], ARGV[8])
redis.call('HSET', KEYS[5], '/' .. ARGV[3], '')
redis.call('PEXPIRE', KEYS[5], ARGV[8])
redis.call('ZADD', KEYS[3], redis.call('HLEN', KEYS[4]), ARGV[3])
if redis.call('ZCARD', KEYS[3]) > tonumber(ARGV[7]) then
  local least = redis.call('ZRANGE', KEYS[3], 0, 0)
  redis.call('ZREM', KEYS[3], least[1])
  redis.call('DEL', KEYS[3] .. ':' .. least[1])
end
return 1`),
		expire: redis.NewScript(`
local old = redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', ARGV[2])
for i = 1, #old do
  redis.call('XACK', KEYS[1], 'servers', old[i][1])
  redis.call('XDEL', KEYS[1], old[i][1])
end
if #old > 0 then redis.call('HINCRBY', KEYS[2], 'expired', #old) end
return #old`),
		erase: redis.NewScript(`
local kept = redis.call('HGETALL', KEYS[3])
local gone = 0
for i = 1, #kept, 2 do
  if string.sub(kept[i], 1, 1) == '/' then
    local id = string.sub(kept[i], 2)
    local draft = KEYS[4] .. ':' .. id
    redis.call('HDEL', draft, ARGV[1])
    local left = redis.call('HLEN', draft)
    if left == 0 then
      redis.call('ZREM', KEYS[4], id)
    else
      redis.call('ZADD', KEYS[4], left, id)
    end
  else
    redis.call('XACK', KEYS[1], 'servers', kept[i+1])
    gone = gone + redis.call('XDEL', KEYS[1], kept[i+1])
  end
end
redis.call('DEL', KEYS[3])
if gone > 0 then redis.call('HINCRBY', KEYS[2], 'erased', gone) end
return gone`),
		pace:     redis.NewScript(paceScript),
		accept:   redis.NewScript(acceptScript),
		reject:   redis.NewScript(rejectScript),
		takeBack: redis.NewScript(takeBackScript),
	}
}
