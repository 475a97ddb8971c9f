-- ARGV: 7 gateway, 8 number, 9 users and 10 sum of its digest, 11 bucket that is replaced or '',
-- 12 to 14 how many replaced, disconnected and connected follow: user and hash of each, and of the
-- disconnected also how many milliseconds ago.
-- Gives stale, changed, settled, agrees, then bucket and sum of each part when it does not agree.

if not tick() then
  return EMPTY
end

local gateway, number = ARGV[7], tonumber(ARGV[8])
local known = tonumber(redis.call('HGET', gatewayKey(gateway), 'number'))
if known and number <= known then
  return { 1, 0, isTrue(clock.settled), 1 }
end
redis.call('HSET', gatewayKey(gateway), 'number', number, 'seen', now)
redis.call('ZADD', leases, logical + LEASE, gateway)

local changed = false
local argument = 14

local function nextArgument()
  argument = argument + 1
  return ARGV[argument]
end

local parts = {}

local function gain(bucket, users, sum)
  local part = parts[bucket] or { 0, 0 }
  parts[bucket] = { part[1] + users, part[2] + sum }
end

if ARGV[11] ~= '' then
  local bucket = tonumber(ARGV[11])
  local key = rosterKey(gateway, bucket)
  local before = redis.call('HKEYS', key)
  redis.call('DEL', key)
  local users, sum, listed = 0, 0, {}
  for _ = 1, tonumber(ARGV[12]) do
    local id, hash = nextArgument(), nextArgument()
    if redis.call('HSETNX', key, id, hash) == 1 then
      users, sum, listed[id] = users + 1, sum + tonumber(hash), true
      changed = attach(id, gateway) or changed
    end
  end
  for _, id in ipairs(before) do
    if not listed[id] then
      changed = depart(id, gateway, 0) or changed
    end
  end
  -- From what the totals were made of, which need not be what was there.
  local counted = redis.call('HMGET', gatewayKey(gateway), 'n' .. bucket, 's' .. bucket)
  gain(bucket, users - (tonumber(counted[1]) or 0), sum - (tonumber(counted[2]) or 0))
end

for _ = 1, tonumber(ARGV[13]) do
  local id, hash, ago = nextArgument(), nextArgument(), tonumber(nextArgument())
  local bucket = tonumber(hash) % 256
  local key = rosterKey(gateway, bucket)
  local entered = redis.call('HGET', key, id)
  if entered then
    redis.call('HDEL', key, id)
    gain(bucket, -1, -tonumber(entered))
  end
  changed = depart(id, gateway, ago) or changed
end

for _ = 1, tonumber(ARGV[14]) do
  local id, hash = nextArgument(), nextArgument()
  local bucket = tonumber(hash) % 256
  if redis.call('HSETNX', rosterKey(gateway, bucket), id, hash) == 1 then
    gain(bucket, 1, tonumber(hash))
  end
  changed = attach(id, gateway) or changed
end

moveTotals(gateway, parts)

local roster = redis.call('HMGET', gatewayKey(gateway), 'users', 'sum')
local agrees = tonumber(roster[1]) == tonumber(ARGV[9]) and tonumber(roster[2]) == tonumber(ARGV[10])
local outcome = { 0, isTrue(changed), isTrue(clock.settled), isTrue(agrees) }
if not agrees then
  local fields = redis.call('HGETALL', gatewayKey(gateway))
  for index = 1, #fields, 2 do
    local bucket = string.match(fields[index], '^s(%d+)$')
    if bucket then
      outcome[#outcome + 1] = tonumber(bucket)
      outcome[#outcome + 1] = tonumber(fields[index + 1])
    end
  end
end
return outcome
