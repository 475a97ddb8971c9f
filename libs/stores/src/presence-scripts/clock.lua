-- Every script begins with this file and users.lua.
-- KEYS[1] is the clock. All other keys are named after it and share its hash tag.
-- ARGV: 1 real milliseconds, or '' for the server's own; 2 standstill, 3 lease, 4 grace,
-- 5 warm-up, 6 claim, in milliseconds. Each script says what follows.

local keys = string.sub(KEYS[1], 1, -#'clock' - 1)
local STANDSTILL, LEASE, GRACE = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local WARM_UP, CLAIM = tonumber(ARGV[5]), tonumber(ARGV[6])
local EMPTY = redis.error_reply('EMPTY no epoch has begun')

local leases, leaving, pending = keys .. 'leases', keys .. 'leaving', keys .. 'pending'

-- Real milliseconds; milliseconds that do not pass while nobody looks; what the clock holds.
local now, logical, clock

-- False when the store is empty.
local function look()
  local field = redis.call('HMGET', KEYS[1], 'tick', 'paused', 'begun', 'aliveAt', 'settled',
    'recovering', 'forgotten')
  if not field[1] then
    return false
  end
  clock = {
    tick = tonumber(field[1]),
    paused = tonumber(field[2]),
    begun = tonumber(field[3]),
    aliveAt = tonumber(field[4]),
    settled = field[5] == '1',
    recovering = tonumber(field[6]),
    forgotten = tonumber(field[7]),
  }
  return true
end

local function readTime()
  now = tonumber(ARGV[1])
  if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
end

-- Makes time pass, as far as it did not stand still. False when the store is empty.
local function tick()
  readTime()
  if not look() then
    return false
  end
  local passed = now - clock.tick
  if passed < 0 or passed > STANDSTILL then
    clock.paused = clock.paused + passed
  end
  redis.call('HSET', KEYS[1], 'tick', now, 'paused', clock.paused)
  logical = now - clock.paused
  return true
end

local function begin(aliveAt)
  -- Tokens go on rising from one epoch to the next, so that no old claim fits a new one.
  redis.call('HSET', KEYS[1], 'tick', now, 'paused', 0, 'begun', now, 'aliveAt', aliveAt,
    'settled', 0, 'recovering', 0, 'forgotten', 0, 'token', now * 1000)
  look()
  logical = now
end

local function isTrue(condition)
  return condition and 1 or 0
end

local function isDue(queue)
  return redis.call('ZRANGE', queue, '-inf', logical, 'BYSCORE', 'LIMIT', 0, 1)[1] ~= nil
end
