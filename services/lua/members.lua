-- Which of some users are in which of some rooms.
-- KEYS  user:{id}:rooms (set) of the users, in the order in which they are wanted
-- ARGV  1 how many users are wanted of each room   2... room ids
-- Returns for each room the places of its members among the keys, from 1, as text: '1 3 4'
local wanted = tonumber(ARGV[1])
local rooms = { unpack(ARGV, 2) }
local found, counts, missing = {}, {}, #rooms
for index = 1, #rooms do
  found[index], counts[index] = {}, 0
end
for place, key in ipairs(KEYS) do
  if missing == 0 then
    break
  end
  for index, is_member in ipairs(redis.call('SMISMEMBER', key, unpack(rooms))) do
    if is_member == 1 and counts[index] < wanted then
      counts[index] = counts[index] + 1
      found[index][counts[index]] = place
      if counts[index] == wanted then
        missing = missing - 1
      end
    end
  end
end
for index = 1, #rooms do
  found[index] = table.concat(found[index], ' ')
end
return found
