-- Take a token from each of some buckets, or none at all when one of them has none.
-- KEYS  1... the buckets, [then a session on whose behalf]
-- ARGV  for each bucket: 1 microseconds in which it gains a token   2 tokens that it holds
-- Returns the microseconds to wait (0: taken), the number of the bucket to wait for, and the session.
--
-- A bucket is kept as the moment at which it will be full again: no key means full. One that runs
-- twice takes two tokens, which harms nobody.
-- Without the session behind it nothing is taken: nobody spends the tokens of others. With it a
-- store that takes no writes keeps no count, so that reading goes on.
local buckets = #ARGV / 2
local session, set = false, redis.call
if #KEYS > buckets then
  session, set = redis.call('GET', KEYS[#KEYS]), redis.pcall
  if not session then
    return {0, 0, false}
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full, longest, slowest = {}, 0, 0
for bucket = 1, buckets do
  local gain, size = tonumber(ARGV[2 * bucket - 1]), tonumber(ARGV[2 * bucket])
  local at = tonumber(redis.call('GET', KEYS[bucket]) or now)
  -- Never fuller than full, nor emptier than empty, even if the clock has stepped back.
  full[bucket] = math.min(math.max(at, now), now + gain * size) + gain
  local wait = full[bucket] - gain * size - now
  if wait > longest then
    longest, slowest = wait, bucket
  end
end
if slowest > 0 then
  return {math.ceil(longest), slowest, session}
end
for bucket = 1, buckets do
  set('SET', KEYS[bucket], string.format('%.0f', full[bucket]),
    'PX', math.ceil((full[bucket] - now) / 1000))
end
return {0, 0, session}
