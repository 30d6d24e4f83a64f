-- A slice of a room's history, oldest first.
-- KEYS  1 room:{id} (sorted set)   2 the room's log (stream)   3 positions of foreign messages (hash)
-- ARGV  1 'first' or 'last'   2 limit   3, 4 score and position of the message after which the slice
--       begins   5, 6 of the one before which it ends; '' where the slice is open
-- Returns { earlier messages exist, later messages exist, member, score, foreign position or '', ... }
local function rank_of(score, position)
  -- Rank of the first message that is not older than the cursor, and whether that is its own.
  local below = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. score)
  local ties = redis.call('ZCOUNT', KEYS[1], score, score)
  if ties <= 1 then
    return below, ties == 1
  end
  local entry = redis.call('XRANGE', KEYS[2], position .. '-0', position .. '-0')[1]
  local hash = entry and entry[2][4]
  for first = below, below + ties - 1, 100 do
    local stop = math.min(first + 99, below + ties - 1)
    for index, member in ipairs(redis.call('ZRANGE', KEYS[1], first, stop)) do
      if redis.sha1hex(member) == hash then
        return first + index - 1, true
      end
    end
  end
  return below, false
end

local size = redis.call('ZCARD', KEYS[1])
local from, to = 0, size - 1
if ARGV[3] ~= '' then
  local rank, found = rank_of(ARGV[3], ARGV[4])
  from = found and rank + 1 or rank
end
if ARGV[5] ~= '' then
  to = rank_of(ARGV[5], ARGV[6]) - 1
end
if ARGV[1] == 'first' then
  to = math.min(to, from + ARGV[2] - 1)
else
  from = math.max(from, to - ARGV[2] + 1)
end

local page = { from > 0 and size > 0 and 1 or 0, to < size - 1 and 1 or 0 }
if from > to then
  return page
end
local any_foreign = redis.call('EXISTS', KEYS[3]) == 1
local rows = redis.call('ZRANGE', KEYS[1], from, to, 'WITHSCORES')
for index = 1, #rows, 2 do
  page[#page + 1] = rows[index]
  page[#page + 1] = rows[index + 1]
  page[#page + 1] = any_foreign and redis.call('HGET', KEYS[3], redis.sha1hex(rows[index])) or ''
end
return page
