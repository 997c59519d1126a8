-- Add to what is kept of one viewer's days, advertiser by advertiser.
--
-- KEYS   the tallies, one for each advertiser. All of them share one hash tag.
-- ARGV   1: the request, big-endian. Days are numbered from 1970, weeks are days / 7, lengths are milliseconds.
--           I8 life   I2 oldest day that is kept   I2 oldest week that is kept
--           each tally:   I1 1 = its advertiser's sealed name is the next of ARGV   I2 days   I2 sites
--           each day:     I2 day   I4 shown   I4 withheld   I4 prompts
--           each site:    I2 week   I1 slot
--        2...: sealed names, each a multiple of 16 bytes.
-- Reply  how many were written.
--
-- Stored tally      I1 16-byte blocks of name   name   I1 days, ascending, each as above
--                   then for each week, ascending: I2 week   I2 slots   the slots, a byte each
--                                                                                       expires after the life

local pack, read, sub, byte = struct.pack, struct.unpack, string.sub, string.byte
local request = ARGV[1]
local life, oldest_day, oldest_week, at = read('>I8I2I2', request)
local named = 1

local function add(key, at)
  local name, days, weeks = '', {}, {}
  local value = redis.call('MGET', key)[1]
  if value then
    local size = 16 * byte(value, 1)
    name = sub(value, 2, 1 + size)
    local from = 3 + size
    for i = 1, byte(value, 2 + size) do
      local day, shown, withheld, prompts
      day, shown, withheld, prompts, from = read('>I2I4I4I4', value, from)
      if day >= oldest_day then days[day] = {shown, withheld, prompts} end
    end
    while from <= #value do
      local week, slots
      week, slots, from = read('>I2I2', value, from)
      if week >= oldest_week then weeks[week] = sub(value, from, from + slots - 1) end
      from = from + slots
    end
  end

  local has_name, more_days, more_sites
  has_name, more_days, more_sites, at = read('>I1I2I2', request, at)
  if has_name == 1 then
    named = named + 1
    name = ARGV[named]
  end
  for i = 1, more_days do
    local day, shown, withheld, prompts
    day, shown, withheld, prompts, at = read('>I2I4I4I4', request, at)
    local was = days[day] or {0, 0, 0}
    days[day] = {was[1] + shown, was[2] + withheld, was[3] + prompts}
  end
  for i = 1, more_sites do
    local week, slot
    week, slot, at = read('>I2c1', request, at)
    local was = weeks[week] or ''
    if not string.find(was, slot, 1, true) then weeks[week] = was .. slot end
  end

  local order, parts = {}, {pack('>I1', #name / 16), name}
  for day in pairs(days) do order[#order + 1] = day end
  table.sort(order)
  while #order > 255 do table.remove(order, 1) end
  parts[3] = pack('>I1', #order)
  for _, day in ipairs(order) do parts[#parts + 1] = pack('>I2I4I4I4', day, unpack(days[day])) end
  order = {}
  for week in pairs(weeks) do order[#order + 1] = week end
  table.sort(order)
  for _, week in ipairs(order) do parts[#parts + 1] = pack('>I2I2', week, #weeks[week]) .. weeks[week] end
  redis.call('SET', key, table.concat(parts), 'PX', life)
  return at
end

for _, key in ipairs(KEYS) do at = add(key, at) end
return #KEYS
