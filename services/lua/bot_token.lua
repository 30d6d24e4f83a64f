-- Give a bot a session in the place of the one that it had.
-- KEYS  1 user:{id} (hash) of the bot   2 the session   3 the bot's sessions (sorted set)
-- ARGV  1 id of the bot's owner   2 SHA-256 of the token   3 JSON list of its scopes
--       4 what the keys of sessions begin with   5 sessions channel
-- Returns the session; nothing when the bot has another owner, or none any more. The lost one's key
-- is only known here; it shares the slot.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return false
end
for _, lost in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  if lost ~= ARGV[2] then
    redis.call('DEL', ARGV[4] .. lost)
    redis.call('PUBLISH', ARGV[5], lost)
  end
end
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local session = cjson.encode({ created = now, used = now, scopes = cjson.decode(ARGV[3]) })
redis.call('SET', KEYS[2], session)
redis.call('DEL', KEYS[3])
redis.call('ZADD', KEYS[3], '+inf', ARGV[2])
return session
