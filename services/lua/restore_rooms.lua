-- Put rooms of another store into a user's list and log, but for what is there already.
-- KEYS  1 user:{id}:rooms (set)   2 the user's log (stream)   3 rooms announced in that log (set)
--       4 clock
-- ARGV  1 number of rooms   2 number of announced rooms   3... the rooms, the announced rooms, then
--       position and room of each entry of the log
local rooms, announced = tonumber(ARGV[1]), tonumber(ARGV[2])
for index = 3, 2 + rooms do
  redis.call('SADD', KEYS[1], ARGV[index])
end
for index = 3 + rooms, 2 + rooms + announced do
  redis.call('SADD', KEYS[3], ARGV[index])
end

local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local last = newest and tonumber(string.match(newest[1], '^%d+')) or 0
for index = 3 + rooms + announced, #ARGV, 2 do
  if tonumber(ARGV[index]) > last then
    redis.call('XADD', KEYS[2], ARGV[index] .. '-0', 'room', ARGV[index + 1])
    last = tonumber(ARGV[index])
  end
end
if tonumber(redis.call('GET', KEYS[4]) or 0) < last then
  redis.call('SET', KEYS[4], string.format('%.0f', last))
end
