-- Stored entries as they are, and when they expire.
--
-- KEYS   the entries' keys. In a cluster all of them share one hash tag.
-- Reply  for each key two: its value, and when it expires (milliseconds since the epoch).
--        An entry that is gone, or that would never expire and so is none of the ledger's: false and 0.

local values = redis.call('MGET', unpack(KEYS))
local reply = {}
for i, key in ipairs(KEYS) do
  local expires = redis.call('PEXPIRETIME', key)
  local kept = expires > 0 and values[i]
  reply[2 * i - 1] = kept
  reply[2 * i] = kept and expires or 0
end
return reply
