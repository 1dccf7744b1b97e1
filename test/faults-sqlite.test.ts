// A file of SQLite that is full, locked by others, removed or replaced: nobody gets in for it, and all recovers.

import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { createSite } from './_sessions.ts'
import type { Browser, Site } from './_sessions.ts'
import { at, problems, sidOf, signedIn, until } from './faults/_world.ts'
import { Folder, drivers } from './stores/_sqlite.ts'
import type { ClosableDatabase } from './stores/_sqlite.ts'

const folder = new Folder()
const sites: Site[] = []
const mounts: string[] = []
const timeout = 30_000
const programs = { mount: 'mount', unmount: 'umount' }

afterAll(async () => {
  await Promise.all(sites.map(({ auth }) => auth.close()))
  folder.remove()
  for (const path of mounts) {
    spawnSync(programs.unmount, ['-l', path])
    rmSync(path, { recursive: true, force: true })
  }
})

async function open(database: ClosableDatabase): Promise<Site> {
  const store = sqliteStore(database)
  const site = createSite({ store, clock: () => Date.now() / 1000, maxStaleness: 1, storeTimeout: 1 })
  sites.push(site)
  await site.auth.ready()
  return site
}

const refused = { status: 503, code: 'store_unavailable', setCookies: [] }

async function expectRefusals(site: Site, user: Browser, leaving: Browser): Promise<void> {
  const left = leaving.copy()
  expect(await user.refresh()).toMatchObject(refused)
  expect(await site.browser().login('late')).toMatchObject(refused)
  const ended = await leaving.logout()
  expect(ended).toMatchObject({ status: 503, code: 'store_unavailable' })
  expect(leaving.jar).toEqual({})
  expect(await left.get()).toMatchObject({ code: 'token_revoked' })
}

async function expectRecovery(site: Site, there: Site, user: Browser, left: Browser): Promise<void> {
  await until('refresh works again', async () => (await user.refresh()).code === 'ok')
  expect(user.claims()).toMatchObject({ gen: 1 })
  expect(await user.get()).toMatchObject({ code: 'ok' })
  await until('the sign-out reaches the file', async () => {
    const session = await there.auth.sessions.get(sidOf(left))
    return session !== null && session.revokedAt !== null
  })
  await until('others refuse it', async () => (await at(there, left).get()).code === 'token_revoked')
  for (const type of ['store.unavailable', 'store.recovered']) {
    expect(site.events).toContainEqual({ type })
  }
  expect(problems).toEqual([])
}

/** A file system of half a megabyte, where this process may make one. */
function mountSmall(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'tallystick-full-'))
  const { status } = spawnSync(programs.mount, ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', path], {
    stdio: 'ignore',
  })
  if (status === 0) {
    mounts.push(path)
    return path
  }
  rmSync(path, { recursive: true })
  process.stderr.write('This user may not mount a small file system: that of a full disk is skipped\n')
  return undefined
}

/** Takes all the room that is left. */
function fill(path: string): void {
  for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size))
    } catch {
      // Not as much as that: less, then.
    }
  }
}

describe.each(drivers)('SQLite over %s', (_name, driver) => {
  const small = mountSmall()

  test.skipIf(small === undefined)('a full disk lets nobody in, and all recovers', { timeout }, async () => {
    const path = small ?? ''
    const file = join(path, 'sessions.db')
    const [site, there] = [await open(folder.connect(driver, file)), await open(folder.connect(driver, file))]
    const [user, leaving] = [await signedIn(site, 'user'), await signedIn(site, 'leaving')]
    const left = leaving.copy()
    fill(join(path, 'ballast'))
    // What writing ahead still had room for.
    await until('nothing can be written', async () => {
      const { code } = await site.browser().login('filler')
      return code === 'store_unavailable'
    })
    await expectRefusals(site, user, leaving)
    expect(['ok', 'store_unavailable']).toContain((await user.get()).code)
    rmSync(join(path, 'ballast'))
    await expectRecovery(site, there, user, left)
  })

  test('a file that may not grow confirms no sign-in that it does not keep', { timeout }, async () => {
    const file = folder.file()
    const database = folder.connect(driver, file)
    const [site, there] = [await open(database), await open(folder.connect(driver, file))]
    const user = await signedIn(site, 'user')
    database.exec('PRAGMA max_page_count = 1')
    const sids: string[] = []
    const full = site.browser()
    await until('the file is full', async () => {
      const browser = site.browser()
      const answer = await browser.login(`filler ${sids.length}`)
      if (answer.code === 'ok') sids.push(sidOf(browser))
      else expect(answer).toMatchObject(refused)
      return answer.code !== 'ok'
    })
    expect(await full.login('one more')).toMatchObject(refused)
    expect(await user.get()).toMatchObject({ code: 'ok' })
    for (const sid of sids) expect(await there.auth.sessions.get(sid)).toMatchObject({ revokedAt: null })
    expect(await there.auth.sessions.list(`filler ${sids.length}`)).toEqual([])
    database.exec('PRAGMA max_page_count = 1000000')
    expect(await full.login('one more')).toMatchObject({ code: 'ok' })
    expect(site.events).toContainEqual({ type: 'store.recovered' })
  })

  test('a file that another process has locked is answered 503, and all recovers', { timeout }, async () => {
    const file = folder.file()
    const [site, there] = [await open(folder.connect(driver, file)), await open(folder.connect(driver, file))]
    const [user, leaving] = [await signedIn(site, 'user'), await signedIn(site, 'leaving')]
    const left = leaving.copy()
    const locker = fork(fileURLToPath(new URL('faults/_locker.mjs', import.meta.url)), [file])
    const ended = once(locker, 'exit')
    try {
      await once(locker, 'message')
      await expectRefusals(site, user, leaving)
      // Readers do not wait for the one that writes.
      for (const one of [user, at(there, user)]) expect(await one.get()).toMatchObject({ code: 'ok' })
      locker.send('go')
      await expectRecovery(site, there, user, left)
    } finally {
      if (locker.exitCode === null) locker.kill()
      await ended
    }
  })

  // SQLite would go on with the file that it has open, which nobody else can see.
  test.each([
    ['removed', (file: string) => rmSync(file)],
    ['moved away', (file: string) => renameSync(file, `${file}.old`)],
  ])('a file that was %s lets nobody in', { timeout }, async (_deed, remove) => {
    const file = folder.file()
    const site = await open(folder.connect(driver, file))
    const user = await signedIn(site, 'user')
    const issuedAt = Number(user.claims()['iat'])
    await until('the next second', () => Math.floor(Date.now() / 1000) > issuedAt)
    remove(file)
    for (const beside of [`${file}-wal`, `${file}-shm`]) rmSync(beside, { force: true })
    const there = await open(folder.connect(driver, file))
    await until('it is refused', async () => (await user.get()).code !== 'ok', 3)
    const fresh = await signedIn(there, 'fresh')
    await there.auth.sessions.revoke(sidOf(fresh))
    expect((await at(site, fresh).get()).code).not.toBe('ok')
  })
})
