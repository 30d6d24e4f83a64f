-- Keep one message: history, log and channels in one step; sending again returns the first.
-- KEYS  1 room:{id} (sorted set)   2 the room's log (stream)   3 the sender's idempotency key
--       4 clock
-- ARGV  1, 2 the member's JSON up to and after its date   3 room id   4 fingerprint of the content
--       5 seconds the idempotency key is kept   6 server id   7 MESSAGES channel, or '' without it
--       8, 9 the log's bell: command and channel
-- Returns { position in microseconds, that of the entry before it in the log } as text, the latter 0
-- for the log's first entry and -1 for a message that was sent before; nothing when the key stands
-- for another content.
local sent = redis.call('GET', KEYS[3])
if sent then
  local position, fingerprint = string.match(sent, '^(%d+) (.*)$')
  if fingerprint ~= ARGV[4] then
    return {}
  end
  -- A write, so that a WAIT after it waits for replicas that have the first one, too.
  redis.call('EXPIRE', KEYS[3], ARGV[5])
  return { position, '-1' }
end

local now = redis.call('TIME')
local position = math.max(now[1] * 1000000 + now[2], (redis.call('GET', KEYS[4]) or 0) + 1)
local id = string.format('%.0f', position)
local score = string.sub(id, 1, -7) .. '.' .. string.sub(id, -6)
local member = ARGV[1] .. string.sub(id, 1, -7) .. ARGV[2]
  .. '"id":"message:' .. ARGV[3] .. ':' .. id .. '","ts":' .. score .. '}'

local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
redis.call('SET', KEYS[4], id)
redis.call('XADD', KEYS[2], id .. '-0', 's', score, 'h', redis.sha1hex(member))
redis.call('ZADD', KEYS[1], score, member)
redis.call('SET', KEYS[3], id .. ' ' .. ARGV[4], 'EX', ARGV[5])
if ARGV[7] ~= '' then
  redis.call('PUBLISH', ARGV[7], '{"serverId":"' .. ARGV[6] .. '","type":"message","data":' .. member .. '}')
end
redis.call(ARGV[8], ARGV[9], 'room:' .. ARGV[3] .. ' ' .. id)
return { id, last and string.match(last[1], '^%d+') or '0' }
