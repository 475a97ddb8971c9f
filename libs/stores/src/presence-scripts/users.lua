-- A user is a hash: on ('1', '0'), at (changedAt), came, seen, n (gateways), g:<gateway> each;
-- told ('1', '0', 'u' for unknown, '?' for claimed) and, while claimed, token and was (told before);
-- while on no gateway, left (the last one) and before (seen without it).
-- A user without a hash is away, and that was told.

local function userKey(id)
  return keys .. 'user:' .. id
end

-- Puts a change where it can be claimed. A user who is back before anybody heard of the absence
-- has not changed. One who was here unheard has: there is a newer "last seen" to be kept.
local function mark(id, on, told)
  if on and told == '1' then
    redis.call('ZREM', pending, id)
  else
    redis.call('ZADD', pending, 'NX', logical, id)
  end
end

-- True when the user was away.
local function attach(id, gateway)
  local key = userKey(id)
  local field = redis.call('HMGET', key, 'g:' .. gateway, 'on', 'at', 'told', 'left')
  if field[1] then
    return false
  end
  if field[5] then
    redis.call('HDEL', key, 'left', 'before')
  end
  redis.call('HSET', key, 'g:' .. gateway, 1)
  redis.call('HINCRBY', key, 'n', 1)
  redis.call('ZREM', leaving, id)
  if field[2] == '1' then
    return false
  end
  -- Higher than before, even when the clock was turned back since the hash was deleted.
  local at = math.max(now, (tonumber(field[3]) or clock.forgotten) + 1)
  local told = field[4] or (clock.settled and '0' or 'u')
  redis.call('HSET', key, 'on', 1, 'at', at, 'came', now, 'seen', now, 'told', told)
  mark(id, true, told)
  return true
end

-- True when it was the last gateway of the user, who leaves at `deadline`.
local function detach(id, gateway, seenAt, deadline)
  local key = userKey(id)
  if redis.call('HDEL', key, 'g:' .. gateway) == 0 then
    return false
  end
  local before = tonumber(redis.call('HGET', key, 'seen'))
  redis.call('HSET', key, 'seen', math.max(before, seenAt))
  if redis.call('HINCRBY', key, 'n', -1) > 0 then
    return false
  end
  redis.call('HSET', key, 'left', gateway, 'before', before)
  redis.call('ZADD', leaving, math.max(deadline, clock.begun + WARM_UP), id)
  return true
end

-- As the gateway says. When it says so again, what it said first had been on its way for longer.
local function depart(id, gateway, ago)
  local key = userKey(id)
  local field = redis.call('HMGET', key, 'left', 'before', 'seen')
  if field[1] == gateway then
    local earlier = math.min(tonumber(field[3]), now - ago)
    redis.call('HSET', key, 'seen', math.max(tonumber(field[2]), earlier))
    return false
  end
  return detach(id, gateway, now - ago, logical + math.max(GRACE - ago, 0))
end

local function leave(id)
  redis.call('ZREM', leaving, id)
  local key = userKey(id)
  local field = redis.call('HMGET', key, 'on', 'at', 'told')
  if field[1] == '1' then
    redis.call('HSET', key, 'on', 0, 'at', math.max(now, tonumber(field[2]) + 1))
    mark(id, false, field[3])
  end
end

-- A gateway is a hash: number, seen (real), users and sum of the whole roster, and n<bucket> and
-- s<bucket> of each part; the users of a part with their hashes are a hash of their own. The totals
-- only ever move together with the parts: what was lost with this hash is then replaced as a whole.

local function gatewayKey(gateway)
  return keys .. 'gateway:' .. gateway
end

local function rosterKey(gateway, bucket)
  return keys .. 'roster:' .. gateway .. ':' .. bucket
end

-- Writes what has changed in the parts: `parts` is bucket → { users gained, sum gained }.
local function moveTotals(gateway, parts)
  local key = gatewayKey(gateway)
  local total = redis.call('HMGET', key, 'users', 'sum')
  local users, sum = tonumber(total[1]) or 0, tonumber(total[2]) or 0
  for bucket, gained in pairs(parts) do
    local part = redis.call('HMGET', key, 'n' .. bucket, 's' .. bucket)
    local usersBefore, sumBefore = tonumber(part[1]) or 0, tonumber(part[2]) or 0
    local usersNow, sumNow = usersBefore + gained[1], sumBefore + gained[2]
    if usersNow <= 0 or sumNow < 0 then
      -- Below zero only when the hash was lost and the parts were not.
      usersNow, sumNow = 0, 0
      redis.call('HDEL', key, 'n' .. bucket, 's' .. bucket)
    else
      redis.call('HSET', key, 'n' .. bucket, usersNow, 's' .. bucket, sumNow)
    end
    users, sum = users + usersNow - usersBefore, sum + sumNow - sumBefore
  end
  redis.call('HSET', key, 'users', users, 'sum', sum)
end
