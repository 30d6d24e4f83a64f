-- Begin a session of a user; those who have too many lose the one that would expire first.
-- KEYS  1 the session   2 the user's sessions (sorted set: SHA-256 of the token by expiry)
-- ARGV  1 SHA-256 of the token   2 seconds it lasts unused   3 seconds it lasts at most   4 device
--       5 how many sessions a user may have   6 what the keys of sessions begin with
--       7 sessions channel
-- Returns the session. The lost ones' keys are only known here; they share the slot.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local ends = now + ARGV[3]
local expires = math.min(now + ARGV[2], ends)
local session = cjson.encode({
  created = now, used = now, expires = expires, ends = ends, device = ARGV[4]
})
redis.call('SET', KEYS[1], session, 'PX', math.ceil((expires - now) * 1000))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.6f', now))
redis.call('ZADD', KEYS[2], string.format('%.6f', expires), ARGV[1])
-- As long as any of them, which may have been given more time than is given now.
redis.call('EXPIRE', KEYS[2], math.max(redis.call('TTL', KEYS[2]), ARGV[3]))
for _ = redis.call('ZCARD', KEYS[2]), ARGV[5] + 1, -1 do
  local lost = redis.call('ZPOPMIN', KEYS[2])[1]
  redis.call('DEL', ARGV[6] .. lost)
  redis.call('PUBLISH', ARGV[7], lost)
end
return session
