-- A server lives: renew its lease.
-- KEYS  1 online_users (set)   2 leases: server -> µs at which it ends (sorted set)
--       3 the server's users (set)
-- ARGV  1 server id   2 µs that a lease lasts
-- Returns { how many users the server has, those of them that online_users lacks, ... }
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), ARGV[1])

local reply = redis.call('SDIFF', KEYS[3], KEYS[1])
table.insert(reply, 1, redis.call('SCARD', KEYS[3]))
return reply
