-- A server process lives, and tells the others of news in its way: renew its lease.
-- KEYS  1 the fleet: "<way> <server id>" -> µs at which its lease ends (sorted set)
-- ARGV  1 the way   2 server id   3 µs that a lease lasts
-- Returns another way that a process has; then this one did not join. '' when all have the same.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local way = string.match(member, '^%S+')
  if way ~= ARGV[1] then
    return way
  end
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1] .. ' ' .. ARGV[2])
return ''
