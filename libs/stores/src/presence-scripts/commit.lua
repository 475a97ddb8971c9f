-- ARGV: from 7 on user, online, changedAt and token of each claim.

if not tick() then
  return EMPTY
end

local forgotten = clock.forgotten
for index = 7, #ARGV, 4 do
  local id, told, changedAt = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2])
  local key = userKey(id)
  local field = redis.call('HMGET', key, 'token', 'on', 'at')
  if field[1] == ARGV[index + 3] then
    local on, at = field[2] == '1', tonumber(field[3])
    redis.call('ZREM', pending, id)
    if at == changedAt and not on then
      redis.call('DEL', key)
      forgotten = math.max(forgotten, at)
    else
      redis.call('HSET', key, 'told', told)
      redis.call('HDEL', key, 'was', 'token')
      if at ~= changedAt then
        mark(id, on, told)
      end
    end
  end
end
if forgotten > clock.forgotten then
  redis.call('HSET', KEYS[1], 'forgotten', forgotten)
end
return 1
