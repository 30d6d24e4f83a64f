-- Make a room visible to a user.
-- KEYS  1 user:{id}:rooms (set)   2 the user's log (stream)   3 rooms announced in that log (set)
--       4 clock
-- ARGV  1 room id   2 user id   3, 4 the log's bell: command and channel   5 'open' or 'show'
-- 'open' announces the room when the user was not in it; 'show' (another server says that the room
-- exists, and may have added the user already) when the log has not announced it before.
-- Returns 1 when it announced the room.
local added = redis.call('SADD', KEYS[1], ARGV[1]) == 1
if ARGV[5] == 'open' and not added then
  return 0
end
if redis.call('SADD', KEYS[3], ARGV[1]) == 0 and not added then
  return 0
end
local now = redis.call('TIME')
local position = math.max(now[1] * 1000000 + now[2], (redis.call('GET', KEYS[4]) or 0) + 1)
local id = string.format('%.0f', position)
redis.call('SET', KEYS[4], id)
redis.call('XADD', KEYS[2], id .. '-0', 'room', ARGV[1])
redis.call(ARGV[3], ARGV[4], 'user:' .. ARGV[2] .. ' ' .. id)
return 1
