-- ARGV: 7 how many at most. Gives user, on, seenAt, at, told and token of each.

if not tick() then
  return EMPTY
end

local claims = {}
local due = redis.call('ZRANGE', pending, '-inf', logical, 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[7]))
for _, id in ipairs(due) do
  local key = userKey(id)
  local field = redis.call('HMGET', key, 'on', 'at', 'came', 'seen', 'told')
  if field[1] then
    local token = redis.call('HINCRBY', KEYS[1], 'token', 1)
    redis.call('HSET', key, 'told', '?', 'was', field[5], 'token', token)
    redis.call('ZADD', pending, logical + CLAIM, id)
    local seenAt = field[1] == '1' and field[3] or field[4]
    for _, value in ipairs({ id, field[1], seenAt, field[2], field[5], token }) do
      claims[#claims + 1] = value
    end
  else
    redis.call('ZREM', pending, id)
  end
end
return claims
