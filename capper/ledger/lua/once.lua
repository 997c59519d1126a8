-- Let what she muted, or what is over its caps, be shown once; what else she said of it stays.
--
-- KEYS   1: what she said of the name (claim.lua says how it is stored).
-- ARGV   1: I6 now   I6 to be shown once until   I1 level of the name; big-endian, milliseconds since the epoch.
--        2: the name, sealed.

local now, once, level = struct.unpack('>I6I6I1', ARGV[1])
local value = redis.call('MGET', KEYS[1])[1]
local muted, rest = 0, struct.pack('>I6I1I1', now, 0, level) .. ARGV[2]
if value then muted, rest = struct.unpack('>I6', value), string.sub(value, 13) end
value = struct.pack('>I6I6', muted, once) .. rest
redis.call('SET', KEYS[1], value, 'PX', math.max(muted - now, once - now, 1))
return 1
