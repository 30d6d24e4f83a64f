-- What a room's log holds after a position, in its order.
-- KEYS  1 room:{id} (sorted set)   2 the room's log (stream)
-- ARGV  1 position to begin after   2 limit
-- Returns { position, score, member, ... }; an entry whose message is gone has '' as its member.
local rows = {}
local entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])
for _, entry in ipairs(entries) do
  local score, hash = entry[2][2], entry[2][4]
  local found = ''
  local members = redis.call('ZRANGEBYSCORE', KEYS[1], score, score)
  for _, member in ipairs(members) do
    if redis.sha1hex(member) == hash then
      found = member
    end
  end
  rows[#rows + 1] = string.match(entry[1], '^%d+')
  rows[#rows + 1] = score
  rows[#rows + 1] = found
end
return rows
