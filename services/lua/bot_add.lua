-- Count a bot among those of its owner, unless there are enough.
-- KEYS  1 the owner's bots (sorted set: ids by creation)
-- ARGV  1 id of the bot   2 how many bots a user may have
-- Returns whether it is among them.
-- Where the keys of a registration lie in one slot, register.lua does it as well.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 1
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] .. '.' .. string.format('%06d', time[2]), ARGV[1])
return 1
