/** Makes the schema of the PostgreSQL store in one statement; must never take away or change what others keep in it. */

import { revocationFunctions } from './_postgres-revocations.ts'
import { sessionFunctions } from './_postgres-sessions.ts'

/**
 * Ids, subjects, salts and metadata are kept as the JSON that they came in, since text cannot hold U+0000 or half a
 * surrogate pair, and are found by its SHA-256. Numbers are doubles, as those of JavaScript are.
 *
 * A rotation changes no column that has an index, so that it never writes to one.
 */
const tables = `
  if not exists (select from pg_class where oid = to_regclass('tallystick.marker')) then
    create table tallystick.marker (
      one boolean primary key default true check (one),
      version integer not null,
      feed_id text not null,
      born_at double precision not null
    );
  end if;
  if exists (select from tallystick.marker where version > 1) then
    raise exception 'tallystick: the data in this schema needs a newer tallystick';
  end if;
  if to_regclass('tallystick.numbers') is null then
    create sequence tallystick.numbers;
  end if;
  if to_regclass('tallystick.sessions') is null then
    -- Where a part is missing, data was lost: what is made now is born now.
    delete from tallystick.marker;
    create table tallystick.sessions (
      key bytea primary key,
      number bigint not null default nextval('tallystick.numbers'),
      id json not null,
      subject_key bytea not null,
      subject json not null,
      generation double precision not null,
      salt json not null,
      issued_at_seconds double precision not null,
      auth_time_seconds double precision not null,
      created_at double precision not null,
      last_seen_at double precision not null,
      rotated_at double precision,
      access_until double precision not null,
      idle_expires_at double precision not null,
      expires_at double precision not null,
      revoked_at double precision,
      metadata json not null
    ) with (fillfactor = 80);
    create index sessions_of_subject on tallystick.sessions (subject_key) where revoked_at is null;
    create index sessions_by_end on tallystick.sessions (expires_at);
  end if;
  if to_regclass('tallystick.revocations') is null then
    delete from tallystick.marker;
    create table tallystick.revocations (
      kind text not null,
      key bytea not null,
      id json not null,
      cut_seconds double precision,
      until double precision not null,
      tx xid8 not null default pg_current_xact_id(),
      seq bigint not null default nextval('tallystick.numbers'),
      primary key (kind, key)
    );
    create index revocations_in_order on tallystick.revocations (tx, seq);
    create index revocations_by_end on tallystick.revocations (until);
  end if;
`

/**
 * The functions are never changed under one name: another body is another version, and older processes keep theirs.
 * All of them are volatile, so that each statement in them sees what was committed before it began.
 */
const commonFunctions = `
  create or replace function tallystick.key_v1(a_name json) returns bytea language sql stable as $fn$
    select sha256(convert_to(a_name::text, 'UTF8'))
  $fn$;

  create or replace function tallystick.now_v1(p json) returns double precision language plpgsql as $fn$
  begin
    if pg_is_in_recovery() then
      raise exception 'tallystick: this server is a replica, and its answers may be old';
    end if;
    -- Otherwise what was committed during the wait for a lock would not be seen.
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
      raise exception 'tallystick: transactions must be read committed, see default_transaction_isolation';
    end if;
    return coalesce(
      (p->>'now')::double precision,
      floor(extract(epoch from clock_timestamp()) * 1000)::double precision
    );
  end $fn$;

  create or replace function tallystick.lock_v1(a_subject json) returns void language plpgsql as $fn$
  begin
    perform pg_advisory_xact_lock(
      hashtextextended('tallystick.' || encode(tallystick.key_v1(a_subject), 'hex'), 0)
    );
  end $fn$;

  create or replace function tallystick.open_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    t double precision := tallystick.now_v1(p);
    m tallystick.marker;
  begin
    -- A table that is missing fails here, and is made.
    perform from tallystick.sessions limit 1;
    perform from tallystick.revocations limit 1;
    insert into tallystick.marker (version, feed_id, born_at)
      values (1, gen_random_uuid()::text, t) on conflict do nothing;
    select * into strict m from tallystick.marker;
    if m.version > 1 then
      raise exception 'tallystick: the data in this schema needs a newer tallystick';
    end if;
    return json_build_object(
      'version', m.version, 'feedId', m.feed_id, 'bornAt', m.born_at, 'now', t,
      'warnings', array_remove(array[
        case when current_setting('synchronous_commit') = 'off' then
          'PostgreSQL has synchronous_commit off, so a crash may forget revocations: set it to on' end,
        case when current_setting('fsync') = 'off' then
          'PostgreSQL has fsync off, so a crash may lose sessions and revocations: set it to on' end
      ], null)
    );
  end $fn$;
`

/** The statement that makes what is missing; one process at a time runs it, the others wait and find all there. */
export function install(schema: string): string {
  const createSchema = `
  if not exists (select from pg_namespace where nspname = '${schema}') then
    create schema "${schema}";
  end if;`
  const [lock, rest] = [
    "perform pg_advisory_xact_lock(hashtextextended('tallystick.install', 0));",
    `${tables} ${commonFunctions} ${sessionFunctions} ${revocationFunctions}`,
  ].map((sql) => inSchema(schema, sql))
  const quiet = "perform set_config('client_min_messages', 'warning', true);"
  return `do $install$ begin ${quiet} ${lock} ${createSchema} ${rest} end $install$`
}

/** The statement of one step: text in, text out, so that no driver takes either for something else. */
export function callOf(schema: string, step: string): string {
  return inSchema(schema, `select tallystick.${step}_v1($1::text) as reply`)
}

/** The name on which is told that there are new entries. */
export function channelOf(schema: string): string {
  return inSchema(schema, 'tallystick_news')
}

/** In one pass: a schema's name may hold what is replaced. */
function inSchema(schema: string, sql: string): string {
  return sql.replaceAll(/tallystick([._])/g, (_, mark) => (mark === '.' ? `"${schema}".` : `${schema}_`))
}
