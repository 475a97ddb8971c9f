-- ARGV: from 7 on users. Gives 0 when nobody holds the claim of the recovery.

if not tick() then
  return EMPTY
end
if clock.settled then
  return 1
end
if logical >= clock.recovering then
  return 0
end

redis.call('HSET', KEYS[1], 'recovering', logical + CLAIM)
for index = 7, #ARGV do
  local id = ARGV[index]
  local key = userKey(id)
  if redis.call('EXISTS', key) == 0 then
    local at = math.max(now, clock.forgotten + 1)
    redis.call('HSET', key, 'on', 0, 'at', at, 'came', clock.aliveAt, 'seen', clock.aliveAt,
      'told', '1', 'n', 0)
    mark(id, false, '1')
  end
end
return 1
