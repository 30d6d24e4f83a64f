-- Messages with their log entries, as sending writes them; many at a time.
-- KEYS  1 room:{id}   2 the room's log (stream)   3 clock
-- ARGV  1 room id   2 position of the first, in microseconds   3 how many   4 step between two
--       5 how many users take turns
for index = 0, ARGV[3] - 1 do
  local id = string.format('%.0f', ARGV[2] + index * ARGV[4])
  local seconds = string.sub(id, 1, -7)
  local score = seconds .. '.' .. string.sub(id, -6)
  local text = 'Message number ' .. index .. ' of a conversation that goes on and on and on and on.'
  local member = '{"from":"' .. (index % ARGV[5] + 1) .. '","date":' .. seconds .. ',"message":"' .. text
    .. '","roomId":"' .. ARGV[1] .. '","id":"message:' .. ARGV[1] .. ':' .. id .. '","ts":' .. score .. '}'
  redis.call('ZADD', KEYS[1], score, member)
  redis.call('XADD', KEYS[2], id .. '-0', 's', score, 'h', redis.sha1hex(member))
  redis.call('SET', KEYS[3], id)
end
