-- Check and count claims in order, each on all of its counters or on none. Or only look (a peek): then each as if it were
-- the only one. What is asked at the same time goes in one call of this script, several asks one after the other.
--
-- KEYS   what is asked about: of each ask the viewer's session, if there are sessions; then of each of its claims the occasion,
--        the counters, and what she said of the names. In a cluster all of them share one hash tag.
-- ARGV   1: I1 1 = some of the keys come more than once, then the asks; all big-endian. Times are milliseconds since the
--           epoch, lengths milliseconds.
--           each ask:      I1 1 = count, 0 = look   I8 now   I8 gap, 0 = no sessions   I8 session limit   I8 occasion life
--                          I4 claims
--           each claim:    I1 1 = refused   I2 counters   I2 checks   I2 names
--           each counter:  I2 keep   I8 life   I1 1 = its advertiser's sealed name is the next of ARGV
--           each check:    I2 counter (of the claim's, from 1)   I2 limit   i8 how far its window reaches back (-2^62 this session)
--        2...: sealed names, each a multiple of 16 bytes.
-- Reply  for each claim a string; where there is only one claim that string alone: I1 (1 shown + 2 repeated + 4 muted), then
--        for each check I2 count   I6 n-th newest, 0 = not reached; then where it is muted I2 which of its names (from 0)   I6 until   I6 since   I1 why
--
-- Stored session    I6 began   I6 last seen                                         expires after the gap
--        occasion   I6 claimed, then the reply it got                               expires after the occasion's life
--        said       I6 muted until   I6 to be shown once until   I6 since   I1 why   I1 level   sealed name   with the later
--        counter    I1 16-byte blocks of name   I6 expires   name   I6 each time, ascending    expires as it says

local pack, read, sub, byte, rep, concat = struct.pack, struct.unpack, string.sub, string.byte, string.rep, table.concat
local floor, max, min = math.floor, math.max, math.min
local PORTION = 1000                  -- of what goes through Lua's stack, which has an end
local SESSION = -2 ^ 62
local request, at, name, place, replies = ARGV[1], 2, 1, 0, {}

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
-- Where keys come more than once: for each the place of the first that is like it.
local same
if byte(request, 1) == 1 then
  local seen = {}
  same = {}
  for i, key in ipairs(KEYS) do
    same[i] = seen[key] or i
    seen[key] = same[i]
  end
end
-- What most claims of a call have alike is read once: the numbers of their counters and checks, and the formats of replies.
local shapes, formats = {}, {}
-- Of the counters of the claim at hand: the places of their keys, where their times begin in the stored value, how many there are,
-- when they expire. And what its checks found: each how many, and the n-th newest. Made as long as most become.
local places, firsts, sizes, expires, told = {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

-- The numbers of a claim's counters, then of its checks, from `at` on.
local function numbers(counters, checks)
  if 3 * (counters + checks) <= PORTION then
    return {read('>' .. rep('I2I8I1', counters) .. rep('I2I2i8', checks), request, at)}
  end
  local found, from = {}, at
  for i = 1, counters + checks do
    local row = 3 * i - 2
    found[row], found[row + 1], found[row + 2], from = read(i <= counters and '>I2I8I1' or '>I2I2i8', request, from)
  end
  return found
end

-- Which of the times from `low` to before `high` is the first newer than `since`, by bisection; they ascend, and begin at `first`.
local function newer(value, first, low, high, since)
  while low < high do
    local middle = floor((low + high) / 2)
    if read('>I6', value, first + 6 * middle) > since then high = middle else low = middle + 1 end
  end
  return low
end

-- Say of a counter of the claim at hand how it stands.
local function look_at(i, now)
  local value = held[places[i]]
  sizes[i], expires[i] = 0, 0
  if value then
    local blocks, ends, first = read('>I1I6', value)
    if ends > now then
      first = first + 16 * blocks
      firsts[i], sizes[i], expires[i] = first, (#value - first + 1) / 6, ends
    end
  end
end

while at <= #request do
  local count, now, gap, session_limit, occasion_life, claims
  count, now, gap, session_limit, occasion_life, claims, at = read('>I1I8I8I8I8I4', request, at)
  local stamp = pack('>I6', now)

  -- The session. Who is asked about is seen; a clock a little behind stretches it backwards.
  local began = now
  if gap > 0 then
    place = place + 1
    local of, last_seen = same and same[place] or place, now
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
    local refused, counters, checks, words
    refused, counters, checks, words, at = read('>I1I2I2I2', request, at)
    local ends_at = at + 11 * counters + 12 * checks
    local shape = sub(request, at - 6, ends_at - 1)
    local row = shapes[shape]                   -- counters: keep, life, named; checks: counter, limit, how far back
    if not row then
      row = numbers(counters, checks)
      shapes[shape] = row
    end
    local occasion, first_word = place + 1, place + 1 + counters
    at, place = ends_at, first_word + words
    if same then occasion = same[occasion] end

    local known = held[occasion]
    if known and now - read('>I6', known) < occasion_life then
      for i = 3, 3 * counters, 3 do name = name + row[i] end
      replies[#replies + 1] = string.char(byte(known, 7) + 2) .. sub(known, 8)
    else
      -- The counters as they stand.
      for i = 1, counters do
        local key = first_word - counters + i
        places[i] = same and same[key] or key
        look_at(i, now)
      end

      -- The caps: each check, whatever another has found, because its count is told.
      local shown = refused == 0
      for i = 1, checks do
        local check = 3 * (counters + i)
        local which, limit, back = row[check - 2], row[check - 1], row[check]
        local size, found, nth = sizes[which], 0, 0
        if size > 0 then
          local since = back == SESSION and began - 1 or now - back
          since = max(since, now - row[3 * which - 1])
          local value, first = held[places[which]], firsts[which]
          -- The one that would fill the cap, else the oldest, says nearly always all.
          local from = max(size - limit, 0)
          local time = read('>I6', value, first + 6 * from)
          if time > since then
            found = size - (from > 0 and newer(value, first, 0, from, since) or 0)
            if size >= limit then nth, shown = time, false end
          else
            found = size - newer(value, first, from + 1, size, since)
          end
        end
        told[2 * i - 1], told[2 * i] = found, nth
      end

      -- What she said of its names: the mute that ends last; and what may be shown once, which is used up if it is needed.
      local muted, mute, once = 0, '', nil
      for i = 1, words do
        local key = first_word + i
        if same then key = same[key] end
        local said = held[key]
        if said then
          local muted_until, once_until = read('>I6I6', said)
          if muted_until > max(now, muted) then
            muted, mute = muted_until, pack('>I2', i - 1) .. sub(said, 1, 6) .. sub(said, 13, 19)
          end
          if once_until > now then
            once = once or {}
            once[#once + 1] = key
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
        shown, muted, mute = true, 0, ''
      end
      shown = shown and muted == 0

      local answer
      if checks <= PORTION / 2 then
        local format = formats[checks]
        if not format then
          format = '>I1' .. rep('I2I6', checks)
          formats[checks] = format
        end
        answer = pack(format, muted > 0 and 4 or shown and 1 or 0, unpack(told, 1, 2 * checks)) .. mute
      else
        local parts = {string.char(muted > 0 and 4 or shown and 1 or 0)}
        for i = 1, checks do parts[i + 1] = pack('>I2I6', told[2 * i - 1], told[2 * i]) end
        answer = concat(parts) .. mute
      end
      replies[#replies + 1] = answer

      if count == 1 then
        held[occasion], new[occasion] = stamp .. answer, occasion_life
      end

      -- What is shown counts: among the times where it belongs, for a clock may be behind; of these the newest `keep` that
      -- are not yet older than `life`.
      if count == 1 and shown then
        for i = 1, counters do
          if same then look_at(i, now) end      -- it may be the claim's twice
          local key, keep, life = places[i], row[3 * i - 2], row[3 * i - 1]
          local value, first, size, ends = held[key], firsts[i], sizes[i], max(expires[i], now + life)
          local sealed, times = '', stamp
          if size > 0 then
            sealed = sub(value, 8, first - 1)
            local from, to = 0, size
            if read('>I6', value, first) <= now - life then from = newer(value, first, 1, size, now - life) end
            if read('>I6', value, first + 6 * size - 6) > now then to = newer(value, first, 0, size - 1, now) end
            times = sub(value, first + 6 * from, first + 6 * to - 1) .. stamp .. sub(value, first + 6 * to)
            if #times > 6 * keep then times = sub(times, -6 * keep) end
          end
          if row[3 * i] == 1 then
            name = name + 1
            sealed = ARGV[name]
          end
          held[key], new[key] = pack('>I1I6', #sealed / 16, ends) .. sealed .. times, max(ends - now, 1)
        end
      else
        for i = 3, 3 * counters, 3 do name = name + row[i] end
      end
    end
  end
end

for i, life in pairs(new) do
  if life > 0 then
    redis.call('SET', KEYS[i], held[i], 'PX', life)
  else
    redis.call('UNLINK', KEYS[i])    -- what she said of it is over
  end
end
return #replies == 1 and replies[1] or replies    -- what is in a table is asked first what all it could mean
