-- Users leave servers; who is on none any more goes offline.
-- KEYS  1 online_users (set)   2 leases: server -> µs at which it ends (sorted set)
--       3 farewells: user -> data of its user.disconnected (hash)   4 last seen: user -> µs (hash)
-- ARGV  1 what to release: 'user', 'server', or 'expired': all users of all servers whose lease ended
--       2 own server id   3, 4 where it is said: command and channel
--       5 how the keys of servers' users begin   6 user id, for 'user'
-- Returns how many users went offline.
--
-- The servers' users are in keys of this slot, named by the leases; so they are not among KEYS.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local servers = redis.call('ZRANGE', KEYS[2], 0, -1)
local offline = 0

local function is_on_any(user)
  for _, server in ipairs(servers) do
    if redis.call('SISMEMBER', ARGV[5] .. server, user) == 1 then
      return true
    end
  end
  return false
end

local function release(server, user, seen)
  if redis.call('SREM', ARGV[5] .. server, user) == 0 or is_on_any(user) then
    return
  end
  local farewell = redis.call('HGET', KEYS[3], user)
  redis.call('HDEL', KEYS[3], user)
  redis.call('SREM', KEYS[1], user)
  redis.call('HSET', KEYS[4], user, string.format('%.0f', seen))
  if farewell then
    redis.call(ARGV[3], ARGV[4],
      '{"serverId":"' .. ARGV[2] .. '","type":"user.disconnected","data":' .. farewell .. '}')
  end
  offline = offline + 1
end

local function release_all(server, seen)
  for _, user in ipairs(redis.call('SMEMBERS', ARGV[5] .. server)) do
    release(server, user, seen)
  end
  redis.call('ZREM', KEYS[2], server)
end

if ARGV[1] == 'user' then
  release(ARGV[2], ARGV[6], now)
elseif ARGV[1] == 'server' then
  release_all(ARGV[2], now)
else
  local leases = redis.call('ZRANGE', KEYS[2], '-inf', string.format('%.0f', now), 'BYSCORE', 'WITHSCORES')
  for index = 1, #leases, 2 do
    -- The sweep may come long after the end of the server, and with it of its users' visit.
    release_all(leases[index], tonumber(leases[index + 1]))
  end
end
return offline
