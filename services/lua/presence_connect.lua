-- A user is on a server.
-- KEYS  1 online_users (set)   2 leases: server -> µs at which it ends (sorted set)
--       3 farewells: user -> data of its user.disconnected (hash)   4 the server's users (set)
-- ARGV  1 user id   2 server id   3 µs that a lease lasts   4, 5 where it is said: command and channel
--       6 the envelope user.connected   7 the farewell
-- Returns 1 when it published the envelope: the user was on no server of ours, or another server
-- had taken an online user for gone.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Without a lease nobody would ever release these users.
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[3]), ARGV[2])
redis.call('SADD', KEYS[4], ARGV[1])
local is_new = redis.call('HSET', KEYS[3], ARGV[1], ARGV[7]) == 1
local was_missing = redis.call('SADD', KEYS[1], ARGV[1]) == 1
if is_new or was_missing then
  redis.call(ARGV[4], ARGV[5], ARGV[6])
  return 1
end
return 0
