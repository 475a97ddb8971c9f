-- Gives 0 when nobody holds the claim of the recovery.

if not tick() then
  return EMPTY
end
if clock.settled then
  return 1
end
if logical >= clock.recovering then
  return 0
end
redis.call('HSET', KEYS[1], 'settled', 1)
return 1
