-- Put stored entries back, as they were and until they were to expire.
--
-- KEYS   the entries' keys. In a cluster all of them share one hash tag.
-- ARGV   1: '1' = an entry that is there already stays as it is, '0' = this one takes its place.
--        then for each key two: its value, and when it expires (milliseconds since the epoch, in digits).
-- Reply  how many were put.

local put = 0
for i, key in ipairs(KEYS) do
  local value, expires = ARGV[2 * i], ARGV[2 * i + 1]
  local done
  if ARGV[1] == '1' then
    done = redis.call('SET', key, value, 'PXAT', expires, 'NX')
  else
    done = redis.call('SET', key, value, 'PXAT', expires)
  end
  if done then put = put + 1 end
end
return put
