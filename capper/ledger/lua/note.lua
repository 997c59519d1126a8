-- Keep some journal records of one viewer's, each under a key of its own.
--
-- KEYS   the records' keys. All of them share one hash tag.
-- ARGV   1: how long they are kept, in milliseconds, in digits.
--        then each key's value.
-- Reply  how many were kept.

for i, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1])
end
return #KEYS
