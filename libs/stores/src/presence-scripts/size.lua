-- Gives how many gateways, pending and leaving users there are.

if not look() then
  return EMPTY
end
return { redis.call('ZCARD', leases), redis.call('ZCARD', pending), redis.call('ZCARD', leaving) }
