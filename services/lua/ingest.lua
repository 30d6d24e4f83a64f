-- Give every message that another server wrote, and that the log does not have yet, its position.
-- KEYS  1 room:{id} (sorted set)   2 the room's log (stream)   3 positions of foreign messages (hash)
--       4 clock
-- ARGV  1 room id   2, 3 the log's bell: command and channel
--       4 'baseline': the messages are older than every cursor, or 'live'
-- Returns how many messages it added.
--
-- The log has one entry for each message, so the two sizes tell in constant time whether anything is
-- missing. Field '#gone' of the hash counts entries whose message was deleted by somebody.
local size = redis.call('ZCARD', KEYS[1])
local gone = tonumber(redis.call('HGET', KEYS[3], '#gone') or 0)
local known = redis.call('XLEN', KEYS[2]) - gone
if size == known then
  return 0
end

local function is_logged(hash, score)
  if redis.call('HEXISTS', KEYS[3], hash) == 1 then
    return true
  end
  local position = string.format('%.0f', score * 1000000)
  if #position > 18 or string.sub(position, 1, 1) == '-' then
    return false
  end
  local entry = redis.call('XRANGE', KEYS[2], position .. '-0', position .. '-0')[1]
  return entry ~= nil and entry[2][4] == hash
end

-- New messages are nearly always the newest, so look from the end and stop when all are found.
local missing = {}
local rank = size - 1
while rank >= 0 and (size < known or #missing < size - known) do
  local rows = redis.call('ZRANGE', KEYS[1], math.max(rank - 99, 0), rank, 'WITHSCORES')
  for index = #rows - 1, 1, -2 do
    local hash = redis.sha1hex(rows[index])
    if not is_logged(hash, tonumber(rows[index + 1])) then
      missing[#missing + 1] = { hash, rows[index + 1] }
    end
  end
  rank = rank - 100
end

-- What was there before Parley comes before every cursor, in each room by itself.
local is_live = ARGV[4] ~= 'baseline'
local position = 0
if is_live then
  local now = redis.call('TIME')
  position = math.max(now[1] * 1000000 + now[2] - 1, tonumber(redis.call('GET', KEYS[4]) or 0))
else
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  position = last and tonumber(string.match(last[1], '^%d+')) or 0
end
for index = #missing, 1, -1 do
  position = position + 1
  local id = string.format('%.0f', position)
  redis.call('XADD', KEYS[2], id .. '-0', 's', missing[index][2], 'h', missing[index][1])
  redis.call('HSET', KEYS[3], missing[index][1], id)
end
if known + #missing ~= size then
  redis.call('HSET', KEYS[3], '#gone', gone + known + #missing - size)
end
if #missing > 0 and is_live then
  local id = string.format('%.0f', position)
  redis.call('SET', KEYS[4], id)
  redis.call(ARGV[2], ARGV[3], 'room:' .. ARGV[1] .. ' ' .. id)
end
return #missing
