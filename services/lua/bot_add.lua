-- Count a bot among those of its owner, unless there are enough.
-- KEYS  1 the owner's bots (sorted set: ids by creation)
-- ARGV  1 id of the bot   2 how many bots a user may have
-- Returns when it was created, in seconds as text; '' when there are enough.
local created = redis.call('ZSCORE', KEYS[1], ARGV[1])
if created then
  return created
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return ''
end
local time = redis.call('TIME')
created = time[1] .. '.' .. string.format('%06d', time[2])
redis.call('ZADD', KEYS[1], created, ARGV[1])
return created
