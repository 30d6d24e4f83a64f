-- End a session and say so.
-- KEYS  1 the session   2 the user's sessions (sorted set: SHA-256 of the token by expiry)
-- ARGV  1 SHA-256 of its token   2 sessions channel
-- Returns 1 when there was such a session. It is announced either way: the session may have expired
-- under its open connections.
local ended = redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return ended
