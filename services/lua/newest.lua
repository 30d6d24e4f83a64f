-- The newest message of each of some rooms.
-- KEYS  for each room: room:{id} (sorted set), positions of foreign messages (hash)
-- Returns for each room: member, score, foreign position or ''; three times '' for an empty room
local found = {}
for index = 1, #KEYS, 2 do
  local row = redis.call('ZRANGE', KEYS[index], -1, -1, 'WITHSCORES')
  found[#found + 1] = row[1] or ''
  found[#found + 1] = row[2] or ''
  found[#found + 1] = row[1] and redis.call('HGET', KEYS[index + 1], redis.sha1hex(row[1])) or ''
end
return found
