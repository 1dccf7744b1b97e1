/** The Lua that every script begins with: rows, entries and the marker; it must do what `_ledger.ts` does, and no more. */

/** The fields of a row and of a reply, in the order of both. */
export const sessionFields = [
  'id',
  'subject',
  'salt',
  'metadata',
  'generation',
  'issuedAtSeconds',
  'authTimeSeconds',
  'createdAt',
  'lastSeenAt',
  'accessUntil',
  'idleExpiresAt',
  'expiresAt',
  'rotatedAt',
  'revokedAt',
] as const

/** The version of what lies in the keys. */
const schemaVersion = 1

/** For how long the feed can be read after its end was moved; a reader reads once a second. */
const feedMilliseconds = 600_000

/**
 * KEYS: the marker `:m`, the live entries `:r`, the cuts of subjects `:c`, the feed `:f`, then others of the same slot,
 * which the scripts name by the marker's.
 * ARGV: the clock of a test or '', an id for a new feed, the number of partitions, the channel, then the request as JSON.
 *
 * An entry is known by its kind, a space and its id. Numbers go in and out with all their digits.
 */
export const prelude: string = `
local marker, entries, cuts, feed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local base = string.sub(marker, 1, -2)
local request = cjson.decode(ARGV[5])

local function text(value)
  if value == nil then return '' end
  return type(value) == 'number' and string.format('%.17g', value) or value
end

local function number(value)
  if value == '' then return nil end
  return assert(tonumber(value), 'a number is missing')
end

-- A write that changes nothing: whoever was made a replica refuses it, and so answers nothing. What makes a new
-- session is refused at this point where memory is full as well; what ends or renews one never is.
if request.session or type(request.adoption) == 'table' then
  redis.call('HSETNX', marker, 'version', '${schemaVersion}')
else
  redis.call('PERSIST', marker)
end

local time = redis.call('TIME')
local serverNow = time[1] * 1000 + math.floor(time[2] / 1000)
local now = number(ARGV[1]) or serverNow

local state = redis.call('HMGET', marker, 'version', 'feedId', 'bornAt', 'partitions', 'trimmed')
if state[1] and number(state[1]) > ${schemaVersion} then return { 'version', state[1] } end
if state[4] and state[4] ~= ARGV[3] then return { 'partitions', state[4] } end
-- Each of these keys always holds something, so one that is gone was lost.
if redis.call('EXISTS', marker, entries, cuts, feed) < 4 then
  state = { '${schemaVersion}', ARGV[2], text(now), ARGV[3], '0-0' }
  redis.call('HSET', marker, 'version', state[1], 'feedId', state[2], 'bornAt', state[3],
    'partitions', state[4], 'trimmed', state[5])
  redis.call('ZADD', entries, '+inf', '')
  redis.call('HSET', cuts, '', '')
  redis.call('XADD', feed, '*', 'entry', '', 'ends', '', 'cut', '')
end
local feedId, bornAt = state[2], number(state[3])

local hasNews = false

local function answer(values)
  -- A hint: a user who may not publish is no reason to fail.
  if hasNews then redis.pcall('PUBLISH', ARGV[4], '') end
  return { 'ok', feedId, text(bornAt), text(now), values }
end

local fields = { '${sessionFields.join("', '")}' }
local isText = { id = true, subject = true, salt = true, metadata = true }

local function rowKey(sid) return base .. 's:' .. sid end
local function indexKey() return base .. 'u:' .. request.index end

-- A row as it lies there, past its end or not.
local function read(sid)
  local values = redis.call('HMGET', rowKey(sid), unpack(fields))
  if not values[1] and redis.call('EXISTS', rowKey(sid)) == 0 then return nil end
  local row = {}
  for index, name in ipairs(fields) do
    assert(values[index], 'a row is incomplete')
    if isText[name] then row[name] = values[index] else row[name] = number(values[index]) end
  end
  return row
end

local function session(sid)
  local row = read(sid)
  return row and row.expiresAt > now and row or nil
end

local function toList(row)
  local list = {}
  for index, name in ipairs(fields) do list[index] = text(row[name]) end
  return list
end

local function expiry(row)
  return string.format('%.0f', math.ceil(row.expiresAt - now))
end

local function save(row)
  local written = {}
  for index, value in ipairs(toList(row)) do
    written[2 * index - 1], written[2 * index] = fields[index], value
  end
  redis.call('HSET', rowKey(row.id), unpack(written))
  redis.call('PEXPIRE', rowKey(row.id), expiry(row))
end

-- A row that is new, with its place among the rows of its subject, which are kept in their order.
local function insert(row)
  save(row)
  local last = redis.call('ZRANGE', indexKey(), -1, -1, 'WITHSCORES')
  redis.call('ZADD', indexKey(), 'NX', (last[2] or 0) + 1, row.id)
  local left = tonumber(expiry(row))
  if redis.call('PTTL', indexKey()) < left then redis.call('PEXPIRE', indexKey(), expiry(row)) end
end

-- Those that nobody has ended; ended ones leave the index when they are met.
local function sessionsOf(subject)
  local rows = {}
  for _, sid in ipairs(redis.call('ZRANGE', indexKey(), 0, -1)) do
    local row = read(sid)
    if not row or row.revokedAt then
      redis.call('ZREM', indexKey(), sid)
    elseif row.subject == subject and row.expiresAt > now then
      rows[#rows + 1] = row
    end
  end
  return rows
end

local function live(subject)
  local rows = {}
  for _, row in ipairs(sessionsOf(subject)) do
    if row.idleExpiresAt > now then rows[#rows + 1] = row end
  end
  return rows
end

local function entry(name)
  local ends = redis.call('ZSCORE', entries, name)
  if not ends then return nil end
  local cut = redis.call('HGET', cuts, name)
  assert(cut or string.sub(name, 1, 8) ~= 'subject ', 'a cut is missing')
  return { name = name, ends = number(ends), cut = cut and number(cut) or nil }
end

local function entryToList(one) return { one.name, text(one.ends), text(one.cut) } end

-- What is about to leave the feed is noted, so that a reader who has not seen it can be told.
local function trim()
  local oldest = string.format('%.0f-0', serverNow - ${feedMilliseconds})
  -- Where there is nothing to be found, the second would go through the whole feed.
  if #redis.call('XRANGE', feed, '-', '(' .. oldest, 'COUNT', 1) == 0 then return end
  local leaving = redis.call('XREVRANGE', feed, '(' .. oldest, '-', 'COUNT', 1)[1]
  redis.call('HSET', marker, 'trimmed', leaving[1])
  redis.call('XTRIM', feed, 'MINID', '~', oldest)
end

-- Ends and cuts only ever move ahead.
local function publish(name, ends, cut)
  local known = entry(name)
  local one = { name = name, ends = ends, cut = cut }
  if known then one.ends = math.max(known.ends, ends) end
  if known and cut then one.cut = math.max(known.cut, cut) end
  redis.call('ZADD', entries, text(one.ends), name)
  if cut then redis.call('HSET', cuts, name, text(one.cut)) end
  redis.call('XADD', feed, '*', 'entry', name, 'ends', text(one.ends), 'cut', text(one.cut))
  trim()
  hasNews = true
  return one
end

-- A session that has ended keeps its time of death, and its entry.
local function finish(row, accessLifetime)
  local known = entry('session ' .. row.id)
  if row.revokedAt and known then return known end
  row.accessUntil = math.max(row.accessUntil, now + accessLifetime)
  row.revokedAt = row.revokedAt or now
  save(row)
  return publish('session ' .. row.id, row.accessUntil)
end

local function isLive(name)
  local one = entry(name)
  return one ~= nil and one.ends > now
end

-- A token without an iat counts as made at the beginning of time.
local function isRevoked(token)
  local issuedAtSeconds = tonumber(token.issuedAtSeconds) or -math.huge
  if isLive('token ' .. token.jti) then return true end
  if token.sid and issuedAtSeconds < math.floor(bornAt / 1000) then return true end
  if token.sid then return isLive('session ' .. token.sid) end
  local known = entry('subject ' .. token.subject)
  return known and known.ends > now and issuedAtSeconds <= known.cut
end

local function begin(made, id, accessLifetime, idleLifetime)
  return {
    id = id, subject = request.subject, generation = 0, salt = made.salt or '', metadata = made.metadata,
    issuedAtSeconds = made.issuedAtSeconds, authTimeSeconds = made.authTimeSeconds, createdAt = now,
    lastSeenAt = now, accessUntil = math.max(now, made.issuedAtSeconds * 1000) + accessLifetime, idleExpiresAt = now + idleLifetime,
    expiresAt = made.expiresAt,
  }
end
`
