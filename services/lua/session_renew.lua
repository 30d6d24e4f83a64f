-- A session was used: it lasts on, but no longer than to its end.
-- KEYS  1 the session   2 the user's sessions (sorted set: SHA-256 of the token by expiry)
-- ARGV  1 SHA-256 of the token   2 seconds it lasts unused   3 seconds it lasts at most
-- Returns the session; nothing when there is none any more.
local value = redis.call('GET', KEYS[1])
if not value then
  return false
end
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local session = cjson.decode(value)
session.used = now
if session.scopes then -- A bot's, which has no end.
  value = cjson.encode(session)
  redis.call('SET', KEYS[1], value)
  return value
end
-- One that an earlier version wrote has no other end than the one it was given.
session.expires = math.min(
  now + ARGV[2], session.ends or session.expires, session.created + ARGV[3])
value = cjson.encode(session)
redis.call('SET', KEYS[1], value, 'PX', math.max(1, math.ceil((session.expires - now) * 1000)))
redis.call('ZADD', KEYS[2], 'XX', string.format('%.6f', session.expires), ARGV[1])
return value
