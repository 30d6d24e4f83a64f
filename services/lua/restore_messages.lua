-- Put messages of another store into a room, but for those that its log has already.
-- KEYS  1 room:{id} (sorted set)   2 the room's log (stream)   3 positions of foreign messages (hash)
--       4 clock
-- ARGV  for each message, in the order of the positions: 1 position   2 score   3 member
--       4 'foreign' for one that another server wrote, else 'own'
-- Returns '' or the position, as text, from which on the log has something else.
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local last = newest and tonumber(string.match(newest[1], '^%d+')) or 0

for first = 1, #ARGV, 4 do
  local position, score, member, kind = ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 3]
  local hash = redis.sha1hex(member)
  if tonumber(position) > last then
    redis.call('XADD', KEYS[2], position .. '-0', 's', score, 'h', hash)
    redis.call('ZADD', KEYS[1], score, member)
    if kind == 'foreign' then
      redis.call('HSET', KEYS[3], hash, position)
    end
    last = tonumber(position)
  else
    local entry = redis.call('XRANGE', KEYS[2], position .. '-0', position .. '-0')[1]
    if not entry or entry[2][4] ~= hash then
      return position
    end
  end
end
if tonumber(redis.call('GET', KEYS[4]) or 0) < last then
  redis.call('SET', KEYS[4], string.format('%.0f', last))
end
return ''
