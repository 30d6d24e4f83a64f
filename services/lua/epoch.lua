-- The store's epoch; a new one where the store is not the one it was.
-- KEYS  1 epoch   2 run id of the server in that epoch   3 ended epochs (hash)   4 clock
-- ARGV  1 run id of the server   2 name for a new epoch   3 an epoch that lost something, or ''
-- Returns the epoch. An ended epoch is noted with the highest position that was left of it; not one
-- that lost something, because newer messages may stand behind the gap already.
local epoch = redis.call('GET', KEYS[1])
if epoch and epoch ~= ARGV[3] and redis.call('GET', KEYS[2]) == ARGV[1] then
  return epoch
end
if epoch and epoch ~= ARGV[3] then
  redis.call('HSET', KEYS[3], epoch, redis.call('GET', KEYS[4]) or 0)
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
local now = redis.call('TIME')
redis.call('SET', KEYS[4], string.format('%.0f', now[1] * 1000000 + now[2]), 'NX')
return ARGV[2]
