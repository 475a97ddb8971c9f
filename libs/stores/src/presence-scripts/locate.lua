-- ARGV: from 7 on users. Gives 0 when not settled, else 1, then gateway and user of each place.

if not look() then
  return EMPTY
end
if not clock.settled then
  return { 0 }
end

local places = { 1 }
for index = 7, #ARGV do
  for _, field in ipairs(redis.call('HKEYS', userKey(ARGV[index]))) do
    if string.sub(field, 1, 2) == 'g:' then
      places[#places + 1] = string.sub(field, 3)
      places[#places + 1] = ARGV[index]
    end
  end
end
return places
