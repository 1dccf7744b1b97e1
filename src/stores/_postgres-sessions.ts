/** The steps of sessions, as functions of PostgreSQL that do what `_ledger.ts` does; must never answer without its locks. */

/**
 * Locks are always taken in this order, so that no two steps wait for each other: the subject, its sessions, their
 * entries. A step locks more than one session only under their subject's lock. The clock is read after the locks.
 */
export const sessionFunctions: string = `
  create or replace function tallystick.session_v1(s tallystick.sessions) returns json language sql as $fn$
    select json_build_object(
      'id', s.id, 'subject', s.subject, 'generation', s.generation, 'salt', s.salt,
      'issuedAtSeconds', s.issued_at_seconds, 'authTimeSeconds', s.auth_time_seconds,
      'createdAt', s.created_at, 'lastSeenAt', s.last_seen_at, 'rotatedAt', s.rotated_at,
      'accessUntil', s.access_until, 'idleExpiresAt', s.idle_expires_at, 'expiresAt', s.expires_at,
      'revokedAt', s.revoked_at, 'metadata', s.metadata
    )
  $fn$;

  create or replace function tallystick.begin_v1(n json, t double precision)
    returns tallystick.sessions language plpgsql as $fn$
  declare
    s tallystick.sessions;
  begin
    s.key := tallystick.key_v1(n->'id');
    s.number := nextval('tallystick.numbers');
    s.id := n->'id';
    s.subject_key := tallystick.key_v1(n->'subject');
    s.subject := n->'subject';
    s.generation := 0;
    s.salt := n->'salt';
    s.issued_at_seconds := n->>'issuedAtSeconds';
    s.auth_time_seconds := n->>'authTimeSeconds';
    s.created_at := t;
    s.last_seen_at := t;
    s.access_until := greatest(t, (n->>'issuedAtSeconds')::double precision * 1000)
      + (n->>'accessLifetime')::double precision;
    s.idle_expires_at := t + (n->>'idleLifetime')::double precision;
    s.expires_at := n->>'expiresAt';
    s.metadata := n->'metadata';
    return s;
  end $fn$;

  create or replace function tallystick.put_v1(s tallystick.sessions, t double precision)
    returns boolean language plpgsql as $fn$
  begin
    delete from tallystick.sessions where key = s.key and expires_at <= t;
    insert into tallystick.sessions select s.* on conflict do nothing;
    return found;
  end $fn$;

  create or replace function tallystick.create_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    replaced bytea := tallystick.key_v1(p->'replaces');
    access_lifetime double precision := p->'session'->>'accessLifetime';
    t double precision;
    s tallystick.sessions;
    other tallystick.sessions;
    live integer;
    live_replaced integer;
    revoked json[] := '{}';
  begin
    perform tallystick.lock_v1(p->'session'->'subject');
    t := tallystick.now_v1(p);
    s := tallystick.begin_v1(p->'session', t);
    if not tallystick.put_v1(s, t) then
      select * into strict s from tallystick.sessions where key = s.key;
      return json_build_object('session', tallystick.session_v1(s), 'revoked', revoked);
    end if;
    select count(*), count(*) filter (where key = replaced) into live, live_replaced from (
      select key from tallystick.sessions
      where subject_key = s.subject_key and key <> s.key
        and revoked_at is null and idle_expires_at > t and expires_at > t
      order by key for update
    ) locked;
    for other in
      select * from tallystick.sessions
      where subject_key = s.subject_key and key <> s.key
        and revoked_at is null and idle_expires_at > t and expires_at > t
      order by key is not distinct from replaced desc, last_seen_at, number
      limit live_replaced + case when p->>'limit' is null then 0 else
        greatest(0, trunc(live - live_replaced + 1 - (p->>'limit')::double precision))::bigint end
    loop
      revoked := revoked || tallystick.end_v1(other, t, access_lifetime);
    end loop;
    return json_build_object('session', tallystick.session_v1(s), 'revoked', revoked);
  end $fn$;

  create or replace function tallystick.judge_v1(
    s tallystick.sessions, p json, t double precision
  ) returns text language plpgsql as $fn$
  declare
    presented double precision := p->>'generation';
    is_within_grace boolean :=
      s.rotated_at is not null and abs(t - s.rotated_at) <= (p->>'grace')::double precision;
  begin
    return case
      when s.subject_key is distinct from tallystick.key_v1(p->'subject') then 'unknown'
      when s.revoked_at is not null then 'revoked'
      when t >= s.expires_at or t >= s.idle_expires_at then 'expired'
      when presented > s.generation then 'rotated'
      when presented = s.generation then case when is_within_grace then 'kept' else 'rotated' end
      when presented < s.generation - 1 then 'reused'
      when is_within_grace then 'grace'
      when p->>'lateReplay' = 'revoke' and (s.rotated_at is null or t >= s.rotated_at) then 'reused'
      else 'late'
    end;
  end $fn$;

  create or replace function tallystick.rotated_v1(
    outcome text, s tallystick.sessions, revoked json[], t double precision
  ) returns text language sql as $fn$
    select json_build_object(
      'outcome', outcome,
      'session', case when s.key is null or outcome = 'unknown' then null else tallystick.session_v1(s) end,
      'revoked', revoked,
      'now', t
    )::text
  $fn$;

  create or replace function tallystick.adopt_v1(
    p json, t double precision, out refusal text, out s tallystick.sessions
  ) language plpgsql as $fn$
  declare
    a json := p->'adoption';
    ends_at double precision := a->>'expiresAt';
    idle double precision := coalesce((p->'successor'->>'idleLifetime')::double precision, ends_at - t);
  begin
    if tallystick.is_revoked_v1(
      p->'subject', a->'jti', null, (a->>'issuedAtSeconds')::double precision, t
    ) then
      refusal := 'revoked';
    elsif ends_at <= t then
      refusal := 'expired';
    else
      s := tallystick.begin_v1(json_build_object(
        'id', p->'sid', 'subject', p->'subject', 'salt', '', 'accessLifetime', p->'accessLifetime',
        'idleLifetime', idle, 'issuedAtSeconds', a->'issuedAtSeconds',
        'authTimeSeconds', a->'authTimeSeconds', 'expiresAt', ends_at, 'metadata', a->'metadata'
      ), t);
    end if;
  end $fn$;

  create or replace function tallystick.rotate_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    a_key bytea := tallystick.key_v1(p->'sid');
    next json := p->'successor';
    is_judging boolean := p->>'successor' is null;
    is_adopting boolean := p->>'adoption' is not null;
    access_lifetime double precision := p->>'accessLifetime';
    t double precision;
    s tallystick.sessions;
    is_stored boolean;
    adopted record;
    outcome text;
    revoked json[] := '{}';
  begin
    if is_judging then
      select * into s from tallystick.sessions where key = a_key;
    else
      if is_adopting then
        perform tallystick.lock_v1(p->'subject');
      end if;
      select * into s from tallystick.sessions where key = a_key for update;
    end if;
    t := tallystick.now_v1(p);
    is_stored := s.key is not null and s.expires_at > t;
    if not is_stored then
      s := null;
      if is_adopting then
        select * into adopted from tallystick.adopt_v1(p, t);
        outcome := adopted.refusal;
        s := adopted.s;
      end if;
    end if;
    outcome := coalesce(outcome, tallystick.judge_v1(s, p, t));
    if is_judging or outcome not in ('rotated', 'reused') then
      if not is_stored and not is_judging then
        s := null;
      end if;
      return tallystick.rotated_v1(outcome, s, revoked, t);
    end if;
    if not is_stored and not tallystick.put_v1(s, t) then
      raise exception 'tallystick: a session of that id was made for another subject at the same time';
    end if;
    if outcome = 'reused' then
      revoked := array[tallystick.end_v1(s, t, access_lifetime)];
    else
      update tallystick.sessions x set
        generation = (p->>'generation')::double precision + 1,
        salt = next->'salt',
        issued_at_seconds = (next->>'issuedAtSeconds')::double precision,
        last_seen_at = t,
        rotated_at = t,
        access_until = greatest(
          x.access_until,
          greatest(t, (next->>'issuedAtSeconds')::double precision * 1000) + access_lifetime
        ),
        idle_expires_at = t + (next->>'idleLifetime')::double precision
      where key = a_key;
    end if;
    select * into strict s from tallystick.sessions where key = a_key;
    return tallystick.rotated_v1(outcome, s, revoked, t);
  end $fn$;

  create or replace function tallystick.get_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    t double precision := tallystick.now_v1(p);
    s tallystick.sessions;
  begin
    select * into s from tallystick.sessions where key = tallystick.key_v1(p->'sid') and expires_at > t;
    return case when s.key is null then 'null' else tallystick.session_v1(s)::text end;
  end $fn$;

  create or replace function tallystick.list_v1(payload text) returns text language plpgsql as $fn$
  declare
    p json := payload::json;
    t double precision := tallystick.now_v1(p);
  begin
    return (
      select coalesce(json_agg(tallystick.session_v1(s) order by s.created_at desc, s.number), '[]')
      from tallystick.sessions s
      where s.subject_key = tallystick.key_v1(p->'subject')
        and s.revoked_at is null and s.idle_expires_at > t and s.expires_at > t
    );
  end $fn$;
`
