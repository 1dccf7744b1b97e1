/** The steps of revocations, as functions of PostgreSQL that do what `_ledger.ts` does; an end must never move back. */

import { maxPageEntries } from '../core/store.ts'

/**
 * A cursor is: the feed, the start of the server, and the snapshot whose entries are known; within a round of pages
 * also the snapshot whose entries will be known after it, and the place of the last one that was read.
 * Transactions commit out of order, so a place alone would leave gaps. Where a server starts again, another one
 * perhaps, it may give transaction numbers anew, so its cursors are worth nothing then.
 */
export const revocationFunctions: string = `
  create or replace function tallystick.entry_v1(e tallystick.revocations) returns json language sql as $fn$
    select json_build_object('kind', e.kind, 'id', e.id, 'cutSeconds', e.cut_seconds, 'until', e.until)
  $fn$;

  create or replace function tallystick.publish_v1(
    a_kind text, a_id json, a_cut double precision, an_until double precision
  ) returns json language plpgsql as $fn$
  declare
    entry tallystick.revocations;
  begin
    insert into tallystick.revocations as known (kind, key, id, cut_seconds, until)
      values (a_kind, tallystick.key_v1(a_id), a_id, a_cut, an_until)
      on conflict (kind, key) do update set
        cut_seconds = greatest(known.cut_seconds, excluded.cut_seconds),
        until = greatest(known.until, excluded.until),
        tx = default,
        seq = default
      returning * into entry;
    perform pg_notify('tallystick_news', '');
    return tallystick.entry_v1(entry);
  end $fn$;

  create or replace function tallystick.end_v1(
    s tallystick.sessions, t double precision, access_lifetime double precision
  ) returns json language plpgsql as $fn$
  declare
    known tallystick.revocations;
    ends_at double precision;
  begin
    if s.revoked_at is not null then
      select * into known from tallystick.revocations where kind = 'session' and key = s.key;
      if found then
        return tallystick.entry_v1(known);
      end if;
    end if;
    update tallystick.sessions x set
      access_until = greatest(x.access_until, t + access_lifetime),
      revoked_at = coalesce(x.revoked_at, t)
      where x.key = s.key
      returning x.access_until into strict ends_at;
    return tallystick.publish_v1('session', s.id, null, ends_at);
  end $fn$;

  create or replace function tallystick.revoke_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    access_lifetime double precision := p->>'accessLifetime';
    spared bytea := tallystick.key_v1(p->'except');
    t double precision;
    s tallystick.sessions;
    revoked json[] := '{}';
  begin
    if p->>'kind' = 'session' then
      select * into s from tallystick.sessions where key = tallystick.key_v1(p->'sid') for update;
      t := tallystick.now_v1(p);
      if s.expires_at > t and s.subject_key = coalesce(tallystick.key_v1(p->'subject'), s.subject_key) then
        revoked := array[tallystick.end_v1(s, t, access_lifetime)];
      end if;
      return array_to_json(revoked);
    end if;
    -- Whoever adopts a token of this subject is done before, or finds the entry.
    perform tallystick.lock_v1(p->'subject');
    t := tallystick.now_v1(p);
    if p->>'kind' = 'token' then
      return json_build_array(
        tallystick.publish_v1('token', p->'jti', null, (p->>'until')::double precision)
      );
    elsif p->>'kind' is distinct from 'subject' then
      raise exception 'tallystick: there is no such kind of revocation';
    end if;
    revoked := array[tallystick.publish_v1(
      'subject', p->'subject', floor(t / 1000), t + (p->>'tokenLifetime')::double precision
    )];
    for s in
      select * from tallystick.sessions
      where subject_key = tallystick.key_v1(p->'subject')
        and key is distinct from spared and revoked_at is null and expires_at > t
      order by number for update
    loop
      revoked := revoked || tallystick.end_v1(s, t, access_lifetime);
    end loop;
    return array_to_json(revoked);
  end $fn$;

  create or replace function tallystick.marker_v1() returns tallystick.marker language plpgsql as $fn$
  declare
    m tallystick.marker;
  begin
    select * into m from tallystick.marker;
    if m.feed_id is null then
      raise exception 'tallystick: the marker was lost' using errcode = 'undefined_table';
    end if;
    return m;
  end $fn$;

  create or replace function tallystick.is_revoked_v1(
    a_subject json, a_jti json, a_sid json, issued_at_seconds double precision, t double precision
  ) returns boolean language plpgsql as $fn$
  declare
    m tallystick.marker := tallystick.marker_v1();
  begin
    if exists (
      select from tallystick.revocations
      where kind = 'token' and key = tallystick.key_v1(a_jti) and until > t
    ) then
      return true;
    end if;
    -- What is no number is older than everything.
    if a_sid is not null then
      return (issued_at_seconds >= floor(m.born_at / 1000)) is not true or exists (
        select from tallystick.revocations
        where kind = 'session' and key = tallystick.key_v1(a_sid) and until > t
      );
    end if;
    return exists (
      select from tallystick.revocations
      where kind = 'subject' and key = tallystick.key_v1(a_subject) and until > t
        and (issued_at_seconds > cut_seconds) is not true
    );
  end $fn$;

  create or replace function tallystick.check_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    t double precision := tallystick.now_v1(p);
    issued_at_seconds double precision := p->>'issuedAtSeconds';
  begin
    return to_json(tallystick.is_revoked_v1(p->'subject', p->'jti', p->'sid', issued_at_seconds, t));
  end $fn$;

  create or replace function tallystick.feed_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    t double precision := tallystick.now_v1(p);
    m tallystick.marker := tallystick.marker_v1();
    started bigint := floor(extract(epoch from pg_postmaster_start_time()) * 1000);
    feed text := concat_ws(' ', m.feed_id, started);
    -- Taken before the page is read: what is committed in between is given twice.
    seeing pg_snapshot := pg_current_snapshot();
    seen pg_snapshot := '1:1:';
    after_tx xid8 := '0';
    after_seq bigint := 0;
    parts text[] := string_to_array(p->>'cursor', ' ');
    reply json;
  begin
    if concat_ws(' ', parts[1], parts[2]) = feed then
      seen := parts[3];
      after_tx := pg_snapshot_xmin(seen);
      if parts[4] is not null then
        seeing := parts[4];
        after_tx := parts[5];
        after_seq := parts[6];
      end if;
    end if;
    with page as (
      select e as entry, e.tx, e.seq, row_number() over (order by e.tx, e.seq) as place
      from tallystick.revocations e
      where (e.tx, e.seq) > (after_tx, after_seq) and e.until > t
        and not pg_visible_in_snapshot(e.tx, seen)
      order by e.tx, e.seq
      limit ${maxPageEntries + 1}
    )
    select json_build_object(
      'feedId', m.feed_id, 'bornAt', m.born_at, 'now', t,
      'entries', coalesce(
        json_agg(tallystick.entry_v1(entry) order by place) filter (where place <= ${maxPageEntries}), '[]'
      ),
      'more', count(*) > ${maxPageEntries},
      'cursor', case when count(*) > ${maxPageEntries}
        then concat_ws(' ', feed, seen, seeing, (
          select concat_ws(' ', tx, seq) from page where place = ${maxPageEntries}
        ))
        else concat_ws(' ', feed, seeing) end
    ) into reply from page;
    return reply;
  end $fn$;

  create or replace function tallystick.sweep_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    t double precision := tallystick.now_v1(p);
    wanted bigint := trunc((p->>'limit')::double precision);
    swept bigint;
    swept_entries bigint;
  begin
    with dead as materialized (
      select key from tallystick.sessions where expires_at <= t
      order by expires_at limit wanted for update skip locked
    )
    delete from tallystick.sessions x using dead where x.key = dead.key;
    get diagnostics swept = row_count;
    with dead as materialized (
      select kind, key from tallystick.revocations where until <= t
      order by until limit wanted - swept for update skip locked
    )
    delete from tallystick.revocations x using dead where x.kind = dead.kind and x.key = dead.key;
    get diagnostics swept_entries = row_count;
    return to_json(swept + swept_entries);
  end $fn$;
`
