-- Check and count claims in order, each on all of its counters or on none. Or only look (a peek): then each as if it were
-- the only one. What is asked at the same time goes in one call of this script, several asks one after the other.
--
-- KEYS   what is asked about, ask by ask; within one ask each once. In a cluster all of them share one hash tag.
-- ARGV   1: the asks, big-endian. Times are milliseconds since the epoch, lengths milliseconds, keys places among the
--           ask's own, from 1.
--           each ask:      I1 1 = count, 0 = look   I8 now   I8 gap: 0 = no sessions, else the viewer's is the first key
--                          I8 session limit   I8 occasion life   I4 claims   I4 keys
--           each claim:    I4 its occasion's key   I1 1 = refused   I2 counters   I2 checks   I2 names
--           each counter:  I4 key   I2 keep   I8 life   I1 1 = its advertiser's sealed name is the next of ARGV
--           each check:    I2 counter (of the claim's, from 1)   I2 limit   i8 since (-1 always, -2 this session)
--           each name:     I4 key of what she said of it
--        2...: sealed names, each a multiple of 16 bytes.
-- Reply  for each claim a string: I1 (1 shown + 2 repeated + 4 muted), then for each check I2 count   I6 n-th newest, 0 = not
--        reached; then where it is muted I2 which of its names (from 0)   I6 until   I6 since   I1 why
--
-- Stored session    I6 began   I6 last seen                                         expires after the gap
--        occasion   I6 claimed, then the reply it got                               expires after the occasion's life
--        said       I6 muted until   I6 to be shown once until   I6 since   I1 why   I1 level   sealed name   with the later
--        counter    I1 16-byte blocks of name   I6 expires   name   I6 each time, ascending    expires as it says

local pack, read, sub, byte, rep = struct.pack, struct.unpack, string.sub, string.byte, string.rep
local floor, max, min = math.floor, math.max, math.min
local PORTION = 1000                  -- of what goes through Lua's stack, which has an end
local NOTHING = '\0\0\0\0\0\0\0\0'    -- what a check says that found no sighting
local request, at, name, base, replies = ARGV[1], 1, 1, 0, {}

-- By the places of their keys: the values as stored, and for how long those that are new are to be stored.
local held, new = {}, {}
if #KEYS <= PORTION then
  held = redis.call('MGET', unpack(KEYS))
else
  for first = 1, #KEYS, PORTION do
    local values = redis.call('MGET', unpack(KEYS, first, min(first + PORTION - 1, #KEYS)))
    for i = 1, #values do held[first + i - 1] = values[i] end
  end
end
-- Of every counter met so far: its times as stored, when they expire, its name.
local times, expires, names = {}, {}, {}
-- Where there are several asks: for each key the place of the first that is like it.
local same

-- The numbers of so many rows that follow in the request, one row after the other.
local function rows(format, width, number)
  if number <= PORTION then
    local found = {read('>' .. rep(format, number), request, at)}
    at = found[width * number + 1]
    return found
  end
  local found = {}
  for first = 0, number - 1, PORTION do
    local some = min(number - first, PORTION)
    local portion = rows(format, width, some)
    for i = 1, width * some do found[width * first + i] = portion[i] end
  end
  return found
end

-- How many of the ascending times are newer than `since`, by bisection.
local function newer(row, since)
  local low, high = 0, #row / 6
  local all = high
  while low < high do
    local middle = floor((low + high) / 2)
    if read('>I6', row, 6 * middle + 1) > since then high = middle else low = middle + 1 end
  end
  return all - low
end

while at <= #request do
  local count, now, gap, session_limit, occasion_life, claims, keys
  count, now, gap, session_limit, occasion_life, claims, keys, at = read('>I1I8I8I8I8I4I4', request, at)
  local stamp = pack('>I6', now)

  if keys < #KEYS and not same then
    local seen = {}
    same = {}
    for i, key in ipairs(KEYS) do
      same[i] = seen[key] or i
      seen[key] = same[i]
    end
  end

  -- The session. Who is asked about is seen; a clock a little behind stretches it backwards.
  local began = now
  if gap > 0 then
    local of, last_seen = same and same[base + 1] or 1, now
    if held[of] then
      began, last_seen = read('>I6I6', held[of])
      if now - last_seen >= gap or now - began >= session_limit then
        began, last_seen = now, now
      elseif now < began and began - now < gap then
        began = now
      end
      last_seen = max(last_seen, now)
    end
    if count == 1 then held[of], new[of] = pack('>I6I6', began, last_seen), gap end
  end

  for _ = 1, claims do
    local occasion, refused, counters, checks, words
    occasion, refused, counters, checks, words, at = read('>I4I1I2I2I2', request, at)
    local counter = rows('I4I2I8I1', 4, counters)      -- key, keep, life, named
    local check = rows('I2I2i8', 3, checks)            -- counter, limit, since
    local word = rows('I4', 1, words)                  -- key
    if same then
      occasion = same[base + occasion]
      for i = 1, 4 * counters, 4 do counter[i] = same[base + counter[i]] end
      for i = 1, words do word[i] = same[base + word[i]] end
    end

    local known = held[occasion]
    if known and now - read('>I6', known) < occasion_life then
      for i = 4, 4 * counters, 4 do name = name + counter[i] end
      replies[#replies + 1] = string.char(byte(known, 7) + 2) .. sub(known, 8)
    else
      -- The counters as they stand.
      for i = 1, 4 * counters, 4 do
        local key = counter[i]
        if not times[key] then
          times[key], expires[key], names[key] = '', 0, ''
          local value = held[key]
          if value then
            local blocks, ends, first = read('>I1I6', value)
            times[key], expires[key] = sub(value, first + 16 * blocks), ends
            if blocks > 0 then names[key] = sub(value, first, first + 16 * blocks - 1) end
          end
        end
        if expires[key] <= now then times[key], expires[key], names[key] = '', 0, '' end
        if counter[i + 3] == 1 then
          name = name + 1
          names[key] = ARGV[name]
        end
      end

      -- The caps: each check, whatever another has found, because its count is told.
      local reply, shown = {'', '', '', '', '', ''}, refused == 0    -- made as long as most become
      for i = 1, checks do
        local which, limit, since = 4 * check[3 * i - 2] - 3, check[3 * i - 1], check[3 * i]
        local row = times[counter[which]]
        if row == '' then
          reply[i + 1] = NOTHING
        else
          if since == -2 then since = began - 1 end
          local found, nth = newer(row, max(since, now - counter[which + 2])), 0
          if found >= limit then
            nth = read('>I6', row, #row - 6 * limit + 1)
            shown = false
          end
          reply[i + 1] = pack('>I2I6', found, nth)
        end
      end

      -- What she said of its names: the mute that ends last; and what may be shown once, which is used up if it is needed.
      local muted, mute, once = 0, nil, nil
      for i = 1, words do
        local said = held[word[i]]
        if said then
          local muted_until, once_until = read('>I6I6', said)
          if muted_until > max(now, muted) then
            muted, mute = muted_until, pack('>I2', i - 1) .. sub(said, 1, 6) .. sub(said, 13, 19)
          end
          if once_until > now then
            once = once or {}
            once[#once + 1] = word[i]
          end
        end
      end
      if once and refused == 0 then
        if count == 1 and (muted > 0 or not shown) then
          for _, key in ipairs(once) do
            local said = held[key]
            held[key] = sub(said, 1, 6) .. '\0\0\0\0\0\0' .. sub(said, 13)
            new[key] = read('>I6', said) - now
          end
        end
        shown, muted = true, 0
      end

      if muted > 0 then
        reply[1], reply[checks + 2] = '\4', mute
      else
        reply[1] = shown and '\1' or '\0'
      end
      local answer = table.concat(reply)
      replies[#replies + 1] = answer
      if count == 1 then
        held[occasion], new[occasion] = stamp .. answer, occasion_life
      end

      -- What is shown counts: among the times where it belongs, for a clock may be behind; of these the newest `keep` that
      -- are not yet older than `life`.
      if count == 1 and shown and muted == 0 then
        for i = 1, 4 * counters, 4 do
          local key, life = counter[i], counter[i + 2]
          local row, ends = times[key], max(expires[key], now + life)
          if row == '' then
            row = stamp
          else
            local size, later = #row, 6 * newer(row, now)
            row = sub(row, size - 6 * newer(row, now - life) + 1, size - later) .. stamp .. sub(row, size - later + 1)
            row = sub(row, -6 * counter[i + 1])
          end
          times[key], expires[key], new[key] = row, ends, max(ends - now, 1)
        end
      end
    end
  end
  base = base + keys
end

for i, life in pairs(new) do
  local value = held[i]
  if times[i] then value = pack('>I1I6', #names[i] / 16, expires[i]) .. names[i] .. times[i] end
  if life > 0 then
    redis.call('SET', KEYS[i], value, 'PX', life)
  else
    redis.call('UNLINK', KEYS[i])    -- what she said of it is over
  end
end
return replies
