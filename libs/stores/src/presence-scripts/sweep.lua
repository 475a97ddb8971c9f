-- ARGV: 7 aliveAt, 8 how many users at most. Gives more, pending, recover, settled.

if not tick() then
  begin(tonumber(ARGV[7]))
end

local budget = tonumber(ARGV[8])

-- All parts that there can be: one that the gateway's hash does not know must not stay for ever.
local function settleGateway(gateway, lease)
  local seenAt = tonumber(redis.call('HGET', gatewayKey(gateway), 'seen')) or now
  local parts = {}
  for bucket = 0, 255 do
    local key = rosterKey(gateway, bucket)
    local entries = redis.call('HRANDFIELD', key, budget, 'WITHVALUES')
    local users, sum = #entries / 2, 0
    for index = 1, #entries, 2 do
      redis.call('HDEL', key, entries[index])
      sum = sum + tonumber(entries[index + 1])
      detach(entries[index], gateway, seenAt, lease + GRACE)
    end
    if users > 0 then
      budget = budget - users
      parts[bucket] = { -users, -sum }
    end
    if redis.call('EXISTS', key) == 1 then
      moveTotals(gateway, parts)
      return
    end
  end
  redis.call('ZREM', leases, gateway)
  redis.call('DEL', gatewayKey(gateway))
  budget = budget - 1
end

while budget > 0 do
  local next = redis.call('ZRANGE', leases, '-inf', logical, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  if not next[1] then
    break
  end
  settleGateway(next[1], tonumber(next[2]))
end

if budget > 0 then
  local due = redis.call('ZRANGE', leaving, '-inf', logical, 'BYSCORE', 'LIMIT', 0, budget)
  for _, id in ipairs(due) do
    leave(id)
  end
end

local recover = not clock.settled and logical >= clock.begun + WARM_UP and logical >= clock.recovering
if recover then
  redis.call('HSET', KEYS[1], 'recovering', logical + CLAIM)
end

return {
  isTrue(isDue(leases) or isDue(leaving)),
  isTrue(isDue(pending)),
  isTrue(recover),
  isTrue(clock.settled),
}
