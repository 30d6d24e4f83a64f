-- Fill an empty store, once, however many servers start together.
-- KEYS  1 total_users, whose existence means "filled" to every server
-- ARGV  1 the plan: a JSON list of commands, each a list of texts
-- Returns 1 when it filled the store.
--
-- The plan names its keys itself; they lie in several slots of a Redis Cluster.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
for _, command in ipairs(cjson.decode(ARGV[1])) do
  if command[1] == 'XADD' then
    -- Where somebody was quicker the log has newer entries already, and takes no older ones.
    redis.pcall(unpack(command))
  else
    redis.call(unpack(command))
  end
end
return 1
