-- Keep a further version of the policy, if the newest is still the one that its maker saw; then say so to whoever listens.
--
-- KEYS   1: the number of the newest version, also the channel; 2: the new version; 3: one that is no longer kept.
-- ARGV   1: the number its maker saw, 0 = there was none   2: its own number   3: the version, sealed   4: its life (ms)
-- Reply  1 = kept, 0 = somebody else was first

if tonumber(redis.call('MGET', KEYS[1])[1] or 0) ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
redis.call('UNLINK', KEYS[3])
-- Whoever may not publish is found out by those who look from time to time.
redis.pcall('PUBLISH', KEYS[1], ARGV[2])
return 1
