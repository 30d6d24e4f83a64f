-- Fill an empty store, once, however many servers start together; on a Redis Cluster one slot of it.
-- KEYS  1 what the plan makes and nobody else does: total_users, whose existence means "filled" to
--       every server, or another key of the slot
-- ARGV  1 the plan: a JSON list of commands, each a list of texts
-- Returns 1 when it filled the store.
--
-- The plan names its keys itself.
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
