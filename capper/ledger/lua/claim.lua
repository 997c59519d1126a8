-- Check and count claims in order, each on all of its counters or on none. Or only look (a peek): then each as if it were
-- the only one. What is asked at the same time goes in one call of this script, several asks one after the other.
--
-- KEYS   what is asked about: of each ask the viewer's session, if there are sessions; then of each of its claims the occasion,
--        the counters, and what she said of the names. In a cluster all of them share one hash tag.
-- ARGV   1: I1 1 = some of the keys come more than once, then the asks; all big-endian. Times are milliseconds since the
--           epoch, lengths milliseconds.
--           each ask:      I1 1 = count, 0 = look   I8 now   I8 gap, 0 = no sessions   I8 session limit   I8 occasion life
--                          I4 claims
--           each claim:    I1 1 = refused   I2 counters   I2 checks   I2 names she may have spoken of   I2 sealed names
--           each counter:  I2 keep   I8 life   I1 1 = its advertiser's sealed name is the next of ARGV
--           each check:    I2 counter (of the claim's, from 0)   I2 limit   i8 when its window began (-2^62 as this session)
--        2...: sealed names, each a multiple of 16 bytes.
-- Reply  for each claim a string; where there is only one claim that string alone: I1 (1 shown + 2 repeated + 4 muted), then
--        for each check I2 count   I6 n-th newest, 0 = not reached; then where it is muted I2 which of its names (from 0)   I6 until   I6 since   I1 why
--
-- Stored session    I6 began   I6 last seen                                         expires after the gap
--        occasion   I6 claimed, then the reply it got                               expires after the occasion's life
--        said       I6 muted until   I6 to be shown once until   I6 since   I1 why   I1 level   sealed name   with the later
--        counter    I1 16-byte blocks of name   I6 expires   name   I6 each time, ascending    expires as it says
--
-- A call of a function takes as long as ten other steps, and a table as long as three calls: there are few of either.

local pack, read, sub, keys = struct.pack, struct.unpack, string.sub, KEYS
local PORTION = 1000                  -- of what goes through Lua's stack, which has an end
local SESSION = -2 ^ 62
local COUNTER = 11                    -- bytes of a request
local CHECK = 12
local NOTHING = '\0\0\0\0\0\0\0\0'    -- what a check found that found nothing
local request, at, place, name, answered, replies = ARGV[1], 2, 0, 1, 0, {false}

-- By the places of their keys: the values as stored, and for how long those that are new are to be stored.
local held, new = nil, {false, false, false, false, false, false, false, false}
if #keys <= PORTION then
  held = redis.call('MGET', unpack(keys))
else
  held = {}
  for first = 1, #keys, PORTION do
    local values = redis.call('MGET', unpack(keys, first, math.min(first + PORTION - 1, #keys)))
    for i = 1, #values do held[first + i - 1] = values[i] end
  end
end
-- Where keys come more than once: for each the place of the first that is like it.
local same
if sub(request, 1, 1) == '\1' then
  local seen = {}
  same = {}
  for i, key in ipairs(keys) do
    same[i] = seen[key] or i
    seen[key] = same[i]
  end
end

-- Which of the times from `low` to before `high` is the first newer than `since`, by bisection; they ascend, and begin at `first`.
local function newer(value, first, low, high, since)
  while low < high do
    local middle = (low + high - (low + high) % 2) / 2
    if read('>I6', value, first + 6 * middle) > since then high = middle else low = middle + 1 end
  end
  return low
end

while at <= #request do
  local count, now, gap, session_limit, occasion_life, claims
  local stamp = sub(request, at + 3, at + 8)
  count, now, gap, session_limit, occasion_life, claims, at = read('>I1I8I8I8I8I4', request, at)

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
      if last_seen < now then last_seen = now end
    end
    if count == 1 then held[of], new[of] = pack('>I6I6', began, last_seen), gap end
  end

  for _ = 1, claims do
    local refused, counters, checks, words, names, rows
    refused, counters, checks, words, names, rows = read('>I1I2I2I2I2', request, at)
    at = rows + COUNTER * counters
    -- Its keys: the occasion's, then its counters', then its words'.
    local before = place + 1
    local occasion, after = same and same[before] or before, before + counters
    place = after + words

    local answer
    local known = held[occasion]
    if known and now - read('>I6', known) < occasion_life then
      at = at + CHECK * checks
      answer = string.char(string.byte(known, 7) + 2) .. sub(known, 8)
    else
      -- The caps: each check, whatever another has found, because its count is told.
      local shown, found = refused == 0, ''
      local counter, value, first, size, oldest, outlived    -- as it stands; checks of one counter mostly follow each other
      for _ = 1, checks do
        local which, limit, since
        which, limit, since, at = read('>I2I2i8', request, at)
        if which ~= counter then
          local key = before + 1 + which
          counter, value, size = which, held[same and same[key] or key], 0
          if value then
            local blocks, ends = read('>I1I6', value)
            if ends > now then
              first = 8 + 16 * blocks
              size = (#value - first + 1) / 6
              oldest = read('>I6', value, first)
              outlived = now - read('>I8', request, rows + COUNTER * which + 2)
            end
          end
        end
        local newest, nth = 0, 0
        if size > 0 then
          if since == SESSION then since = began - 1 end
          if since < outlived then since = outlived end
          -- The one that would fill the cap, else the oldest, says nearly always all.
          local from, time = 0, oldest
          if size > limit then
            from = size - limit
            time = read('>I6', value, first + 6 * from)
          end
          if time > since then
            newest = from == 0 and size or size - newer(value, first, 0, from, since)
            if size >= limit then nth, shown = time, false end
          elseif from + 1 < size then
            newest = size - newer(value, first, from + 1, size, since)
          end
        end
        found = found .. (newest == 0 and NOTHING or pack('>I2I6', newest, nth))
      end

      -- What she said of its names: the mute that ends last; and what may be shown once, which is used up if it is needed.
      local muted, mute, once = 0, '', nil
      for i = 1, words do
        local key = after + i
        if same then key = same[key] end
        local said = held[key]
        if said then
          local muted_until, once_until = read('>I6I6', said)
          if muted_until > now and muted_until > muted then
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
      answer = (muted > 0 and '\4' or shown and '\1' or '\0') .. found .. mute
      if count == 1 then
        held[occasion], new[occasion] = stamp .. answer, occasion_life
      end

      -- What is shown counts: among the times where it belongs, for a clock may be behind; of these the newest `keep` that
      -- are not yet older than `life`.
      if count == 1 and shown then
        local sealed_name = name
        for i = 1, counters do
          local key = before + i
          if same then key = same[key] end
          local keep, life, named = read('>I2I8I1', request, rows + COUNTER * (i - 1))
          local was, sealed, times, ends = held[key], '', stamp, now + life
          if was then
            local blocks, expires = read('>I1I6', was)
            if expires > now then
              if expires > ends then ends = expires end
              local begins = 8 + 16 * blocks
              local number = (#was - begins + 1) / 6
              local from, to = 0, number
              if read('>I6', was, begins) <= now - life then from = newer(was, begins, 1, number, now - life) end
              if read('>I6', was, #was - 5) > now then to = newer(was, begins, 0, number - 1, now) end
              sealed = sub(was, 8, begins - 1)
              times = sub(was, begins + 6 * from, begins + 6 * to - 1) .. stamp .. sub(was, begins + 6 * to)
              if #times > 6 * keep then times = sub(times, -6 * keep) end
            end
          end
          if named == 1 then
            sealed_name = sealed_name + 1
            sealed = ARGV[sealed_name]
          end
          held[key] = pack('>I1I6', #sealed / 16, ends) .. sealed .. times
          new[key] = ends > now and ends - now or 1
        end
      end
    end
    name = name + names
    answered = answered + 1
    replies[answered] = answer
  end
end

for i = 1, #keys do
  local life = new[i]
  if life and life > 0 then
    redis.call('SET', keys[i], held[i], 'PX', life)
  elseif life then
    redis.call('UNLINK', keys[i])    -- what she said of it is over
  end
end
return answered == 1 and replies[1] or replies    -- what is in a table is asked first what all it could mean
