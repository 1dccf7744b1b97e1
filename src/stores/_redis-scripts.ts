/** The Lua of each step of `redisStore`, one script each; none may leave the slot of its first key. */

import { createHash } from 'node:crypto'
import { prelude } from './_redis-prelude.ts'

/** A script, and the name under which a server remembers it. */
export interface Script {
  readonly text: string
  readonly sha1: string
}

export const open: Script = script(`
local info = redis.pcall('INFO', 'memory')
local policy = type(info) == 'string' and string.match(info, 'maxmemory_policy:([%w-]+)')
return answer({ state[1], policy or '' })
`)

export const create: Script = script(`
local made = request.session
local known = session(made.id)
if known then return answer({ toList(known), {} }) end

local ending, idle = {}, {}
for index, row in ipairs(live(request.subject)) do
  if row.id == request.replaces then ending[1] = row else idle[#idle + 1] = { row = row, index = index } end
end
table.sort(idle, function(left, right)
  if left.row.lastSeenAt ~= right.row.lastSeenAt then return left.row.lastSeenAt < right.row.lastSeenAt end
  return left.index < right.index
end)
for index = 1, math.min(#idle, #idle + 1 - (request.limit or math.huge)) do
  ending[#ending + 1] = idle[index].row
end

local revoked = {}
for index, row in ipairs(ending) do revoked[index] = entryToList(finish(row, made.accessLifetime)) end
local row = begin(made, made.id, made.accessLifetime, made.idleLifetime)
insert(row)
return answer({ toList(row), revoked })
`)

export const rotate: Script = script(`
local function judge(row)
  if not row or row.subject ~= request.subject then return 'unknown' end
  if row.revokedAt then return 'revoked' end
  if now >= row.expiresAt or now >= row.idleExpiresAt then return 'expired' end
  local isWithinGrace = row.rotatedAt and math.abs(now - row.rotatedAt) <= request.grace
  if request.generation > row.generation then return 'rotated' end
  if request.generation == row.generation then return isWithinGrace and 'kept' or 'rotated' end
  if request.generation < row.generation - 1 then return 'reused' end
  if isWithinGrace then return 'grace' end
  local isAgeKnown = not row.rotatedAt or now >= row.rotatedAt
  return isAgeKnown and request.lateReplay == 'revoke' and 'reused' or 'late'
end

local successor, adoption = request.successor, request.adoption
local stored = session(request.sid)
local row = stored
if not row and adoption then
  local token = { subject = request.subject, jti = adoption.jti, issuedAtSeconds = adoption.issuedAtSeconds }
  if isRevoked(token) then return answer({ 'revoked', {}, {} }) end
  if adoption.expiresAt <= now then return answer({ 'expired', {}, {} }) end
  local idleLifetime = successor and successor.idleLifetime or adoption.expiresAt - now
  row = begin(adoption, request.sid, request.accessLifetime, idleLifetime)
end

local outcome = judge(row)
if not row or outcome == 'unknown' then return answer({ outcome, {}, {} }) end
if not successor then return answer({ outcome, { toList(row) }, {} }) end
if outcome == 'rotated' then
  row.generation = request.generation + 1
  row.salt = successor.salt
  row.issuedAtSeconds = successor.issuedAtSeconds
  row.lastSeenAt, row.rotatedAt = now, now
  local datedAt = math.max(now, successor.issuedAtSeconds * 1000)
  row.accessUntil = math.max(row.accessUntil, datedAt + request.accessLifetime)
  row.idleExpiresAt = now + successor.idleLifetime
  if stored then save(row) else insert(row) end
  return answer({ outcome, { toList(row) }, {} })
end
if outcome == 'reused' then
  local ended = finish(row, request.accessLifetime)
  return answer({ outcome, { toList(row) }, { entryToList(ended) } })
end
return answer({ outcome, stored and { toList(stored) } or {}, {} })
`)

export const get: Script = script(`
local row = session(request.sid)
return answer(row and { toList(row) } or {})
`)

export const list: Script = script(`
local rows = {}
for index, row in ipairs(live(request.subject)) do rows[index] = toList(row) end
return answer(rows)
`)

export const revoke: Script = script(`
if request.kind == 'token' then
  return answer({ entryToList(publish('token ' .. request.jti, request['until'])) })
end
if request.kind == 'session' then
  local row = session(request.sid)
  if not row or (request.subject or row.subject) ~= row.subject then return answer({}) end
  return answer({ entryToList(finish(row, request.accessLifetime)) })
end
local rows = sessionsOf(request.subject)
local cut = math.floor(now / 1000)
local revoked = { entryToList(publish('subject ' .. request.subject, now + request.tokenLifetime, cut)) }
for _, row in ipairs(rows) do
  if row.id ~= request.except then
    revoked[#revoked + 1] = entryToList(finish(row, request.accessLifetime))
  end
end
return answer(revoked)
`)

export const isRevoked: Script = script(`
return answer({ isRevoked(request) and 'yes' or 'no' })
`)

/**
 * A reader has the id up to which it has read the feed. While it reads the whole set, which is in the order of the
 * ends, it has the last entry it was given as well. The end of the feed is taken first, so what is moved or made
 * while it reads the set comes again.
 */
export const revocations: Script = script(`
local function isBefore(left, right)
  local leftTime, leftCount = string.match(left, '^(%d+)-(%d+)$')
  local rightTime, rightCount = string.match(right, '^(%d+)-(%d+)$')
  if leftTime ~= rightTime then return tonumber(leftTime) < tonumber(rightTime) end
  return tonumber(leftCount) < tonumber(rightCount)
end

local last = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', 1)[1][1]
local isKnown = request.feedId == feedId
  and not isBefore(request.position, state[5]) and not isBefore(last, request.position)
local position = isKnown and request.position or last
local found = {}

if isKnown and not request.name then
  for _, item in ipairs(redis.call('XRANGE', feed, '(' .. position, '+', 'COUNT', request.count)) do
    position = item[1]
    if item[2][2] ~= '' then found[#found + 1] = { item[2][2], item[2][4], item[2][6] } end
  end
  return answer({ { feedId, position }, position == last and 'no' or 'yes', found })
end

local rank = redis.call('ZCOUNT', entries, '-inf', text(now))
if isKnown then
  -- Where the last one has moved on, its equals are given again.
  local score = redis.call('ZSCORE', entries, request.name)
  local isThere = score and tonumber(score) == tonumber(request.ends)
  rank = isThere and redis.call('ZRANK', entries, request.name) + 1
    or redis.call('ZCOUNT', entries, '-inf', '(' .. request.ends)
end
local items = redis.call('ZRANGE', entries, rank, rank + request.count - 1, 'WITHSCORES')
local name, ends = '', ''
for index = 1, #items, 2 do
  name, ends = items[index], items[index + 1]
  if name ~= '' then found[#found + 1] = entryToList(entry(name)) end
end
-- The last of the set is the one that is always there.
if #items == 0 or name == '' then
  return answer({ { feedId, position }, position == last and 'no' or 'yes', found })
end
return answer({ { feedId, position, name, ends }, 'yes', found })
`)

/** Rows go by themselves. */
export const sweep: Script = script(`
local past = redis.call('ZRANGEBYSCORE', entries, '-inf', text(now), 'LIMIT', 0, request.limit)
for _, name in ipairs(past) do
  redis.call('ZREM', entries, name)
  redis.call('HDEL', cuts, name)
end
return answer({ text(#past) })
`)

function script(body: string): Script {
  const text = `${prelude}${body}`
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
