-- Create an account, unless somebody has the name.
-- KEYS  1 username:{name}   2 total_users   3 room:0:name   4 spellings   5 spellings' last user
--       6 the bots of the owner of a bot (sorted set: ids by creation)
-- ARGV  1 name   2 password hash   3 id of the room that everybody is in, '' for a bot
--       4 id of the bot's owner, '' for a person   5 how many bots a user may have
--       6... the name's spellings
-- Returns the user's id as text, or '' when the name is taken or looks like one that is; nothing when
-- the owner has enough bots.
--
-- The hash is salted, so it is a witness as well: a name that stands for a user with just this hash
-- was written by this very call, whose reply got lost on the way.
-- The id is only known here, so the user's keys are not among KEYS. On a Redis Cluster, where the keys
-- lie in several slots, services/accounts/registration.py does it without this script.
local owner = redis.call('GET', KEYS[1])
if owner then
  local id = string.match(owner, '%d+$') or ''
  return redis.call('HGET', 'user:' .. id, 'password') == ARGV[2] and id or ''
end
for spelling = 6, #ARGV do
  local holder = redis.call('HGET', KEYS[4], ARGV[spelling])
  if holder and redis.call('EXISTS', 'user:' .. holder) == 1 then
    return ''
  end
end
local is_bot = ARGV[4] ~= ''
if is_bot and redis.call('ZCARD', KEYS[6]) >= tonumber(ARGV[5]) then
  return false
end

local id
repeat
  -- Never onto an account that is there, should total_users have been set back.
  id = string.format('%.0f', redis.call('INCR', KEYS[2]))
until redis.call('EXISTS', 'user:' .. id) == 0
local owner_field = is_bot and { 'owner', ARGV[4] } or {}
redis.call('HSET', 'user:' .. id, 'username', ARGV[1], 'password', ARGV[2], unpack(owner_field))
if ARGV[3] ~= '' then
  redis.call('SADD', 'user:' .. id .. ':rooms', ARGV[3])
end
if is_bot then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[6], time[1] .. '.' .. string.format('%06d', time[2]), id)
end
-- Without demo data the first account brings the room along: a room without a name is private.
redis.call('SET', KEYS[3], 'General', 'NX')
redis.call('SET', KEYS[1], 'user:' .. id)
for spelling = 6, #ARGV do
  redis.call('HSET', KEYS[4], ARGV[spelling], id)
end
-- Between the last one and this another server may have registered somebody.
if tonumber(redis.call('GET', KEYS[5]) or 0) == id - 1 then
  redis.call('SET', KEYS[5], id)
end
return id
