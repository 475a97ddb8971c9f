-- ARGV: 7 delay in milliseconds, from 8 on user and token of each claim.

if not tick() then
  return EMPTY
end

for index = 8, #ARGV, 2 do
  local id = ARGV[index]
  local key = userKey(id)
  local field = redis.call('HMGET', key, 'token', 'was', 'on')
  if field[1] == ARGV[index + 1] then
    redis.call('HSET', key, 'told', field[2])
    redis.call('HDEL', key, 'was', 'token')
    redis.call('ZADD', pending, logical + tonumber(ARGV[7]), id)
    mark(id, field[3] == '1', field[2])
  end
end
return 1
