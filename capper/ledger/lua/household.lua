-- Say that a household counts here, or that it does no more; those that have not said so for long are left out.
--
-- KEYS   1: the households, as lines of a tag and a time (ms)
-- ARGV   1: the household's own tag   2: now (ms)   3: how long such a word is good for (ms)   4: 1 = counts here, 0 = no more
-- Reply  how many households are left

local oldest, lines = tonumber(ARGV[2]) - tonumber(ARGV[3]), {}
for tag, at in string.gmatch(redis.call('MGET', KEYS[1])[1] or '', '(%S+) (%d+)') do
  if tag ~= ARGV[1] and tonumber(at) > oldest then lines[#lines + 1] = tag .. ' ' .. at end
end
if ARGV[4] == '1' then lines[#lines + 1] = ARGV[1] .. ' ' .. ARGV[2] end
redis.call('SET', KEYS[1], table.concat(lines, '\n'), 'PX', ARGV[3])
return #lines
