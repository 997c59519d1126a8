-- Check and count one viewer's claims in order, each on all of its counters or on none. Or only look (a peek): then each as
-- if it were the only one.
--
-- KEYS   1: the viewer's session; then what she said of each name; then for each claim: its occasion, its counters.
--        All of them share one hash tag.
-- ARGV   1: the request, big-endian. Times are milliseconds since the epoch, lengths milliseconds.
--           I1 1 = count, 0 = look   I8 now   I8 gap   I8 session limit   I8 occasion life   I4 claims   I4 names
--           each claim:    I1 1 = refused   I2 counters   I2 checks   I2 names
--           each counter:  I2 keep   I8 life   I1 1 = its advertiser's sealed name is the next of ARGV
--           each check:    I2 counter (from 1)   I2 limit   i8 since (-1 always, -2 this session)
--           each name:     I4 which of the names (from 1)
--        2...: sealed names, each a multiple of 16 bytes.
-- Reply  for each claim a string: I1 (1 shown + 2 repeated + 4 muted), then for each check I2 count   I6 n-th newest, 0 = not
--        reached; then where it is muted I2 which of its names (from 0)   I6 until   I6 since   I1 why
--
-- Stored session    I6 began   I6 last seen                                         expires after the gap
--        occasion   I6 claimed, then the reply it got                               expires after the occasion's life
--        said       I6 muted until   I6 to be shown once until   I6 since   I1 why   I1 level   sealed name   with the later
--        counter    I1 16-byte blocks of name   I6 expires   name   I6 each time, ascending    expires as it says

local pack, read, sub = struct.pack, struct.unpack, string.sub
local request = ARGV[1]
local count, now, gap, session_limit, occasion_life, claims, said, at = read('>I1I8I8I8I8I4I4', request)

local held = {}          -- key -> the value as stored; read in portions, because Lua's stack has an end
for first = 1, #KEYS, 1000 do
  local last = math.min(first + 999, #KEYS)
  local values = redis.call('MGET', unpack(KEYS, first, last))
  for i = first, last do held[KEYS[i]] = values[i - first + 1] end
end

-- Of every counter opened so far: its times as stored, when they expire, its name, and which of them have counted.
local times, expires, names, counted = {}, {}, {}, {}

local function open(key)
  times[key], expires[key], names[key] = '', 0, ''
  local value = held[key]
  if not value then return end
  local blocks, until_, from = read('>I1I6', value)
  if until_ <= now then return end
  times[key], expires[key] = sub(value, from + 16 * blocks), until_
  if blocks > 0 then names[key] = sub(value, from, from + 16 * blocks - 1) end
end

-- How many of the ascending times are newer than `since`, by bisection.
local function newer(row, since)
  local all = #row / 6
  local low, high = 0, all
  while low < high do
    local middle = math.floor((low + high) / 2)
    if read('>I6', row, 6 * middle + 1) > since then high = middle else low = middle + 1 end
  end
  return all - low
end

-- The times with `now` among them in its place, where a clock that is behind belongs before the newest; of these the
-- newest `keep` that are not yet older than `life`.
local function added(row, keep, life)
  if row == '' then return pack('>I6', now) end
  local size = #row
  local later = 6 * newer(row, now)
  row = sub(row, size - 6 * newer(row, now - life) + 1, size - later) .. pack('>I6', now) .. sub(row, size - later + 1)
  return sub(row, -6 * keep)
end

local began, last_seen = now, now
if held[KEYS[1]] then
  began, last_seen = read('>I6I6', held[KEYS[1]])
  if now - last_seen >= gap or now - began >= session_limit then
    began, last_seen = now, now
  elseif now < began and began - now < gap then
    began = now
  end
  last_seen = math.max(last_seen, now)
end

local replies, occasions, used = {}, {}, {}
local key, name = 1 + said, 1
for number = 1, claims do
  local refused, counters, checks, known_as
  refused, counters, checks, known_as, at = read('>I1I2I2I2', request, at)
  local occasion = KEYS[key + 1]
  local first = key + 1                     -- counter i of this claim is KEYS[first + i]
  local keep, life, named = {}, {}, {}
  for i = 1, counters do
    local has_name
    keep[i], life[i], has_name, at = read('>I2I8I1', request, at)
    if has_name == 1 then
      name = name + 1
      named[i] = ARGV[name]
    end
    if not times[KEYS[first + i]] then open(KEYS[first + i]) end
  end
  key = first + counters

  local known = held[occasion]
  if known and now - read('>I6', known) < occasion_life then
    at = at + 12 * checks + 4 * known_as
    replies[number] = pack('>I1', string.byte(known, 7) + 2) .. sub(known, 8)
  else
    local reply, shown = {''}, refused == 0
    for i = 1, checks do
      local counter, limit, since
      counter, limit, since, at = read('>I2I2i8', request, at)
      if since == -2 then since = began - 1 end
      local row = times[KEYS[first + counter]]
      local found, nth = newer(row, math.max(since, now - life[counter])), 0
      if found >= limit then
        nth = read('>I6', row, #row - 6 * limit + 1)
        shown = false
      end
      reply[i + 1] = pack('>I2I6', found, nth)
    end
    local muted, which, once = 0, 0, {}
    for i = 1, known_as do
      local index
      index, at = read('>I4', request, at)
      local word = held[KEYS[1 + index]]
      if word then
        local muted_until, once_until = read('>I6I6', word)
        if muted_until > math.max(now, muted) then
          muted, which = muted_until, pack('>I2', i - 1) .. sub(word, 1, 6) .. sub(word, 13, 19)
        end
        if once_until > now then once[#once + 1] = KEYS[1 + index] end
      end
    end
    if refused == 0 and #once > 0 then
      if count == 1 and (muted > 0 or not shown) then
        for _, word in ipairs(once) do
          held[word] = sub(held[word], 1, 6) .. '\0\0\0\0\0\0' .. sub(held[word], 13)
          used[word] = true
        end
      end
      shown, muted = true, 0
    end
    shown = shown and muted == 0
    if shown and count == 1 then
      for i = 1, counters do
        local counter = KEYS[first + i]
        times[counter] = added(times[counter], keep[i], life[i])
        expires[counter] = math.max(expires[counter], now + life[i])
        names[counter] = named[i] or names[counter]
        counted[counter] = true
      end
    end
    reply[1] = shown and '\1' or muted > 0 and '\4' or '\0'
    if muted > 0 then reply[checks + 2] = which end
    replies[number] = table.concat(reply)
    if count == 1 then
      held[occasion] = pack('>I6', now) .. replies[number]
      occasions[occasion] = held[occasion]
    end
  end
end

if count == 1 then
  redis.call('SET', KEYS[1], pack('>I6I6', began, last_seen), 'PX', math.max(gap, 1))
  for occasion, value in pairs(occasions) do
    redis.call('SET', occasion, value, 'PX', occasion_life)
  end
  for word in pairs(used) do
    local muted_until = read('>I6', held[word])
    if muted_until > now then
      redis.call('SET', word, held[word], 'PX', muted_until - now)
    else
      redis.call('UNLINK', word)
    end
  end
  for counter in pairs(counted) do
    local value = pack('>I1I6', #names[counter] / 16, expires[counter]) .. names[counter] .. times[counter]
    redis.call('SET', counter, value, 'PX', math.max(expires[counter] - now, 1))
  end
end
return replies
